"""Presence: who is in a room and who types, once a round, each by name once, over all processes."""

import asyncio
import json
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from consumers import hub as hubs
from consumers import presence as consumers_presence
from metrics.access.principal import SYSTEM
from metrics.actions import presence, rooms
from metrics.live.presence import Here, Presence
from metrics.live.topic import room
from metrics.live.watchers import LAPSE_S, renew
from metrics.models import Room
from metrics.redis_state.round_trip import gather
from tests import make
from tests.consumers.test_dashboard import Connect, Socket, connect, cookie_of
from tests.consumers.test_log import ORIGIN, read, sent_until_quiet

__all__ = ["connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def war() -> Room:
    return rooms.create(SYSTEM, "War room")


async def program(connect: Connect, war: Room, name: str) -> Socket:
    secret = await database_sync_to_async(make.token)(name, "edit")
    socket = await connect(f"/ws/rooms/{war.pk}/?format=json", (b"authorization", f"Bearer {secret}".encode()))
    assert (await read(socket))["type"] == "hello"
    return socket


async def page(connect: Connect, war: Room, cookie: Any) -> Socket:
    socket = await connect(f"/ws/rooms/{war.pk}/?after=0", cookie, ORIGIN)
    async with asyncio.timeout(5):
        while not any(not viewer.as_json for _, viewer in hubs.hub().viewers()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return socket


async def told(socket: Socket) -> dict[str, Any]:
    await hubs.hub()._round()
    found = await read(socket)
    assert found["type"] == "values"
    return found


async def test_everyone_is_named_once_and_told_of_changes_alone(connect: Connect, war: Room) -> None:
    cookie = await database_sync_to_async(lambda: cookie_of(make.user("ada")))()
    bot = await program(connect, war, "bot")
    tabs = [await page(connect, war, cookie) for _ in range(2)]
    everyone = {"type": "values", "here": ["ada", "token bot"], "count": 2, "typing": []}
    assert await told(bot) == everyone
    assert "<span>ada</span> <span>token bot</span>" in await sent_until_quiet(tabs[0])
    await hubs.hub()._round()
    assert await bot.receive_nothing(timeout=0.1), "nothing changed"
    await tabs.pop().disconnect()
    await hubs.hub()._round()
    assert await bot.receive_nothing(timeout=0.1), "another tab of hers is open"
    late = await program(connect, war, "late")
    assert (await told(late))["count"] == 3


async def test_a_crowd_is_told_less_often_and_those_who_come_at_once(
    connect: Connect, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [await program(connect, war, name) for name in ("first", "second")]
    topic, send = room(war.pk), hubs.hub().presence.send
    monkeypatch.setattr(consumers_presence, "FRAMES_PER_S", 1)  # two viewers: two seconds, three: three

    async def read_all() -> list[Any]:
        sockets = [first, second, *others]
        return [None if await one.receive_nothing(timeout=0.05) else (await read(one))["here"] for one in sockets]

    others: list[Socket] = []
    steps: list[tuple[float, str, list[Any]]] = [
        (100.0, "a", [["a"], ["a"]]),
        (101.9, "b", [None, None]),
        (102.0, "b", [["b"], ["b"]]),
        (120.0, "b", [None, None]),
        (121.0, "c", [["c"], ["c"]]),
    ]
    for at, name, expected in steps:
        send({topic: Here((name,))}, at)
        assert await read_all() == expected, (at, name)
    others.append(await program(connect, war, "third"))
    send({topic: Here(("d",))}, 122.0)
    assert await read_all() == [None, None, ["d"]]
    send({topic: Here(("d",))}, 124.0)
    assert await read_all() == [["d"], ["d"], ["d"]]


async def test_who_types_is_told_until_they_say_it_or_stop(
    connect: Connect, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await program(connect, war, "bot")
    await told(bot)

    async def type_() -> None:
        await bot.send_to(text_data='{"typing": true}')
        await bot.send_to(text_data='{"ping": 1}')
        assert (await read(bot))["type"] == "pong"
        assert (await told(bot))["typing"] == ["token bot"]

    await type_()
    await bot.send_to(text_data=json.dumps({"say": "done"}))
    assert (await read(bot))["type"] == "entry"
    assert (await told(bot))["typing"] == []
    await type_()
    monkeypatch.setattr(consumers_presence, "TYPES_FOR_S", 0.0)
    assert (await told(bot))["typing"] == []


async def test_processes_add_up_and_one_that_is_gone_does_not_count() -> None:
    topic, now = room(1), time.time()

    async def look(process: str, here: Here, at: float) -> Here:
        _, found = await gather(renew(process, [], [], 1, at), made[process].exchange({topic: here}, at))
        merged: Here = found[topic]
        return merged

    made = {name: Presence(name) for name in ("one", "two")}
    assert await look("one", Here(("ada", "bob"), ("ada",)), now) == Here(("ada", "bob"), ("ada",))
    assert await look("two", Here(("bob", "Cyd"), ()), now) == Here(("ada", "bob", "Cyd"), ("ada",))
    later = now + LAPSE_S + 1
    assert await look("two", Here(("Cyd",), ()), later) == Here(("Cyd",), ())
    await look("two", Here(("Cyd",), ()), later)
    assert made["two"]._dead == [], "its field was removed"


def test_a_crowd_is_counted_and_typists_are_a_sentence() -> None:
    crowd = Here(tuple(f"n{number:03}" for number in range(1000)), ("a", "b", "c", "d", "e"))
    shown = presence.view(7, crowd)
    assert (len(shown.names), shown.more, shown.count) == (30, 970, 1000)
    html = presence.fragment(room(7), crowd)
    assert 'href="/rooms/7/here/">and 970 more</a>' in html
    assert len(html) < 4000
    assert presence.document(crowd)["count"] == 1000
    assert [presence.sentence(crowd.typing[:most]) for most in (0, 1, 2, 3, 4, 5)] == [
        "",
        "a is typing …",
        "a and b are typing …",
        "a, b and c are typing …",
        "a, b, c and 1 other are typing …",
        "a, b, c and 2 others are typing …",
    ]
    assert "<script>" not in presence.fragment(room(7), Here(("<script>",), ('"><script>',)))


async def test_the_page_lists_all(connect: Connect, war: Room) -> None:
    bot = await program(connect, war, "bot")
    await told(bot)

    def visit() -> str:
        client = Client()
        user: User = make.user("ada")
        client.force_login(user)
        answer = client.get(f"/rooms/{war.pk}/here/")
        assert client.get("/rooms/987654321/here/").status_code == 404
        return answer.content.decode()

    assert "<li>token bot</li>" in await database_sync_to_async(visit)()
