"""A dashboard as values: the same versions as a page gets, as JSON."""

import json
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, render
from metrics.live import marks, watchers
from metrics.live.topic import values
from tests import make
from tests.consumers.test_dashboard import Connect, Socket, ada, close_code, connect, first

__all__ = ["ada", "connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

PATH = "/ws/dashboards/shop/?range=1h&format=json"


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)


async def drawn() -> None:
    def draw() -> None:
        topic = values(make.variant().id, "1h")
        marks.mark(topic, [marks.ALL])
        render.render(topic)

    await database_sync_to_async(draw)()


async def opened(connect: Connect, query: str = "") -> tuple[Socket, dict[str, Any]]:
    """Return a socket, and the frame that follows its greeting."""
    secret = await database_sync_to_async(make.token)(f"job {query}", "read")
    socket = await connect(PATH + query, (b"authorization", f"Bearer {secret}".encode()))
    hello = await read(socket)
    assert (hello["type"], hello["topic"]) == ("hello", f"values.{make.variant().id}.1h")
    frame = await read(socket)
    assert (frame["epoch"], frame["version"]) == (hello["epoch"], hello["version"])
    return socket, frame


async def read(socket: Socket) -> dict[str, Any]:
    return dict(json.loads((await first(socket))["text"]))


async def test_all_comes_first_then_what_changes_and_what_is_removed(connect: Connect, ada: User) -> None:
    await database_sync_to_async(make.stored)("orders_open", {make.AT - time.time(): 41.5})
    await drawn()
    socket, frame = await opened(connect)
    (key,) = frame["widgets"]
    assert frame["type"] == "values"
    assert frame["revision"] == 1
    widget = frame["widgets"][key]
    assert widget["kind"] == "number"
    assert widget["view"]["value"] == {"text": "41.5", "unit": ""}
    assert [one["value"] for one in widget["series"]] == [41.5]
    assert widget["series"][0]["at"] == pytest.approx(time.time(), abs=60)
    await socket.send_to(text_data=json.dumps({"ack": frame["version"]}))

    await database_sync_to_async(dashboards.add_widget)(SYSTEM, "shop", make.widget("nothing"), None)
    await drawn()
    added = await read(socket)
    assert added["revision"] == 2
    assert key not in added["widgets"]
    assert [(one["state"], one["at"]) for one in added["widgets"].values()] == [("nodata", None)]

    await database_sync_to_async(dashboards.delete_widget)(SYSTEM, "shop", key, None)
    await drawn()
    assert (await read(socket))["widgets"] == {key: None}
    _, again = await opened(connect, f"&epoch={frame['epoch']}&version={added['version']}")
    assert again["widgets"] == {key: None}


async def test_it_is_rendered_because_it_is_watched_and_closes_with_its_access(connect: Connect, ada: User) -> None:
    socket, frame = await opened(connect)
    assert frame["widgets"] == {}, "nothing was rendered yet"
    assert watchers.watched(time.time()) == [values(make.variant().id, "1h")]
    await database_sync_to_async(dashboards.delete)(SYSTEM, "shop", None)
    assert await close_code(socket) == 4404
