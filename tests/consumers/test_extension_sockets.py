"""Sockets of consumers of one's own are sent away when access ends, as ours are."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.middleware import BaseMiddleware
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.db import OperationalError
from django.urls import path

from consumers import extension_sockets
from consumers import hub as hubs
from consumers.extension_sockets import ExtensionSocket
from consumers.extensions import _identified
from consumers.holders import Credential, Holder
from metrics.access.policy import CREATE, SEE, may
from metrics.access.principal import NOBODY, SYSTEM, Principal, Role
from metrics.actions import dashboards
from metrics.live.bus import RECHECK, Recheck
from metrics.models import Dashboard
from tests import loop, make
from tests.consumers.test_dashboard import HOST, Socket, close_code, cookie_of

ANYBODY = Recheck(type=RECHECK, user=None, dashboard=None)
ADA = Holder(Principal("user", "user ada", Role.EDITOR, 1, frozenset({7})), "user:1", "ada")


class Repeats(AsyncJsonWebsocketConsumer):
    """Says who is there, whenever they say something."""

    async def connect(self) -> None:
        await self.accept()
        if self.scope["query_string"] == b"shop":
            self.scope["access"].may_stay = lambda by: may(by, SEE, Dashboard.objects.get(slug="shop"))
        elif self.scope["query_string"]:
            self.scope["access"].may_stay = lambda by: may(by, CREATE, Dashboard)

    async def receive_json(self, content: Any) -> None:
        await self.send_json(self.scope["access"].principal.role.name)


APPLICATION = _identified(path("", URLRouter([path("ws/own/", BaseMiddleware(Repeats.as_asgi()))]))).callback
"""Behind a middleware, which gives what it is before a copy of the scope."""


async def opened(headers: list[tuple[bytes, bytes]], query: str = "") -> Socket:
    socket = Socket(APPLICATION, f"/ws/own/?{query}", headers=[HOST, *headers])
    accepted, _ = await socket.connect(timeout=5)
    assert accepted
    await hubs.hub()._channel.hear_processes()  # as its next round would
    return socket


@pytest.fixture
async def _hub() -> AsyncIterator[None]:
    hubs.hub.cache_clear()
    yield
    await loop.stop_hub()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis", "_hub")
class TestSentAway:
    """Access that ends ends the socket, and one that changed is asked about again."""

    async def as_user(self, user: User) -> list[tuple[bytes, bytes]]:
        return [await database_sync_to_async(cookie_of)(user), (b"origin", b"http://" + HOST[1])]

    async def test_a_revoked_token_ends_it_and_nothing_is_sent_any_more(self) -> None:
        secret = await database_sync_to_async(make.token)("job", "read")
        socket = await opened([(b"authorization", f"Bearer {secret}".encode())])
        await database_sync_to_async(make.revoke_token)("job")
        assert await close_code(socket) == 4401
        await socket.send_json_to([1])
        assert await socket.receive_nothing(timeout=0.2)
        await socket.disconnect()
        assert not list(hubs.hub().extensions)

    @pytest.mark.parametrize(("query", "code"), [("", 1012), ("create", 4403)])
    async def test_another_role_ends_it(self, query: str, code: int) -> None:
        eve = await database_sync_to_async(make.user)("eve", is_staff=True)
        socket, other = await opened(await self.as_user(eve), query), await opened([(b"authorization", b"Bearer x")])

        def turn_into_a_viewer() -> None:
            eve.is_staff = False
            eve.save()

        await database_sync_to_async(turn_into_a_viewer)()
        assert await close_code(socket) == code
        assert await other.receive_nothing(timeout=0.2)
        for one in (socket, other):
            await one.disconnect()

    async def test_who_may_stay_does_and_is_known_with_the_role_they_have_now(self) -> None:
        eve = await database_sync_to_async(make.user)("eve", is_staff=True)
        socket = await opened(await self.as_user(eve), "create")

        def turn_into_an_administrator() -> None:
            eve.is_superuser = True
            eve.save()

        await database_sync_to_async(turn_into_an_administrator)()
        role = ""
        while role != "ADMIN":
            await socket.send_json_to([])
            role = await socket.receive_json_from(timeout=5)
            assert role in ("EDITOR", "ADMIN")
        await socket.disconnect()

    async def test_a_dashboard_that_is_not_theirs_any_more_ends_what_they_were_asked_about(self) -> None:
        ada, _ = await database_sync_to_async(make.user)(), await database_sync_to_async(make.dashboard)()
        followed, other = [await opened(await self.as_user(ada), query) for query in ("shop", "")]
        access = {"everyone": False, "teams": []}
        await database_sync_to_async(dashboards.change)(SYSTEM, "shop", {"access": access}, None)
        assert await close_code(followed) == 4403
        assert await other.receive_nothing(timeout=0.2)
        for one in (followed, other):
            await one.disconnect()


class Sent:
    """An ASGI server's end of a socket."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed = asyncio.Event()

    async def __call__(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "websocket.close":
            self.closed.set()


async def codes(sockets: list[ExtensionSocket]) -> list[int | None]:
    found = {one: code async for one, code in extension_sockets.refused(sockets, ANYBODY)}
    return [found.get(one) for one in sockets]


async def test_what_fails_keeps_no_other_from_being_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Credential] = []

    def holders(credentials: Any) -> dict[Credential, Holder]:
        (one,) = asked[:] = list(credentials)
        if one.session == "odd":
            raise OperationalError("busy")
        return {one: Holder()}

    def fails(by: Principal) -> bool:
        raise ZeroDivisionError

    async def later(by: Principal) -> bool:
        return True

    monkeypatch.setattr(extension_sockets, "AT_ONCE", 1)
    monkeypatch.setattr(extension_sockets, "holders", holders)
    ada, odd, bob, nobody = (ExtensionSocket(Sent(), Credential(name, ""), ADA) for name in ("a", "odd", "b", "c"))
    nobody.held = Holder(NOBODY)
    asks, waits = (ExtensionSocket(Sent(), Credential(name, ""), Holder()) for name in ("d", "e"))
    asks.may_stay, waits.may_stay = fails, later  # type: ignore[assignment]
    assert await codes([ada, odd, bob, nobody, asks, waits]) == [4401, None, 4401, None, 1012, 1012]


async def test_it_keeps_its_address_and_is_closed_once_and_when_it_expires() -> None:
    server = Sent()
    socket = ExtensionSocket(server, Credential("a", ""), ADA._replace(by=replace(ADA.by, address="192.0.2.7")))
    assert socket.judge(ADA) is None
    socket.holds(ADA._replace(until=20.0))
    assert socket.principal.address == "192.0.2.7"
    assert extension_sockets.expired([socket], 19.0) == []
    ((_, code),) = extension_sockets.expired([socket], 20.0)
    await socket.send({"type": "websocket.send", "text": "a"})
    socket.close(code)
    socket.close(code)
    await server.closed.wait()
    await socket.send({"type": "websocket.send", "text": "b"})
    assert [one["type"] for one in server.messages] == ["websocket.send", "websocket.close"]
    over = ExtensionSocket(server, Credential("a", ""), ADA)
    await over.send({"type": "websocket.close", "code": 4000})
    over.close(code)
    assert [one.get("code") for one in server.messages[2:]] == [4000]
