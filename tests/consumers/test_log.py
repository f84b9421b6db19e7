"""Logs over sockets: every entry in order, whatever is lost on the way; and elements for the tabs of one person."""

import asyncio
import json
import re
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from redis import RedisError

from consumers import access_recheck, log_stream
from consumers import hub as hubs
from consumers.limits import MESSAGES_PER_S
from metrics.access import tickets
from metrics.access.principal import SYSTEM
from metrics.actions import messages, notifications, rooms
from metrics.actions.messages import Draft
from metrics.live import bus
from metrics.live.bus import RECHECK, Addressee, Recheck
from metrics.live.topic import ROOM, room
from metrics.models import Message, NotificationSettings, Room, Token
from tests import make
from tests.consumers.test_dashboard import HOST, Connect, Socket, close_code, connect, cookie_of

__all__ = ["connect"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

ORIGIN = (b"origin", b"http://" + HOST[1])


@pytest.fixture
def ada() -> User:
    return make.user("ada")


@pytest.fixture
def war(ada: User) -> Room:
    return rooms.create(SYSTEM, "War room")


async def say(to: Room, text: str) -> None:
    await database_sync_to_async(messages.say)(SYSTEM, to.pk, text)


async def read(socket: Socket) -> dict[str, Any]:
    event = await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
    assert event["type"] == "websocket.send", event
    return dict(json.loads(event["text"]))


async def ids(socket: Socket, count: int) -> list[int]:
    """Return the numbers of the next entries; who is in the room is told between them."""
    found: list[int] = []
    while len(found) < count:
        one = await read(socket)
        assert one["type"] in ("entry", "values")
        found += [one["id"]] if one["type"] == "entry" else []
    return found


async def open_page(connect: Connect, ada: User, path: str) -> Socket:
    """Return the socket of a page, which follows its topic by then: what it asks is answered behind that."""
    socket = await connect(path, await database_sync_to_async(cookie_of)(ada), ORIGIN)
    await socket.send_to(text_data='{"ping": 1}')
    assert '"pong"' in (await socket.receive_output(timeout=5))["text"]  # type: ignore[no-untyped-call]
    return socket


async def open_json(connect: Connect, ada: User, path: str, query: str = "") -> Socket:
    cookie = await database_sync_to_async(cookie_of)(ada)
    socket = await connect(f"{path}?format=json{query}", cookie, ORIGIN)
    assert (await read(socket))["type"] == "hello"
    return socket


async def test_what_is_said_comes_to_everyone_and_after_a_break_nothing_is_missing(
    connect: Connect, ada: User, war: Room
) -> None:
    path = f"/ws/rooms/{war.pk}/"
    for n in range(3):
        await say(war, str(n))
    now, again, all_ = [await open_json(connect, ada, path, query) for query in ("", "&after=1", "&after=0")]
    assert await ids(again, 2) == [2, 3]
    assert await ids(all_, 3) == [1, 2, 3]
    await say(war, "four")
    entry = await read(now)
    assert entry | {"at": 0} == {
        "type": "entry", "id": 4, "kind": "message", "text": "four", "by": "watchfloor", "at": 0,
    }  # fmt: skip
    assert await ids(again, 1) == await ids(all_, 1) == [4]


async def test_a_page_gets_what_came_at_once_in_one_frame_and_a_program_one_by_one(
    connect: Connect, ada: User, war: Room
) -> None:
    program = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    page = await open_page(connect, ada, f"/ws/rooms/{war.pk}/")
    drafts = [Draft(SYSTEM, war.pk, str(n)) for n in range(log_stream.BATCH_MOST + 3)]
    await say(war, "alone")
    await database_sync_to_async(messages.say_all)(drafts)
    await say(war, "the last")
    count = len(drafts) + 2
    assert await ids(program, count) == list(range(1, count + 1))
    frames: list[list[int]] = []
    while not frames or frames[-1] != [count]:
        event = await page.receive_output(timeout=5)  # type: ignore[no-untyped-call]
        frames += [found] if (found := [int(id) for id in re.findall(r'<article id="m-(\d+)"', event["text"])]) else []
    most = log_stream.BATCH_MOST
    assert frames == [[1], list(range(2, most + 2)), list(range(most + 2, count)), [count]]


async def test_an_entry_that_was_lost_on_the_way_is_read_before_the_next(
    connect: Connect, ada: User, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    with monkeypatch.context() as lost:
        lost.setattr(bus, "append", lambda *_: None)
        await say(war, "one")
        await say(war, "two")
    await say(war, "three")
    assert await ids(socket, 3) == [1, 2, 3]


async def test_who_comes_back_from_another_process_with_more_than_this_one_knows_gets_nothing_twice(
    connect: Connect, ada: User, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/ws/rooms/{war.pk}/"
    await open_json(connect, ada, path)
    with monkeypatch.context() as lost:
        lost.setattr(bus, "append", lambda *_: None)
        await say(war, "one")
        await say(war, "two")
    came_back, odd = [await open_json(connect, ada, path, f"&after={after}") for after in (2, 10**12)]
    await say(war, "three")
    assert [await ids(socket, 1) for socket in (came_back, odd)] == [[3], [3]]


async def test_viewers_in_step_read_on_together(
    connect: Connect, ada: User, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = [await open_json(connect, ada, f"/ws/rooms/{war.pk}/") for _ in range(5)]
    read_, reads = log_stream.LOGS[ROOM], []
    monkeypatch.setitem(log_stream.LOGS, ROOM, lambda *asked: reads.append(asked) or read_(*asked))  # type: ignore[func-returns-value]
    with monkeypatch.context() as lost:
        lost.setattr(bus, "append", lambda *_: None)
        await say(war, "one")
    await say(war, "two")
    assert [await ids(socket, 2) for socket in sockets] == [[1, 2]] * 5
    assert len(reads) == 1


async def test_one_that_no_later_one_tells_of_is_found_by_comparing(
    connect: Connect, ada: User, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    monkeypatch.setattr(bus, "append", lambda *_: None)
    await say(war, "one")
    hubs.hub().logs._compared = -1e9
    await hubs.hub()._round()
    assert await ids(socket, 1) == [1]


async def test_after_redis_was_away_it_is_subscribed_anew_and_nothing_is_missing(
    connect: Connect, ada: User, war: Room
) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    hub = hubs.hub()
    hub._starve(RedisError("away"))
    await say(war, "one")
    await hub._round()
    assert hub.logs.streams[room(war.pk)].subscribed
    await say(war, "two")
    assert await ids(socket, 2) == [1, 2]


async def test_hundreds_are_read_on_while_others_come(connect: Connect, ada: User, war: Room) -> None:
    for n in range(250):
        await say(war, str(n))
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/", "&after=0")
    reading = asyncio.create_task(ids(socket, 270))
    for n in range(20):
        await say(war, str(n))
    assert await reading == list(range(1, 271))


async def test_a_slow_viewer_is_written_no_more_than_may_wait_for_it_and_misses_nothing(
    connect: Connect, ada: User, war: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(war, "1")
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/", "&after=0")
    assert await ids(socket, 1) == [1]
    stream = hubs.hub().logs.streams[room(war.pk)]
    (viewer,) = stream.viewers
    monkeypatch.setattr(log_stream, "LOOKS_EVERY_S", 0)
    with monkeypatch.context() as full:
        full.setattr(type(viewer.outlet), "waiting_bytes", lambda _: log_stream.WAITING_BYTES_MOST + 1)
        await say(war, "2")
        await say(war, "3")
        while stream.newest < 3:  # noqa: ASYNC110 (it comes over Redis)
            await asyncio.sleep(0)
        assert viewer.sent == 1
    assert await ids(socket, 2) == [2, 3]


async def test_a_program_writes_and_hears_itself(connect: Connect, ada: User, war: Room) -> None:
    secret = await database_sync_to_async(make.token)("bot", "edit")
    socket = await connect(f"/ws/rooms/{war.pk}/?format=json", (b"authorization", f"Bearer {secret}".encode()))
    await read(socket)
    await socket.send_to(text_data=json.dumps({"say": "hello", "client_id": "c-1"}))
    await socket.send_to(text_data=json.dumps({"say": "hello", "client_id": "c-1"}))
    await socket.send_to(text_data=json.dumps({"say": " ", "client_id": "c-2"}))
    refused, said = sorted([await read(socket), await read(socket)], key=lambda one: "text" in one)
    assert said["text"] == "hello"
    assert refused == {"type": "error", "error": "text: a message has 1 to 4000 characters.", "client_id": "c-2"}


async def test_what_is_wrong_is_answered_to_its_sender_and_the_socket_stays(
    connect: Connect, ada: User, war: Room
) -> None:
    path = f"/ws/rooms/{war.pk}/"
    socket, other = [await open_json(connect, ada, path) for _ in range(2)]
    await say(war, "one")
    assert await ids(socket, 1) == await ids(other, 1) == [1]
    for sent, error in (
        ("nonsense", "A message is"),
        ("[1]", "A message is"),
        ("[" * 9000, "A message is"),
        ('{"say": 1}', "say and client_id are texts"),
        ('{"say": "x", "reply_to": "1"}', "reply_to: it is the number"),
        ('{"say": "x", "reply_to": 7}', "reply_to: there is no message 7"),
        ('{"say": "", "files": "x"}', "files are the keys"),
        ('{"say": "", "files": []}', "text: a message has 1 to 4000"),
        ('{"say": "", "files": ["none"]}', "files: one of them was not uploaded by you"),
        (json.dumps({"say": "x" * 4001}), "text: a message has 1 to 4000"),
        (json.dumps({"say": "x" * 40_000}), "A message is text of at most"),
        ('{"edit": 1, "text": "mine"}', "Only its author"),
        ('{"edit": 9, "text": "x"}', "There is no message 9"),
        ('{"edit": true, "text": "x"}', "edit: it is the number"),
        ('{"delete": 1}', "Only its author"),
        ('{"react": 1, "emoji": "x"}', "emoji: a reaction is one emoji"),
        ('{"react": 99999999999999999999, "emoji": "👍"}', "react: it is the number"),
    ):
        await socket.send_to(text_data=sent)
        while (answer := await read(socket))["type"] == "values":
            pass  # who is in the room, on a slow machine
        assert answer["type"] == "error"
        assert answer["error"].startswith(error)
    await socket.send_to(text_data='{"react": 1, "emoji": "👍"}')
    assert (await read(socket))["reactions"] == {"👍": ["ada"]}
    assert await ids(other, 1) == [2]
    await database_sync_to_async(rooms.close)(SYSTEM, war.pk)
    await socket.send_to(text_data='{"say": "x", "client_id": "c"}')
    closed = "This room was closed: nobody writes in it any more."
    assert await read(socket) == {"type": "entry", "id": 3, "kind": "room", "closed": True, "text": closed}
    assert await read(socket) == {"type": "error", "error": closed, "client_id": "c"}


async def test_a_flood_is_answered_and_one_that_goes_on_closes(connect: Connect, ada: User, war: Room) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    for _ in range(80):
        await socket.send_to(text_data='{"ack": 1}')
    assert await read(socket) == {"type": "error", "error": "Too many messages."}
    for _ in range(200):
        await socket.send_to(text_data='{"ack": 1}')
    found = [await socket.receive_output(timeout=5)]  # type: ignore[no-untyped-call]
    while found[-1]["type"] == "websocket.send":
        found.append(await socket.receive_output(timeout=5))  # type: ignore[no-untyped-call]
    assert {json.loads(one["text"])["error"] for one in found[:-1]} == {"Too many messages."}
    assert found[-1] == {"type": "websocket.close", "code": 1008}


async def test_a_program_is_greeted_and_its_pings_are_answered(connect: Connect, war: Room) -> None:
    secret = await database_sync_to_async(make.token)("bot", "read")
    socket = await connect(f"/ws/rooms/{war.pk}/?format=json", (b"authorization", f"Bearer {secret}".encode()))
    hello = await read(socket)
    assert hello | {"time": 0, "limits": {}} == {
        "type": "hello", "topic": f"room.{war.pk}", "newest": 0, "time": 0, "limits": {},
    }  # fmt: skip
    assert hello["limits"]["messages_per_second"] == MESSAGES_PER_S
    await socket.send_to(text_data='{"ping": NaN}')
    assert (await read(socket))["type"] == "error"
    for ping in (7, "a"):
        await socket.send_to(text_data=json.dumps({"ping": ping}))
        assert await read(socket) | {"time": 0} == {"type": "pong", "ping": ping, "time": 0}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/ws/rooms/1/", "token={}"),
        ("/ws/rooms/1/", "access_token=x"),
        ("/ws/notifications/", "wf=%77f_1"),
        ("/ws/dashboards/shop/", "range=1h&secret={}"),
        ("/ws/dashboards/shop/", "{}"),
        ("/ws/nothing/", "ticket={}"),
    ],
)
async def test_a_token_in_the_address_is_refused_with_what_to_do_instead(
    connect: Connect, path: str, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = await database_sync_to_async(make.token)("bot", "admin")
    socket = await connect(f"{path}?format=json&{query.format(secret)}")
    error = await read(socket)
    assert error["type"] == "error"
    assert "header Authorization" in error["error"]
    assert "ticket" in error["error"]
    assert await close_code(socket) == 4401
    assert secret not in caplog.text


async def test_a_page_gets_html(connect: Connect, ada: User, war: Room) -> None:
    cookie = await database_sync_to_async(cookie_of)(ada)
    socket = await connect(f"/ws/rooms/{war.pk}/?after=0", cookie, ORIGIN)
    await say(war, "<script>")
    event = await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
    assert event["text"].startswith('<hx-partial hx-target="#log" hx-swap="beforeend"><article id="m-1"')
    assert "<script>" not in event["text"]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/ws/rooms/987654321/?format=json", 4404), ("/ws/rooms/{war}/?format=xml", 4404), ("/ws/rooms/{closed}/", 4404)],
)
async def test_what_is_not_for_them_is_not_there(connect: Connect, ada: User, war: Room, path: str, code: int) -> None:
    closed = await database_sync_to_async(rooms.create)(SYSTEM, "Closed", {"everyone": False})
    cookie = await database_sync_to_async(cookie_of)(ada)
    assert await close_code(await connect(path.format(war=war.pk, closed=closed.pk), cookie, ORIGIN)) == code


async def test_what_somebody_may_do_follows_their_role_while_the_socket_stays(
    connect: Connect, ada: User, war: Room
) -> None:
    ada.is_staff = True
    await database_sync_to_async(ada.save)()
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    await say(war, "of somebody else")
    ada.is_staff = False
    await database_sync_to_async(ada.save)()
    doubt = Recheck(type=RECHECK, user=ada.pk, dashboard=None)
    assert [one async for one in access_recheck.refused(hubs.hub().viewers(), doubt)] == []
    await socket.send_input({"type": "websocket.receive", "text": '{"delete": 1}'})  # type: ignore[no-untyped-call]
    while (answer := await read(socket))["type"] != "error":
        assert not answer.get("deleted")
    assert answer["delete"] == 1
    assert not await Message.objects.exclude(deleted_at=None).aexists()


async def test_a_room_that_is_removed_closes(connect: Connect, ada: User, war: Room) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    await database_sync_to_async(rooms.delete)(SYSTEM, war.pk)
    assert await close_code(socket) == 4404


async def test_notifications_of_a_person_are_a_log_of_theirs_alone(connect: Connect, ada: User) -> None:
    bob = await database_sync_to_async(make.user)("bob")
    hers, his = [await open_json(connect, who, "/ws/notifications/", "&after=0") for who in (ada, bob)]
    tell = database_sync_to_async(notifications.notify)
    await tell(SYSTEM, "user:ada", "deploy", "Shop 1.2")
    await tell(SYSTEM, "everyone", "deploy", "Shop 1.3")
    assert await ids(hers, 2) == [1, 2]
    assert (await read(his))["text"] == "Shop 1.3"
    secret = await database_sync_to_async(make.token)("bot", "edit")
    nobodys = await connect("/ws/notifications/?format=json", (b"authorization", f"Bearer {secret}".encode()))
    assert await close_code(nobodys) == 4404


async def sent_until_quiet(socket: Socket) -> str:
    """Return all that the socket is sent, up to a pause."""
    found = ""
    for _ in range(20):
        if await socket.receive_nothing(timeout=0.1):
            return found
        event = await socket.receive_output(timeout=5)  # type: ignore[no-untyped-call]
        found += event.get("text", "")
    return found


async def test_every_tab_of_a_person_and_no_other_gets_what_is_for_them(connect: Connect, ada: User) -> None:
    await database_sync_to_async(make.dashboard)()
    bob = await database_sync_to_async(make.user)("bob")
    hers, his = [await database_sync_to_async(cookie_of)(who) for who in (ada, bob)]
    tab = await connect("/ws/dashboards/shop/?range=1h&personal=1", hers, ORIGIN)
    page = await connect("/ws/notifications/?personal=1", hers, ORIGIN)
    wall = await connect("/ws/dashboards/shop/?range=1h", hers, ORIGIN)
    others = await connect("/ws/notifications/?personal=1", his, ORIGIN)
    async with asyncio.timeout(5):
        while len(hubs.hub().viewers()) < 4:  # noqa: ASYNC110 (a socket that joined has no event)
            await asyncio.sleep(0.01)
    await hubs.hub()._round()
    await asyncio.to_thread(bus.send_to, bus.Person(ada.pk), "bell", "outerMorph", "<i id=rung></i>")
    expected = '<hx-partial hx-target="#bell" hx-swap="outerMorph"><i id=rung></i></hx-partial>'
    for socket in (tab, page):
        assert expected in await sent_until_quiet(socket)
    for socket in (others, wall):
        assert "rung" not in await sent_until_quiet(socket)
    await database_sync_to_async(notifications.notify)(SYSTEM, "user:ada", "deploy", "Shop <1.2>")
    for socket in (tab, page):
        seen = await sent_until_quiet(socket)
        assert 'hx-target="#bell" hx-swap="outerMorph"><a id="bell"' in seen
        assert 'data-unread="1"' in seen
        assert 'hx-target="#toasts" hx-swap="beforeend"><article class="toast"' in seen
        assert "Shop &lt;1.2&gt;" in seen
    for socket in (others, wall):
        assert await sent_until_quiet(socket) == ""


async def test_what_is_quiet_is_counted_alone_and_an_older_count_comes_too_late(connect: Connect, ada: User) -> None:
    await NotificationSettings.objects.acreate(user=ada, silent_kinds=["deploy"])
    page = await connect("/ws/notifications/?personal=1", await database_sync_to_async(cookie_of)(ada), ORIGIN)
    async with asyncio.timeout(5):
        while not hubs.hub().viewers():  # noqa: ASYNC110 (a socket that joined has no event)
            await asyncio.sleep(0.01)
    await database_sync_to_async(notifications.notify)(SYSTEM, "user:ada", "deploy", "Shop 1.2")
    seen = await sent_until_quiet(page)
    assert 'data-unread="1"' in seen
    assert "toast" not in seen
    for number, unread in ((3, 3), (2, 2)):
        await asyncio.to_thread(bus.notify, [Addressee(ada.pk, number, unread, True)], f"<i>{number}</i>", {})
    seen = await sent_until_quiet(page)
    assert [f"<i>{number}</i>" in seen for number in (2, 3)] == [True, True]
    assert 'data-unread="3"' in seen
    assert 'data-unread="2"' not in seen


async def test_a_page_that_was_loaded_before_is_told_what_is_unread(connect: Connect, ada: User) -> None:
    await database_sync_to_async(notifications.notify)(SYSTEM, "user:ada", "deploy", "Shop 1.2")
    page = await connect("/ws/notifications/?personal=1", await database_sync_to_async(cookie_of)(ada), ORIGIN)
    async with asyncio.timeout(5):
        while not hubs.hub().viewers():  # noqa: ASYNC110 (a socket that joined has no event)
            await asyncio.sleep(0.01)
    await hubs.hub()._round()
    assert 'data-unread="1"' in await sent_until_quiet(page)
    await hubs.hub()._round()
    assert await sent_until_quiet(page) == "", "nothing changed"


async def test_topics_that_nobody_follows_any_more_are_let_go(connect: Connect, ada: User, war: Room) -> None:
    socket = await open_json(connect, ada, f"/ws/rooms/{war.pk}/")
    assert list(hubs.hub().logs.streams) == [room(war.pk)]
    await socket.disconnect()
    hubs.hub()._empty_since[room(war.pk)] -= hubs.LINGER_S
    await hubs.hub()._close_unwatched()
    assert not hubs.hub().logs.streams


class TestTicket:
    """A ticket opens the socket that it is for, once."""

    @staticmethod
    def issue(scope: str, path: str) -> str:
        make.token("bot", scope)
        return tickets.issue(Token.objects.get(name="bot"), path)

    async def test_it_stands_for_its_token_once(self, connect: Connect, war: Room) -> None:
        path = f"/ws/rooms/{war.pk}/"
        ticket = await database_sync_to_async(self.issue)("edit", path)
        socket = await connect(f"{path}?format=json&ticket={ticket}")
        assert (await read(socket))["type"] == "hello"
        await socket.send_to(text_data=json.dumps({"say": "hello"}))
        assert (await read(socket))["by"] == "token bot"
        assert await close_code(await connect(f"{path}?format=json&ticket={ticket}")) == 4401
        await database_sync_to_async(make.revoke_token)("bot")
        assert await close_code(socket) == 4401

    async def test_it_opens_no_other_socket(self, connect: Connect, war: Room) -> None:
        ticket = await database_sync_to_async(self.issue)("edit", "/ws/rooms/987654321/")
        assert await close_code(await connect(f"/ws/rooms/{war.pk}/?format=json&ticket={ticket}")) == 4401

    @pytest.mark.parametrize("ticket", ["", "x", "%00", "x" * 5000])
    async def test_nonsense_opens_nothing(self, connect: Connect, war: Room, ticket: str) -> None:
        assert await close_code(await connect(f"/ws/rooms/{war.pk}/?ticket={ticket}")) in (4401, 4403)


async def test_what_somebody_reads_in_one_tab_is_read_in_all(connect: Connect, ada: User, war: Room) -> None:
    tab = await open_page(connect, ada, "/ws/notifications/?personal=1")
    room = await open_page(connect, ada, f"/ws/rooms/{war.pk}/?after=0")
    await say(war, "one")
    await say(war, "two")
    assert "one" in await sent_until_quiet(room)
    for number, left in ((1, "1"), (2, ""), (1, None)):
        await room.send_to(text_data=json.dumps({"read": number}))
        assert "error" not in await sent_until_quiet(room)
        await hubs.hub()._round()
        seen = await sent_until_quiet(tab)
        assert ('id="unread"' in seen, "<b>1</b>" in seen) == (left is not None, left == "1")
