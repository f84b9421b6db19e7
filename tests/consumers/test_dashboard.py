"""The socket of a dashboard: who is let in, what they get first, and who is sent away."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from consumers import hub as hubs
from consumers.routing import router
from dashboard_project.sessions import SessionStore
from metrics.actions import access, render
from metrics.live import marks
from metrics.models import Dashboard, Session
from tests import loop, make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

HOST = (b"host", b"ops.example:8000")
CLIENT = "192.0.2.7"
WEBSOCKET = router([])
PULSE = re.compile(r'<i id="pulse" hidden data-epoch="(\w*)" data-version="(\d+)" data-time="\d+\.\d{3}"')


class Socket(WebsocketCommunicator):
    """A client that lets connections to the database go, as a server does and Channels' own one does not."""

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


Connect = Callable[..., Awaitable[Socket]]


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)


@pytest.fixture
def ada() -> User:
    make.dashboard()
    return make.user("ada")


def cookie_of(user: User) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user)
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Open sockets as a page does, on a hub that lives as long as the test."""
    hubs.hub.cache_clear()
    opened: list[Socket] = []

    async def open_(path: str = "/ws/dashboards/shop/?range=1h", *headers: tuple[bytes, bytes]) -> Socket:
        communicator = Socket(WEBSOCKET, path, headers=[HOST, *headers])
        communicator.scope["client"] = [CLIENT, 50_000]
        communicator.scope["query_string"] = path.partition("?")[2].encode()
        accepted, _ = await communicator.connect(timeout=5)
        assert accepted
        opened.append(communicator)
        return communicator

    yield open_
    for communicator in opened:
        with suppress(asyncio.CancelledError):
            await communicator.disconnect()
    await loop.stop_hub()


async def close_code(socket: Socket) -> int:
    """Return the code the socket is closed with; whatever is sent before is passed over, but for fragments."""
    while True:
        event = await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
        if event["type"] == "websocket.close":
            return int(event["code"])


async def first(socket: Socket) -> dict[str, Any]:
    event = await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
    return dict(event)


def shown(frame: str) -> list[str]:
    return re.findall(r'hx-target="#w-([\w-]+)"', frame)


async def drawn() -> None:
    """Draw every widget of the variant, as a worker does that was asked to."""

    def draw() -> None:
        marks.mark(make.variant(), [marks.ALL])
        render.render(make.variant())

    await database_sync_to_async(draw)()


class TestRefused:
    """Always the handshake is accepted, nothing is sent, and the code says why."""

    async def refusal(self, connect: Connect, *arguments: Any) -> int:
        event = await first(await connect(*arguments))
        assert event["type"] == "websocket.close"
        return int(event["code"])

    @pytest.mark.parametrize(
        "header",
        [
            (b"origin", b"http://ops.example:8000"),
            (b"authorization", b"Bearer wf_wrong"),
            (b"authorization", b"Bearer "),
            (b"authorization", b"Bearer"),
            (b"authorization", b"Basic YTpi"),
            (b"authorization", b"\xff"),
        ],
    )
    async def test_nobody_known_signs_in_again(self, connect: Connect, ada: User, header: tuple[bytes, bytes]) -> None:
        assert await self.refusal(connect, "/ws/dashboards/shop/?range=1h", header) == 4401

    @pytest.mark.parametrize("cookie", [b"sessionid=nonsense", b"sessionid=", b"\xff\x00=;;;", b'sessionid="'])
    async def test_a_cookie_that_is_none_signs_in_again(self, connect: Connect, ada: User, cookie: bytes) -> None:
        origin = (b"origin", b"http://ops.example:8000")
        assert await self.refusal(connect, "/ws/dashboards/shop/?range=1h", origin, (b"cookie", cookie)) == 4401

    @pytest.mark.parametrize(
        "origin",
        [
            b"http://evil.example",
            b"http://ops.example",
            b"http://ops.example:8001",
            b"null",
            b"http://ops.example:8000.evil.example",
            b"http://[",
        ],
    )
    async def test_pages_of_others_have_no_access(self, connect: Connect, ada: User, origin: bytes) -> None:
        cookie = await database_sync_to_async(cookie_of)(ada)
        path = "/ws/dashboards/shop/?range=1h"
        assert await self.refusal(connect, path, cookie, (b"origin", origin)) == 4403

    async def test_a_cookie_without_an_origin_has_no_access(self, connect: Connect, ada: User) -> None:
        cookie = await database_sync_to_async(cookie_of)(ada)
        assert await self.refusal(connect, "/ws/dashboards/shop/?range=1h", cookie) == 4403

    async def test_a_dashboard_of_other_groups_is_told_from_none_by_nobody(self, connect: Connect, ada: User) -> None:
        def restrict() -> tuple[bytes, bytes]:
            make.dashboard("secret", teams=[Group.objects.create(name="ops")])
            return cookie_of(ada)

        cookie = await database_sync_to_async(restrict)()
        origin = (b"origin", b"http://ops.example:8000")
        assert await self.refusal(connect, "/ws/dashboards/secret/?range=1h", cookie, origin) == 4404

    @pytest.mark.parametrize(
        "path",
        [
            "/ws/dashboards/nothing/?range=1h",
            "/ws/dashboards/shop/?range=2h",
            "/ws/dashboards/shop/?range=",
            "/ws/dashboards/shop/",
            "/ws/dashboards/shop/?range=1h&range=5y",
            "/ws/dashboards/shop",
            "/ws/dashboards/",
            "/ws/",
            "/",
            "/elsewhere/at/all",
        ],
    )
    async def test_what_there_is_not_is_no_such_thing(self, connect: Connect, ada: User, path: str) -> None:
        cookie = await database_sync_to_async(cookie_of)(ada)
        assert await self.refusal(connect, path, cookie, (b"origin", b"http://ops.example:8000")) == 4404

    @pytest.mark.parametrize(("scope", "code"), [("push", 4403)])
    async def test_a_token_that_may_not_read_has_no_access(
        self, connect: Connect, ada: User, scope: str, code: int
    ) -> None:
        secret = await database_sync_to_async(make.token)("job", scope)
        header = (b"authorization", f"Bearer {secret}".encode())
        assert await self.refusal(connect, "/ws/dashboards/shop/?range=1h", header) == code

    async def test_someone_with_too_many_sockets_comes_back_later(
        self, connect: Connect, ada: User, settings: Settings
    ) -> None:
        settings.SOCKETS_PER_USER = 2
        headers = (await database_sync_to_async(cookie_of)(ada), (b"origin", b"http://ops.example:8000"))
        path = "/ws/dashboards/shop/?range=1h"
        for _ in range(2):
            assert (await first(await connect(path, *headers)))["type"] == "websocket.send"
        assert await self.refusal(connect, path, *headers) == 1013


class TestLetIn:
    @pytest.fixture
    async def headers(self, ada: User) -> list[tuple[bytes, bytes]]:
        return [await database_sync_to_async(cookie_of)(ada), (b"origin", b"http://ops.example:8000")]

    @pytest.mark.parametrize("scope", ["read", "admin"])
    async def test_a_token_that_may_read(self, connect: Connect, ada: User, scope: str) -> None:
        secret = await database_sync_to_async(make.token)("job", scope)
        socket = await connect("/ws/dashboards/shop/?range=1h", (b"authorization", f"bearer {secret}".encode()))
        assert PULSE.search((await first(socket))["text"])

    async def test_the_address_that_people_open_is_an_origin_of_ours(
        self, connect: Connect, ada: User, settings: Settings
    ) -> None:
        settings.CSRF_TRUSTED_ORIGINS = ["https://watch.example"]
        cookie = await database_sync_to_async(cookie_of)(ada)
        socket = await connect("/ws/dashboards/shop/?range=1h", cookie, (b"origin", b"https://watch.example"))
        assert (await first(socket))["type"] == "websocket.send"

    async def test_the_first_frame_is_a_pulse_even_if_nothing_was_drawn(self, connect: Connect, headers: Any) -> None:
        frame = (await first(await connect("/ws/dashboards/shop/?range=1h", *headers)))["text"]
        assert shown(frame) == []
        assert PULSE.findall(frame) == [("", "0")]

    async def test_a_page_without_a_version_gets_every_widget(self, connect: Connect, headers: Any) -> None:
        await drawn()
        frame = (await first(await connect("/ws/dashboards/shop/?range=1h", *headers)))["text"]
        assert len(shown(frame)) == 1
        assert frame.rstrip().endswith("</i></hx-partial>")

    @pytest.mark.parametrize(
        ("epoch", "version", "count"),
        [
            ("{epoch}", "1", 0),
            ("{epoch}", "0", 1),
            ("{epoch}", "999", 1),
            ("{epoch}", "-1", 1),
            ("{epoch}", "²", 1),
            ("{epoch}", "9" * 400, 1),
            ("another", "1", 1),
            ("", "", 1),
        ],
    )
    async def test_a_page_gets_what_is_newer_than_it_shows(
        self, connect: Connect, headers: Any, epoch: str, version: str, count: int
    ) -> None:
        await drawn()
        known = PULSE.findall((await first(await connect("/ws/dashboards/shop/?range=1h", *headers)))["text"])[0][0]
        path = f"/ws/dashboards/shop/?range=1h&epoch={epoch.format(epoch=known)}&version={version}"
        frame = (await first(await connect(path, *headers)))["text"]
        assert len(shown(frame)) == count
        assert PULSE.findall(frame) == [(known, "1")]

    async def test_what_changes_then_comes_by_itself(self, connect: Connect, headers: Any) -> None:
        await drawn()
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        await database_sync_to_async(make.stored)("orders_open", {make.AT - time.time(): 4242.0})
        await drawn()
        frame = (await first(socket))["text"]
        assert len(shown(frame)) == 1
        assert PULSE.findall(frame)[0][1] == "2"

    async def test_an_acknowledgement_is_heard(self, connect: Connect, headers: Any) -> None:
        await drawn()
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        ((_, viewer),) = hubs.hub().viewers()
        assert viewer.acked == 0
        await socket.send_to(text_data='{"ack": 1}')
        await asyncio.wait_for(self.until(lambda: viewer.acked == 1), 5)

    @pytest.mark.parametrize(
        "message",
        [
            "hello",
            "[]",
            "1",
            "null",
            "{}",
            '{"ack": "1"}',
            '{"ack": 1.5}',
            '{"ack": null}',
            '{"ack": true}',
            "[" * 900,
            '{"ack": 1' + " " * 2000 + "}",
        ],
    )
    async def test_a_message_that_is_none_ends_the_socket_with_a_sentence(
        self, connect: Connect, headers: Any, message: str
    ) -> None:
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        await socket.send_to(text_data=message)
        event = await first(socket)
        assert json.loads(event["text"])["error"].endswith(".")
        assert await close_code(socket) == 1008

    async def test_bytes_end_the_socket_too(self, connect: Connect, headers: Any) -> None:
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        await socket.send_to(bytes_data=b'{"ack": 1}')
        assert await close_code(socket) == 1008

    async def test_a_flood_ends_the_socket(self, connect: Connect, headers: Any) -> None:
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        for _ in range(100):
            await socket.send_to(text_data='{"ack": 0}')
        told = await first(socket)
        while told.get("text") != '{"type": "error", "error": "Too many messages."}':
            assert told["type"] == "websocket.send"
            told = await first(socket)
        assert await close_code(socket) == 1008

    async def test_who_leaves_is_forgotten(self, connect: Connect, headers: Any) -> None:
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        await first(socket)
        assert len(hubs.hub().viewers()) == 1
        await socket.disconnect()
        assert hubs.hub().viewers() == []

    @staticmethod
    async def until(condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 (the socket has no event for it)
            await asyncio.sleep(0.01)


async def stays_open(socket: Socket) -> bool:
    """Whether what still comes within a moment are frames, and no close."""
    while not await socket.receive_nothing(timeout=0.3):
        if (await first(socket))["type"] == "websocket.close":
            return False
    return True


class TestSentAway:
    """Access that ends while a page is open ends the page's socket."""

    async def opened(self, connect: Connect, *headers: tuple[bytes, bytes]) -> Socket:
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        assert (await first(socket))["type"] == "websocket.send"
        return socket

    async def as_ada(self, ada: User) -> list[tuple[bytes, bytes]]:
        return [await database_sync_to_async(cookie_of)(ada), (b"origin", b"http://ops.example:8000")]

    async def test_signing_out_closes_the_sockets_of_that_session_and_no_other(
        self, connect: Connect, ada: User
    ) -> None:
        mine, other = await self.as_ada(ada), await self.as_ada(ada)
        closes, stays = await self.opened(connect, *mine), await self.opened(connect, *other)

        def sign_out() -> None:
            request = HttpRequest()
            request.session = SessionStore(mine[0][1].decode().partition("=")[2])
            request.user = ada
            access.sign_out(request)
            assert isinstance(request.user, AnonymousUser)

        await database_sync_to_async(sign_out)()
        assert await close_code(closes) == 4401
        assert await stays_open(stays)

    async def test_a_revoked_token_closes_its_sockets(self, connect: Connect, ada: User) -> None:
        secret = await database_sync_to_async(make.token)("job", "read")
        socket = await self.opened(connect, (b"authorization", f"Bearer {secret}".encode()))
        await database_sync_to_async(make.revoke_token)("job")
        assert await close_code(socket) == 4401

    async def test_a_user_who_is_deactivated_is_sent_away(self, connect: Connect, ada: User) -> None:
        socket = await self.opened(connect, *await self.as_ada(ada))

        def deactivate() -> None:
            ada.is_active = False
            ada.save()

        await database_sync_to_async(deactivate)()
        assert await close_code(socket) == 4401

    async def test_whoever_changes_a_password_sends_its_other_sessions_away(
        self, connect: Connect, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        socket = await self.opened(connect, *await self.as_ada(ada))
        monkeypatch.setattr("getpass.getpass", lambda *_, **__: "a-long-new-one")
        await database_sync_to_async(call_command)("changepassword", "ada", stdout=StringIO())
        assert await close_code(socket) == 4401

    async def test_whoever_leaves_a_group_is_sent_away_from_its_dashboards(self, connect: Connect, ada: User) -> None:
        def restrict() -> None:
            ops = Group.objects.create(name="ops")
            ada.groups.add(ops)
            shop = Dashboard.objects.get(slug="shop")
            shop.for_everyone = False
            shop.save()
            shop.teams.add(ops.pk)

        await database_sync_to_async(restrict)()
        socket = await self.opened(connect, *await self.as_ada(ada))
        await database_sync_to_async(ada.groups.clear)()
        assert await close_code(socket) == 4404

    async def test_a_look_at_its_session_leaves_it_to_the_browser(
        self, connect: Connect, ada: User, settings: Settings
    ) -> None:
        headers = await self.as_ada(ada)
        before = await database_sync_to_async(lambda: list(Session.objects.values()))()
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"  # with which the browser's next request gets another session
        assert await stays_open(await self.opened(connect, *headers))
        settings.SECRET_KEY_FALLBACKS = []
        socket = await connect("/ws/dashboards/shop/?range=1h", *headers)
        assert await close_code(socket) == 4401
        assert await database_sync_to_async(lambda: list(Session.objects.values()))() == before

    async def test_a_restart_says_so(self, connect: Connect, ada: User) -> None:
        socket = await self.opened(connect, *await self.as_ada(ada))
        await hubs.hub().drain(0.01)
        assert await close_code(socket) == 1012
