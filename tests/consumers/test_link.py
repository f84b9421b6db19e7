"""The socket of a page that a link opened: what it is let in to, and how it ends with the link."""

import asyncio
import math
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from consumers import hub as hubs
from metrics.access.links import cookie_of
from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, links
from metrics.models import Link
from tests import make
from tests.consumers.test_dashboard import Connect, Socket, _no_workers, close_code, connect, first

__all__ = ["_no_workers", "connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

ORIGIN = (b"origin", b"http://ops.example:8000")
VARIABLES = [{"name": "host", "values": ["a", "b"], "default": ["a"]}]

Made = tuple[Link, tuple[bytes, bytes]]


def made(**given: Any) -> Made:
    """Return a link and the cookie of a browser that entered by it."""
    link, secret = links.create(SYSTEM, "shop", "lobby", **given)
    return link, (b"cookie", f"{cookie_of(link.pk)}={secret}".encode())


@pytest.fixture
async def fixed() -> Made:
    """A link to a dashboard in one range, and with one value of its variable, which is the default."""

    def make_all() -> Made:
        make.dashboard("other")
        make.dashboard("shop")
        dashboards.change(SYSTEM, "shop", {"variables": VARIABLES}, None)
        return made(range="1h", values={"host": ["a"]})

    found: Made = await database_sync_to_async(make_all)()
    return found


async def ask(
    connect: Connect, link: Link | int, *headers: tuple[bytes, bytes], query: str = "range=1h", slug: str = "shop"
) -> Socket:
    id = link.pk if isinstance(link, Link) else link
    return await connect(f"/ws/dashboards/{slug}/?{query}&link={id}", *headers)


async def test_it_gets_frames_of_what_it_is_for_and_counts_as_watching(connect: Connect, fixed: Made) -> None:
    link, cookie = fixed
    for query in ("range=1h", "range=1h&var-host=a", "range=1h&format=json"):
        assert (await first(await ask(connect, link, cookie, ORIGIN, query=query)))["type"] == "websocket.send"
    await hubs.hub()._round()
    _, listed = await database_sync_to_async(links.listed)(SYSTEM, "shop")
    assert [one.watch for one in listed] == [3]


async def test_all_else_is_refused(connect: Connect, fixed: Made) -> None:
    link, cookie = fixed
    evil = (b"origin", b"https://portal.example.com")  # also of a site whose pages may show it in a frame
    for code, id, headers, asked in (
        (4404, link, (cookie, ORIGIN), {"query": "range=6h"}),
        (4404, link, (cookie, ORIGIN), {"query": "range=1h&var-host=b"}),
        (4404, link, (cookie, ORIGIN), {"query": "range=1h&var-host=*"}),
        (4404, link, (cookie, ORIGIN), {"slug": "other"}),
        (4404, link, (cookie, ORIGIN), {"slug": "nothing"}),
        (4410, link.pk + 1, (cookie, ORIGIN), {}),
        (4410, link, (ORIGIN,), {}),
        (4403, link, (cookie, evil), {}),
        (4403, link, (cookie,), {}),
    ):
        assert await close_code(await ask(connect, id, *headers, **asked)) == code, (headers, asked)
    for path in (f"/ws/rooms/1/?link={link.pk}", f"/ws/notifications/?link={link.pk}"):
        assert await close_code(await connect(path, cookie, ORIGIN)) == 4404
    assert await close_code(await connect("/ws/dashboards/shop/?range=1h&link=\u00b2", cookie, ORIGIN)) == 4410
    assert await close_code(await connect("/ws/dashboards/shop/?range=1h", cookie, ORIGIN)) == 4401


async def test_it_ends_with_the_link(connect: Connect, fixed: Made) -> None:
    link, cookie = fixed
    socket = await ask(connect, link, cookie, ORIGIN)
    await first(socket)
    await database_sync_to_async(links.revoke)(SYSTEM, "shop", link.pk)
    assert await close_code(socket) == 4410
    assert await close_code(await ask(connect, link, cookie, ORIGIN)) == 4410


async def test_it_ends_when_the_link_or_the_token_expires(connect: Connect, fixed: Made) -> None:
    def expiring() -> tuple[Made, str]:
        links.revoke(SYSTEM, "shop", fixed[0].pk)
        return made(expires_at=timezone.now() + timedelta(hours=1)), make.token("job", "read")

    (link, cookie), secret = await database_sync_to_async(expiring)()
    socket = await ask(connect, link, cookie, ORIGIN)
    token = await connect("/ws/dashboards/shop/?range=1h", (b"authorization", f"Bearer {secret}".encode()))
    await first(socket)
    await first(token)
    ends = {viewer.who.by.kind: viewer.who.until for _, viewer in hubs.hub().viewers()}
    assert ends == {"link": link.expires_at.timestamp() if link.expires_at else 0, "token": math.inf}
    for _, viewer in hubs.hub().viewers():
        viewer.who = viewer.who._replace(until=1.0)
    await hubs.hub()._round()
    assert await close_code(socket) == 4410
    assert await close_code(token) == 4401


@pytest.mark.parametrize(
    "variables", [[{"name": "host", "values": ["a", "b"], "default": ["b"]}], [{"name": "machine", "values": ["a"]}]]
)
async def test_another_default_does_not_show_it_other_values(connect: Connect, fixed: Made, variables: Any) -> None:
    link, cookie = fixed
    socket = await ask(connect, link, cookie, ORIGIN)
    await first(socket)
    await database_sync_to_async(dashboards.change)(SYSTEM, "shop", {"variables": variables}, None)
    assert await asyncio.wait_for(close_code(socket), 10) == 4404
