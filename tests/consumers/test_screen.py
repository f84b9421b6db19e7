"""The socket of a paired screen: what it is let in to, what reaches it alone, and how it ends."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async

from consumers import hub as hubs
from metrics.access.principal import SYSTEM, of_screen
from metrics.access.screens import COOKIE
from metrics.actions import dashboards, screens
from metrics.live import bus
from metrics.models import Screen
from tests import make
from tests.consumers.test_dashboard import Connect, Socket, _no_workers, close_code, connect, cookie_of, first
from tests.consumers.test_log import ORIGIN, sent_until_quiet

__all__ = ["_no_workers", "connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Paired = tuple[Screen, tuple[bytes, bytes]]


def paired(name: str = "Lobby", dashboard: str = "shop", **given: Any) -> Paired:
    """Return a screen and the cookie of its browser."""
    screen, secret = make.screen(name, dashboard, **given)
    return screen, (b"cookie", f"{COOKIE}={secret}".encode())


@pytest.fixture
async def lobby() -> Paired:
    def make_all() -> Paired:
        make.dashboard("other")
        make.dashboard("shop")
        return paired()

    found: Paired = await database_sync_to_async(make_all)()
    return found


async def ask(
    connect: Connect, dashboard: int | None, *headers: tuple[bytes, bytes], query: str = "range=1h"
) -> Socket:
    return await connect(f"/ws/screen/?{query}&dashboard={dashboard}", *headers)


async def joined(count: int) -> None:
    async with asyncio.timeout(5):
        while len(hubs.hub().viewers()) < count:  # noqa: ASYNC110 (a socket that joined has no event)
            await asyncio.sleep(0.01)


async def test_it_gets_frames_of_what_it_shows_and_counts_as_open(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    assert (await first(await ask(connect, screen.dashboard_id, cookie, ORIGIN)))["type"] == "websocket.send"
    await hubs.hub()._round()
    (known,) = await database_sync_to_async(screens.described)(SYSTEM, [screen])
    assert known.is_open
    await screen.arefresh_from_db()
    assert screen.last_used_at is not None


async def test_all_else_is_refused(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    shows = screen.dashboard_id
    user = await database_sync_to_async(make.user)("ada", is_superuser=True)
    session = await database_sync_to_async(cookie_of)(user)
    secret = await database_sync_to_async(make.token)("bot", "admin")
    for code, dashboard, headers, query in (
        (4404, shows, (cookie, ORIGIN), "range=6h"),
        (4404, shows, (cookie, ORIGIN), "range=1h&format=json"),
        (4404, (shows or 0) - 1, (cookie, ORIGIN), "range=1h"),
        (4404, None, (cookie, ORIGIN), "range=1h"),
        (4410, shows, (ORIGIN,), "range=1h"),
        (4410, shows, (session, ORIGIN), "range=1h"),
        (4410, shows, ((b"cookie", f"{COOKIE}=ws_x".encode()), ORIGIN), "range=1h"),
        (4410, shows, ((b"authorization", f"Bearer {secret}".encode()),), "range=1h"),
        (4401, shows, (cookie,), "range=1h&ticket=x"),
        (4403, shows, (cookie, (b"origin", b"https://portal.example.com")), "range=1h"),
        (4403, shows, (cookie,), "range=1h"),
    ):
        assert await close_code(await ask(connect, dashboard, *headers, query=query)) == code, (headers, query)
    for path in ("/ws/dashboards/shop/?range=1h", "/ws/rooms/1/", "/ws/notifications/"):
        assert await close_code(await connect(path, cookie, ORIGIN)) == 4401


@pytest.mark.parametrize("other", [b'prefs={"a":1}', b"a[b]=1", b'"', b"=", b"\xff"])
async def test_odd_cookies_of_other_programs_on_the_host_do_not_matter(
    connect: Connect, lobby: Paired, other: bytes
) -> None:
    screen, (name, cookie) = lobby
    for both in (other + b"; " + cookie, cookie + b"; " + other):
        socket = await ask(connect, screen.dashboard_id, (name, both), ORIGIN)
        assert (await first(socket))["type"] == "websocket.send", both


async def test_what_is_sent_to_a_screen_reaches_its_sockets_alone(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    hall, other = await database_sync_to_async(paired)("Hall")
    hers = await database_sync_to_async(cookie_of)(await database_sync_to_async(make.user)("ada"))
    walls = [await ask(connect, screen.dashboard_id, cookie, ORIGIN) for _ in range(2)]
    others = [
        await ask(connect, hall.dashboard_id, other, ORIGIN),
        await connect("/ws/dashboards/shop/?range=1h&personal=1", hers, ORIGIN),
        await connect("/ws/dashboards/shop/?range=1h", hers, ORIGIN),
    ]
    await joined(5)
    await hubs.hub()._round()
    for socket in (*walls, *others):
        await sent_until_quiet(socket)
    assert len(hubs.hub().tabs.people()) == 1
    await database_sync_to_async(screens.show_name)(SYSTEM, screen.pk)
    for socket in walls:
        seen = await sent_until_quiet(socket)
        assert '<hx-partial hx-target="#screen-name" hx-swap="outerMorph"><p id="screen-name"' in seen
        assert "Lobby</p>" in seen
    for socket in others:
        assert "screen-name" not in await sent_until_quiet(socket)


async def test_what_an_earlier_release_sends_is_passed_by(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    socket = await ask(connect, screen.dashboard_id, cookie, ORIGIN)
    await joined(1)
    await hubs.hub()._round()
    await sent_until_quiet(socket)
    old = {"type": "personal", "user": screen.pk, "target": "bell", "swap": "outerMorph", "html": "<i id=rung></i>"}
    await asyncio.to_thread(bus._try_to_send, (bus.PROCESSES, old))
    await asyncio.to_thread(bus.send_to, of_screen(screen), "screen-name", "outerMorph", "<b>")
    seen = await sent_until_quiet(socket)
    assert "rung" not in seen
    assert "<b>" in seen


@pytest.mark.parametrize(
    ("how", "code"), [("other", 4404), ("nothing", 4404), ("range", 4404), ("deleted", 4404), ("revoked", 4410)]
)
async def test_one_that_is_to_show_something_else_does_not_stay(
    connect: Connect, lobby: Paired, how: str, code: int
) -> None:
    screen, cookie = lobby
    socket = await ask(connect, screen.dashboard_id, cookie, ORIGIN)
    await first(socket)

    def change() -> None:
        if how == "revoked":
            screens.revoke(SYSTEM, screen.pk)
        elif how == "deleted":
            dashboards.delete(SYSTEM, "shop", None)
        else:
            changes = {"other": {"dashboard": "other"}, "nothing": {"dashboard": ""}, "range": {"range": "6h"}}
            screens.change(SYSTEM, screen.pk, changes[how])

    await database_sync_to_async(change)()
    assert await close_code(socket) == code


async def test_it_moves_when_its_dashboard_gets_another_usual_range(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    socket = await ask(connect, screen.dashboard_id, cookie, ORIGIN)
    await first(socket)
    await database_sync_to_async(dashboards.change)(SYSTEM, "shop", {"range": "6h"}, None)
    assert await close_code(socket) == 4404
    moved = await ask(connect, screen.dashboard_id, cookie, ORIGIN, query="range=6h")
    assert (await first(moved))["type"] == "websocket.send"


async def test_a_new_name_leaves_it_open_and_is_the_one_that_it_is_known_by(connect: Connect, lobby: Paired) -> None:
    screen, cookie = lobby
    socket = await ask(connect, screen.dashboard_id, cookie, ORIGIN)
    await first(socket)
    await joined(1)
    await database_sync_to_async(screens.change)(SYSTEM, screen.pk, {"name": "Hall"})
    ((_, viewer),) = hubs.hub().viewers()
    async with asyncio.timeout(5):
        while viewer.who.name != "screen Hall":  # noqa: ASYNC110 (what is asked in passing has no event)
            await asyncio.sleep(0.01)
    assert hubs.hub().viewers()
