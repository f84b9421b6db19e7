"""Alerts over a socket: a snapshot, then every change that people are told of, for those whom it is for."""

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async
from redis import RedisError

from consumers import access_recheck, log_stream
from consumers import hub as hubs
from consumers.codes import NO_ACCESS, NO_SUCH_THING, SIGN_IN
from metrics.access import tickets
from metrics.access.principal import SYSTEM
from metrics.actions import alert_events, alert_following, incidents
from metrics.live import bus
from metrics.live.bus import RECHECK, Recheck
from metrics.models import Incident, Team, Token
from tests import make
from tests.alerting import push_hosts, rule
from tests.consumers.test_dashboard import Connect, Socket, close_code, connect, cookie_of
from tests.consumers.test_log import ORIGIN, read

__all__ = ["connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rules_at_once")]

in_thread = database_sync_to_async


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


async def token(scope: str = "read", *teams: Team) -> tuple[bytes, bytes]:
    return bearer(await in_thread(make.token)(f"{scope} {teams}", scope, teams))


async def changes(socket: Socket, count: int) -> list[tuple[int, str, str]]:
    found = [await read(socket) for _ in range(count)]
    assert {one["type"] for one in found} <= {"entry"}
    return [(one["id"], one["kind"], one["change"]) for one in found]


async def opened(connect: Connect, *headers: tuple[bytes, bytes], query: str = "") -> tuple[Socket, list[Any]]:
    """Return a socket, and the alerts of its snapshot."""
    socket = await connect(f"/ws/alerts/{query}", *headers)
    hello, snapshot = await read(socket), await read(socket)
    assert (hello["topic"], hello["newest"]) == ("alerts.0", snapshot["id"])
    return socket, snapshot["alerts"]


async def nothing(socket: Socket) -> None:
    """Fail if something was sent: what answers a ping comes after it."""
    await socket.send_to(text_data='{"ping": 1}')
    assert (await read(socket))["type"] == "pong"


async def test_a_snapshot_then_each_change_and_after_a_break_nothing_is_missing(connect: Connect) -> None:
    reader = await token()
    await in_thread(rule)()
    socket, alerts = await opened(connect, reader)
    assert alerts == []
    await in_thread(push_hosts)(a=95)
    assert await changes(socket, 2) == [(1, "incident", "began"), (2, "alert", "began")]
    later, (alert,) = await opened(connect, reader)
    assert (alert["rule"], alert["labels"], alert["state"]) == ("Disk full", {"host": "a"}, "firing")
    await in_thread(push_hosts)(60, a=1)
    again = await connect("/ws/alerts/?after=1", reader)
    assert (await read(again))["type"] == "hello"
    assert await changes(again, 3) == [(2, "alert", "began"), (3, "alert", "over"), (4, "incident", "resolved")]
    for one in (socket, later):
        assert await changes(one, 2) == [(3, "alert", "over"), (4, "incident", "resolved")]


async def test_what_redis_lost_is_read_from_the_database(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    await in_thread(rule)()
    socket, _ = await opened(connect, await token())
    with monkeypatch.context() as lost:
        lost.setattr(bus, "append", lambda *_: None)
        await in_thread(push_hosts)(a=95)
    hubs.hub()._starve(RedisError("restarted"))
    await hubs.hub()._round()
    assert await changes(socket, 2) == [(1, "incident", "began"), (2, "alert", "began")]


async def test_who_was_away_too_long_gets_a_gap_and_a_snapshot(connect: Connect) -> None:
    await in_thread(rule)()
    await in_thread(push_hosts)(a=95)
    await in_thread(alert_events.forget)(4e9)
    socket = await connect("/ws/alerts/?after=1", await token())
    assert (await read(socket))["type"] == "hello"
    gap, snapshot = await read(socket), await read(socket)
    assert (gap["type"], gap["begins"], gap["text"][:40]) == ("gap", 3, "Events up to 2 are kept no more: the log")
    assert (snapshot["type"], snapshot["id"], len(snapshot["alerts"])) == ("snapshot", 2, 1)
    assert snapshot["more"] is False


async def test_a_slow_client_is_sent_a_snapshot_as_it_takes_it_and_nothing_before(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = await token()
    await in_thread(rule)()
    await in_thread(push_hosts)(a=95, b=95)
    monkeypatch.setattr(alert_following, "PART_MOST", 1)
    monkeypatch.setattr(log_stream, "LOOKS_EVERY_S", 0)
    with monkeypatch.context() as full:
        full.setattr(log_stream, "is_slow", lambda _: True)
        socket = await connect("/ws/alerts/", reader)
        assert (await read(socket))["type"] == "hello"
        await in_thread(push_hosts)(60, a=1)
        await nothing(socket)
    parts = [await read(socket) for _ in range(2)]
    assert [(one["type"], len(one["alerts"]), one["more"]) for one in parts] == [
        ("snapshot", 1, True),
        ("snapshot", 1, False),
    ]
    assert await changes(socket, 1) == [(4, "alert", "over")]


async def test_nobody_sees_alerts_of_other_teams(connect: Connect) -> None:
    ops, night = await in_thread(make.team)("ops"), await in_thread(make.team)("night")
    await in_thread(rule)(teams=["ops"])
    theirs, _ = await opened(connect, await token("read", ops))
    others, _ = await opened(connect, await token("read", night))
    await in_thread(push_hosts)(a=95)
    assert await changes(theirs, 2) == [(1, "incident", "began"), (2, "alert", "began")]
    await nothing(others)
    late = await connect("/ws/alerts/?after=0", await token("read", night, night))
    assert (await read(late))["type"] == "hello"
    await nothing(late)
    _, alerts = await opened(connect, await token("edit", night))
    assert alerts == []


async def test_who_leaves_a_team_is_told_nothing_more_of_it(connect: Connect) -> None:
    ada = await in_thread(make.user)("ada")
    ops = await in_thread(make.team)("ops", ada)
    await in_thread(rule)(teams=["ops"])
    socket, _ = await opened(connect, await in_thread(cookie_of)(ada), ORIGIN)
    await in_thread(push_hosts)(a=95)
    assert len(await changes(socket, 2)) == 2
    await in_thread(ada.groups.remove)(ops)
    doubt = Recheck(type=RECHECK, user=ada.pk, dashboard=None)
    assert [one async for one in access_recheck.refused(hubs.hub().viewers(), doubt)] == []
    await in_thread(incidents.resolve)(SYSTEM, (await in_thread(Incident.objects.get)()).pk)
    await nothing(socket)
    await in_thread(ada.delete)()
    assert await close_code(socket) == SIGN_IN


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("", [], NO_ACCESS),
        ("", [ORIGIN], SIGN_IN),
        ("", [(b"origin", b"https://evil.example")], NO_ACCESS),
        ("", [bearer("wf_unknown")], SIGN_IN),
        ("?format=html", ["read"], NO_SUCH_THING),
        ("", ["push"], NO_ACCESS),
    ],
)
async def test_who_is_refused(connect: Connect, query: str, headers: list[Any], code: int) -> None:
    sent = [await token(one) if isinstance(one, str) else one for one in headers]
    assert await close_code(await connect(f"/ws/alerts/{query}", *sent)) == code


async def test_a_ticket_opens_it_and_a_message_that_is_none_ends_it(connect: Connect) -> None:
    await token("read")
    known = await in_thread(Token.objects.get)()
    ticket = await in_thread(tickets.issue)(known, "/ws/alerts/")
    socket, _ = await opened(connect, query=f"?ticket={ticket}&personal=1")
    await socket.send_to(text_data=json.dumps({"ack": 1}))
    await nothing(socket)
    await socket.send_to(text_data=json.dumps({"say": "x"}))
    assert (await read(socket))["error"] == 'A message is {"ack": number}.'
