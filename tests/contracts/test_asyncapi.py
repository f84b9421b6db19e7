"""The description of the sockets is that of the code: paths, close codes, limits, and what real sockets are sent."""

import json
import re
import time
from typing import Any

import jsonschema_rs
import pytest
from channels.db import database_sync_to_async
from django.test import Client

from consumers import alert_log, codes, hub, limits, log, routing
from consumers.dashboard import DashboardConsumer
from consumers.screen import ScreenConsumer
from metrics.access.principal import SYSTEM
from metrics.actions import alerts, evaluation, incidents, notifications, render, rooms, rules
from metrics.api.asyncapi import FILE
from metrics.live import marks
from metrics.live.topic import values
from metrics.models import Alert, Incident
from metrics.widgets.ranges import RANGES_S
from tests import make
from tests.consumers.test_dashboard import Connect, Socket, connect, cookie_of, first
from tests.consumers.test_log import ORIGIN

__all__ = ["connect"]

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text())
DOWN = {name: f"{name}Down" for name in DOCUMENT["channels"]}
CONSUMERS = {
    "dashboard": DashboardConsumer,
    "screen": ScreenConsumer,
    "room": log.RoomConsumer,
    "notifications": log.NotificationsConsumer,
    "alerts": alert_log.AlertsConsumer,
}


def validator(*messages: str) -> Any:
    """Return what checks that something is one of `messages`."""
    schema = {"oneOf": [{"$ref": f"#/components/schemas/{one}"} for one in messages], **DOCUMENT}
    return jsonschema_rs.Draft7Validator(schema)


def messages_of(operation: str) -> list[str]:
    return [one["$ref"].rpartition("/")[2] for one in DOCUMENT["operations"][operation]["messages"]]


def test_paths_are_those_that_are_served() -> None:
    served = {f"/{one.pattern}" for one in routing.OURS}
    described = {one["address"] for one in DOCUMENT["channels"].values()}
    assert {one.replace("<slug:slug>", "{slug}").replace("<int:id>", "{id}") for one in served} == described


def test_close_codes_and_limits_are_those_of_the_code() -> None:
    assert {int(code) for code in DOCUMENT["x-close-codes"]} == codes.ALL
    for name, value in DOCUMENT["x-limits"].items():
        if name != "message_characters":
            assert limits.document(0)[name] == value, name
    characters = {name: consumer.message_bytes for name, consumer in CONSUMERS.items()}
    assert DOCUMENT["x-limits"]["message_characters"] == characters
    assert set(DOCUMENT["components"]["schemas"]["limits"]["required"]) == set(limits.document(0))
    query = DOCUMENT["channels"]["dashboard"]["bindings"]["ws"]["query"]
    assert query["properties"]["range"]["enum"] == list(RANGES_S)


def test_every_message_is_one_of_an_operation() -> None:
    used = {message for operation in DOCUMENT["operations"] for message in messages_of(operation)}
    assert used == set(DOCUMENT["components"]["messages"])
    for name, channel in DOCUMENT["channels"].items():
        assert set(channel["messages"]) == {*messages_of(f"{name}Down"), *messages_of(f"{name}Up")}


def test_a_room_takes_what_its_refusal_names() -> None:
    assert sorted(re.findall(r'\{"(\w+)"', log.UNKNOWN)) == sorted(messages_of("roomUp"))


@pytest.mark.django_db
def test_anybody_may_read_it(client: Client) -> None:
    assert client.get("/api/v1/asyncapi.json").json() == DOCUMENT
    assert "/api/v1/asyncapi.json" in client.get("/api/v1/openapi.json").json()["info"]["description"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis")
async def test_what_sockets_are_sent_is_described(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)

    def prepare() -> tuple[int, list[tuple[bytes, bytes]]]:
        shop = make.dashboard(widgets=[make.widget(), make.widget(kind="line"), make.widget("nothing", kind="status")])
        make.stored("orders_open", {60: 1.0, 0: 2.5})
        marks.mark(values(shop.pk, "1h"), [marks.ALL])
        render.render(values(shop.pk, "1h"))
        rules.create(
            SYSTEM, {"name": "Full", "query": {"metric": "disk"}, "condition": {"kind": "threshold", "above": 90}}
        )
        make.accepted([make.sample("disk", 95, time.time())], now=time.time())
        evaluation.evaluate(time.time())
        return rooms.create(SYSTEM, "War room").pk, [cookie_of(make.user("ada", is_staff=True)), ORIGIN]

    room, headers = await database_sync_to_async(prepare)()
    paths = {
        "dashboard": "/ws/dashboards/shop/?range=1h&format=json",
        "room": f"/ws/rooms/{room}/?format=json",
        "notifications": "/ws/notifications/?format=json&after=0",
        "alerts": "/ws/alerts/?after=99",
    }
    sockets = {name: await connect(path, *headers) for name, path in paths.items()}
    await database_sync_to_async(notifications.notify)(SYSTEM, "user:ada", "deploy", "Shop 1.2")
    await database_sync_to_async(take_alert)()
    for socket in sockets.values():
        await socket.send_to(text_data='{"ping": "a"}')
    sent = [
        {"say": "hello", "client_id": "c"}, {"react": 1, "emoji": "👍"}, {"edit": 1, "text": "hallo"},
        {"typing": True}, {"read": 1}, {"delete": 1}, {"ack": 1}, {"edit": 99, "text": "x"},
    ]  # fmt: skip
    for message in sent:
        validator(*messages_of("roomUp")).validate(message)
        await sockets["room"].send_to(text_data=json.dumps(message))
    await hub.hub()._round()
    schemas = DOCUMENT["components"]["schemas"]
    for name, socket in sockets.items():
        described = validator(*[one for one in messages_of(DOWN[name]) if one != "html"])
        expected = {schemas[one]["properties"]["type"]["const"] for one in messages_of(DOWN[name]) if one != "html"}
        for message in await received(socket, expected - (set() if name == "room" else {"error"})):
            described.validate(message)
        if name == "dashboard":  # which ends with its first error, so that nothing else is waited for by then
            await socket.send_to(text_data="[]")
            for message in await received(socket, {"error"}):
                described.validate(message)


def take_alert() -> None:
    """Make an event of each kind."""
    alert, incident = Alert.objects.get(), Incident.objects.get()
    alerts.acknowledge(SYSTEM, alert.pk, "on it")
    incidents.acknowledge(SYSTEM, incident.pk, "mine")


async def received(socket: Socket, types: set[str]) -> list[dict[str, Any]]:
    """Return all that a socket is sent until there was a message of each of `types`."""
    found: list[dict[str, Any]] = []
    while missing := types - {one["type"] for one in found}:
        try:
            found.append(json.loads((await first(socket))["text"]))
        except TimeoutError:
            pytest.fail(f"{sorted(missing)} did not come after {[one['type'] for one in found]}")
    return found
