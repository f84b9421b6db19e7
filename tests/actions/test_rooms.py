"""Rooms: who writes in them, numbers in the order of commits, and messages that come twice."""

import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction

from metrics.access.principal import SYSTEM, Principal, Role, of_token, of_user
from metrics.actions import logs, messages, reading, rooms
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.reading import Mark
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import Topic, room
from metrics.models import LogHead, Message, Room, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Topic, Entry]]:
    """The entries that were sent to open pages."""
    found: list[tuple[Topic, Entry]] = []
    monkeypatch.setattr(
        bus, "append", lambda sent: found.extend((topic, entry) for topic in sent for entry in sent[topic])
    )
    return found


class TestSay:
    def test_a_message_is_stored_numbered_and_sent(self, sent: list[tuple[Topic, Entry]]) -> None:
        made = rooms.create(SYSTEM, "War room")
        ada = of_user(make.user("ada"))
        assert [messages.say(ada, made.pk, f"<b>{n}</b>").number for n in (1, 2)] == [1, 2]
        assert messages.say(ada, rooms.create(SYSTEM, "Other").pk, "x").number == 1
        assert [(topic, entry["number"]) for topic, entry in sent[:2]] == [(room(made.pk), 1), (room(made.pk), 2)]
        assert sent[0][1]["data"] | {"at": 0} == {"id": 1, "kind": "message", "text": "<b>1</b>", "by": "ada", "at": 0}
        assert "&lt;b&gt;1&lt;/b&gt;" in sent[0][1]["html"]

    def test_what_is_undone_is_not_sent_and_leaves_no_gap(self, sent: list[tuple[Topic, Entry]]) -> None:
        made = rooms.create(SYSTEM, "War room")
        with suppress(ZeroDivisionError), transaction.atomic():
            messages.say(SYSTEM, made.pk, "never")
            raise ZeroDivisionError
        assert sent == []
        assert messages.say(SYSTEM, made.pk, "one").number == 1

    def test_the_same_client_id_is_the_same_message(self, sent: list[tuple[Topic, Entry]]) -> None:
        made = rooms.create(SYSTEM, "War room")
        ada, bob = of_user(make.user("ada")), of_user(make.user("bob"))
        first = messages.say(ada, made.pk, "one", "c-1")
        assert messages.say(ada, made.pk, "changed", "c-1") == first
        assert messages.say(bob, made.pk, "two", "c-1").number == 2
        assert (Message.objects.count(), len(sent)) == (2, 2)

    @pytest.mark.parametrize("text", ["", "  \n", "x" * 4001, "a\x00", "\ud800"])
    def test_what_can_not_be_is_refused(self, text: str) -> None:
        made = rooms.create(SYSTEM, "War room")
        with pytest.raises(Invalid) as refused:
            messages.say(SYSTEM, made.pk, text)
        assert (refused.value.field, Message.objects.count()) == ("text", 0)

    def test_who_may(self) -> None:
        ops = make.team("ops")
        closed = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]})
        vera, vic = make.user("vera"), make.user("vic")
        vic.groups.add(ops)
        with pytest.raises(Missing):
            messages.say(of_user(vera), closed.pk, "x")
        assert messages.say(of_user(vic), closed.pk, "x").by == "user vic"
        shown = rooms.create(SYSTEM, "Shown by ops", {"everyone": True, "teams": ["ops"]})
        assert messages.say(of_user(vera), shown.pk, "x").number == 1
        make.token("reader", "read")
        with pytest.raises(Forbidden, match="make one with the scope edit"):
            messages.say(of_token(Token.objects.get(name="reader")), shown.pk, "x")


class TestClosing:
    def test_closing_and_opening_are_entries_that_open_pages_follow(self, sent: list[tuple[Topic, Entry]]) -> None:
        made = rooms.create(SYSTEM, "War room")
        messages.say(SYSTEM, made.pk, "one")
        rooms.close(SYSTEM, made.pk)
        rooms.close(SYSTEM, made.pk)  # which changes nothing
        assert [(topic, entry["number"]) for topic, entry in sent] == [(room(made.pk), 1), (room(made.pk), 2)]
        assert sent[1][1]["data"] == {"id": 2, "kind": "room", "closed": True, "text": rooms.CLOSED}
        assert rooms.CLOSED in sent[1][1]["html"]
        assert (sent[1][1]["target"], sent[1][1]["swap"]) == ("room-state", "outerMorph")
        rooms.change(SYSTEM, made.pk, {"closed": False, "keep_days": 3})
        assert messages.say(SYSTEM, made.pk, "two").number == 4
        after_a_break = [(one["number"], one["data"].get("closed")) for one in messages.entries(made.pk, 0, 9, 9)]
        assert after_a_break == [(1, None), (3, False), (4, None)], "the newest state alone"


class TestReading:
    def test_pages_go_back_in_order(self) -> None:
        made = rooms.create(SYSTEM, "War room")
        for n in range(1, 8):
            messages.say(SYSTEM, made.pk, str(n))
        for before, expected in ((None, [5, 6, 7]), (5, [2, 3, 4]), (2, [1])):
            assert [one.number for one in messages.history(SYSTEM, made.pk, before, 3)] == expected
        assert [one["number"] for one in messages.entries(made.pk, 4, 9, 2)] == [5, 6]

    def test_a_room_that_is_removed_takes_what_was_said_along(self) -> None:
        made = rooms.create(SYSTEM, "War room")
        messages.say(SYSTEM, made.pk, "x")
        with pytest.raises(Forbidden):
            rooms.delete(Principal("user", "user vera", Role.VIEWER, 9), made.pk)
        rooms.delete(SYSTEM, made.pk)
        assert not Room.objects.exists()
        assert not Message.objects.exists()

    @pytest.mark.parametrize("title", ["", " ", "x" * 101, "a\x00"])
    def test_a_title_that_can_not_be_is_refused(self, title: str) -> None:
        with pytest.raises(Invalid) as refused:
            rooms.create(SYSTEM, title)
        assert refused.value.field == "title"


class TestNumbers:
    @pytest.mark.django_db(transaction=True)
    def test_they_are_given_in_a_transaction_only(self) -> None:
        with pytest.raises(RuntimeError):
            logs.take_numbers({room(1): 1})

    def test_the_newest_of_many_is_one_query(self, django_assert_num_queries: Any) -> None:
        assert logs.take_numbers({room(1): 2, room(2): 1}) == {room(1): (2, 2), room(2): (1, 1)}
        assert logs.take_number_of_change(room(1)) == 3
        assert logs.take_numbers({room(1): 1, room(3): 2}) == {room(1): (4, 3), room(3): (2, 2)}
        with django_assert_num_queries(1):
            assert logs.newest([room(1), room(2), room(4)]) == {room(1): 4, room(2): 1, room(4): 0}


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_get_numbers_without_a_gap() -> None:
    made = rooms.create(SYSTEM, "War room")
    failed: list[Exception] = []

    def write() -> None:
        try:
            for n in range(10):
                messages.say(SYSTEM, made.pk, str(n))
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [one.number for one in Message.objects.order_by("pk")] == list(range(1, 41))
    assert LogHead.objects.get(topic=str(room(made.pk))).newest == 40


@pytest.mark.django_db(transaction=True)
def test_a_room_is_removed_with_what_is_being_said_in_it() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one writes at a time")
    made, errors = rooms.create(SYSTEM, "War room"), list[Exception]()

    def remove() -> None:
        try:
            rooms.delete(SYSTEM, made.pk)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=remove)
    with transaction.atomic(), connection.cursor() as cursor:
        messages.say(SYSTEM, made.pk, "one")
        thread.start()
        waiting = 0
        while not waiting and thread.is_alive():
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()
    thread.join(30)
    assert errors == []
    assert not Room.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_says_something_while_a_page_tells_what_they_read_has_read_their_own_words() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one writes at a time")
    grace, ada = of_user(make.user("grace")), of_user(make.user("ada"))
    made, errors = rooms.create(SYSTEM, "War room"), list[Exception]()
    for by in (ada, grace, SYSTEM):
        messages.say(by, made.pk, "hello")

    def tell() -> None:
        try:
            reading.mark([Mark(by.pk or 0, made.pk, 3) for by in (grace, ada)])
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=tell)
    with transaction.atomic(), connection.cursor() as cursor:
        messages.say(ada, made.pk, "I look at it")
        thread.start()
        waiting = 0
        while not waiting and thread.is_alive():
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (waiting,) = cursor.fetchone()
            time.sleep(0.01)
    thread.join(30)
    assert waiting
    assert errors == []
    assert [reading.number_read(by.pk or 0, made.pk) for by in (ada, grace)] == [4, 3]
