"""Messages after they were said: edits, deletions, reactions, replies, mentions, and who may do that."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from metrics.access.principal import SYSTEM, Principal, of_token, of_user
from metrics.actions import mentions, message_changes, messages, notifications, rooms
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.actions.messages import Draft
from metrics.live import bus
from metrics.models import AuditEntry, Message, Notification, Room, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def war() -> Room:
    return rooms.create(SYSTEM, "War room")


@pytest.fixture
def people() -> dict[str, Principal]:
    """Somebody of each role, and a token; ada writes, bob is another viewer."""
    make.token("bot", "edit")
    return {
        "ada": of_user(make.user("ada")),
        "bob": of_user(make.user("bob")),
        "editor": of_user(make.user("eve", is_staff=True)),
        "administrator": of_user(make.admin()),
        "token": of_token(Token.objects.get(name="bot")),
    }


def edit(by: Principal, room: int, number: int) -> Message:
    return message_changes.edit(by, room, number, "two")


def react(by: Principal, room: int, number: int) -> Message:
    return message_changes.react(by, room, number, "👍")


class TestChanges:
    def test_an_edit_is_an_entry_and_the_journal_has_the_earlier_text(
        self, war: Room, people: dict[str, Principal]
    ) -> None:
        messages.say(people["ada"], war.pk, "one")
        edit(people["ada"], war.pk, 1)
        edit(people["ada"], war.pk, 1)  # which says nothing new
        (entry,) = messages.entries(war.pk, 1, 9, 9)
        assert (entry["number"], entry["target"], entry["swap"]) == (2, "m-1", "outerMorph")
        assert 'data-entry="2"' in entry["html"]
        assert 'class="edited"' in entry["html"]
        assert {**entry["data"], "at": 0, "edited_at": 0} == {
            "id": 2, "kind": "change", "message": 1, "text": "two", "by": "ada", "at": 0, "edited_at": 0,
        }  # fmt: skip
        kept = AuditEntry.objects.get(noun="message")
        assert (kept.verb, kept.by, kept.before, kept.after) == ("edit", "user ada", {"text": "one"}, {"text": "two"})

    def test_what_is_deleted_says_so_and_nothing_else(self, war: Room, people: dict[str, Principal]) -> None:
        messages.say(people["ada"], war.pk, "secret")
        react(people["bob"], war.pk, 1)
        message_changes.delete(people["ada"], war.pk, 1)
        (entry,) = messages.entries(war.pk, 1, 9, 9)
        assert "secret" not in entry["html"]
        assert "This message was deleted." in entry["html"]
        assert {name: entry["data"].get(name) for name in ("deleted", "text", "reactions")} == {
            "deleted": True, "text": "", "reactions": None,
        }  # fmt: skip
        assert AuditEntry.objects.get(verb="delete").before == {"text": "secret"}
        for change in (edit, react, message_changes.delete):
            with pytest.raises(Missing):
                change(people["ada"], war.pk, 1)

    def test_reactions_are_toggled_and_say_who(self, war: Room, people: dict[str, Principal]) -> None:
        messages.say(SYSTEM, war.pk, "one")
        for who in ("ada", "bob", "bob", "bob"):
            react(people[who], war.pk, 1)
        message_changes.react(people["ada"], war.pk, 1, "🎉", on=True)
        message_changes.react(people["ada"], war.pk, 1, "🎉", on=True)  # which changes nothing
        (entry,) = messages.entries(war.pk, 1, 99, 9)
        assert entry["number"] == 6
        assert entry["data"]["reactions"] == {"👍": ["ada", "bob"], "🎉": ["ada"]}
        assert 'data-by="user ada\nuser bob" title="ada, bob"' in entry["html"]
        assert not AuditEntry.objects.filter(noun="message").exists()

    @pytest.mark.parametrize(
        ("change", "who"),
        [
            (edit, {"ada"}),
            (message_changes.delete, {"ada", "editor", "administrator", "token"}),
            (react, {"ada", "bob", "editor", "administrator", "token"}),
        ],
    )
    def test_who_may(
        self, war: Room, people: dict[str, Principal], change: Callable[..., Message], who: set[str]
    ) -> None:
        did = set()
        for name, by in people.items():
            number = messages.say(people["ada"], war.pk, "one").number
            with suppress(Forbidden):
                change(by, war.pk, number)
                did.add(name)
        assert did == who

    def test_a_namesake_is_not_the_author(self, war: Room, people: dict[str, Principal]) -> None:
        messages.say(people["ada"], war.pk, "one")
        with pytest.raises(Forbidden):
            edit(Principal("user", "user ada", people["ada"].role, 9999), war.pk, 1)

    def test_a_closed_room_stays_as_it_is(self, war: Room, people: dict[str, Principal]) -> None:
        messages.say(people["ada"], war.pk, "one")
        rooms.close(SYSTEM, war.pk)
        for change in (edit, react):
            with pytest.raises(Invalid, match="closed"):
                change(people["ada"], war.pk, 1)

    @pytest.mark.parametrize("emoji", ["", "x", "👍👍", "<b>"])
    def test_a_reaction_is_one_emoji(self, war: Room, emoji: str) -> None:
        messages.say(SYSTEM, war.pk, "one")
        with pytest.raises(Invalid, match="one emoji"):
            message_changes.react(SYSTEM, war.pk, 1, emoji)

    def test_there_are_only_so_many_different_ones(self, war: Room) -> None:
        messages.say(SYSTEM, war.pk, "one")
        for n in range(message_changes.REACTIONS_MOST):
            message_changes.react(SYSTEM, war.pk, 1, chr(0x1F600 + n))
        with pytest.raises(Invalid, match="at most 20"):
            message_changes.react(SYSTEM, war.pk, 1, "👍")

    def test_what_two_people_say_is_in_no_journal_and_no_administrators_to_change(
        self, people: dict[str, Principal]
    ) -> None:
        room = rooms.direct(people["ada"], "bob").pk
        messages.say(people["ada"], room, "between us")
        edit(people["ada"], room, 1)
        with pytest.raises(Missing):
            message_changes.delete(people["administrator"], room, 1)
        message_changes.delete(people["ada"], room, 1)
        kept = AuditEntry.objects.filter(noun="message").order_by("pk")
        assert [(one.verb, one.before, one.after) for one in kept] == [("edit", None, None), ("delete", None, None)]


class TestReplies:
    def test_they_quote_and_lead_to_what_they_answer(self, war: Room) -> None:
        messages.say(SYSTEM, war.pk, "**first** \u202e")
        made = messages.say(SYSTEM, war.pk, "second", reply_to=1)
        (entry,) = messages.entries(war.pk, 1, 9, 9)
        assert entry["data"]["reply_to"] == 1
        assert f'<a class="quoted" href="/rooms/{war.pk}/?around=1#m-1">' in entry["html"]
        message_changes.delete(SYSTEM, war.pk, 1)
        assert made.reply_to is not None
        html = messages.entry(messages.find(SYSTEM, war.pk, 2), 2)["html"]
        assert "first" not in html
        assert "a deleted message" in html

    @pytest.mark.parametrize("number", [2, -1, 99])
    def test_there_is_something_to_answer(self, war: Room, number: int) -> None:
        messages.say(SYSTEM, rooms.create(SYSTEM, "Other").pk, "elsewhere")
        with pytest.raises(Invalid) as refused:
            messages.say(SYSTEM, war.pk, "x", reply_to=number)
        assert refused.value.field == "reply_to"


class TestMentions:
    def told(self) -> list[tuple[str, str]]:
        found = Notification.objects.order_by("user__username", "number")
        return [(one.user.username, one.text) for one in found]

    def test_people_and_teams_are_told_once_and_nobody_of_their_own_words(
        self, war: Room, people: dict[str, Principal]
    ) -> None:
        make.user("cleo").groups.add(make.team("Night shift"))
        messages.say(people["ada"], war.pk, "@bob @ada @Night shift @bob: `@eve` see\n@nobody")
        assert Message.objects.get().mentions == ["user:bob", "user:ada", "team:Night shift"]
        text = "ada in War room: @bob @ada @Night shift @bob: @eve see @nobody"
        assert self.told() == [("bob", text), ("cleo", text)]
        told = Notification.objects.first()
        assert told is not None
        assert (told.kind, told.by, told.about) == ("mention", "user ada", f"/rooms/{war.pk}/#m-1")
        message_changes.edit(people["ada"], war.pk, 1, "@bob and @eve")
        assert [name for name, _ in self.told()] == ["bob", "cleo", "eve"]

    def test_what_quotes_a_message_follows_its_text_and_tells_nobody_anew(
        self, war: Room, people: dict[str, Principal], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = User.objects.get(username="eve")
        war.for_everyone = False
        war.save()
        war.people.set(User.objects.filter(username__in=("ada", "bob", "eve")))
        two = rooms.direct(people["ada"], "bob")
        for room in (war, two):
            messages.say(people["ada"], room.pk, "the disc @bob @eve")
        notifications.send(SYSTEM, "user:bob", "mention", "the disc", key=f"mention-{war.messages.get().pk}-x")
        war.people.remove(gone)
        sent: list[tuple[str, str]] = []
        monkeypatch.setattr(bus, "send_to", lambda to, target, swap, html: sent.append((target, html)))
        monkeypatch.setattr(bus, "notify", lambda *_: pytest.fail("somebody is told anew"))
        for room in (war, two):
            message_changes.edit(people["ada"], room.pk, 1, "the **disk**")
        assert self.told() == [
            ("bob", "ada in War room: the disk"),
            ("bob", "ada: the disk"),
            ("bob", "the disc"),
            ("eve", "ada in War room: the disc @bob @eve"),
        ]
        assert [target for target, _ in sent] == ["notification-1-text", "notification-2-text"]
        assert f'<a href="/rooms/{war.pk}/#m-1">ada in War room: the disk</a>' in sent[0][1]
        message_changes.delete(people["ada"], war.pk, 1)
        assert [text for _, text in self.told()] == ["ada: the disk", "the disc"], "whomever it mentioned before"

    def test_what_told_of_a_message_goes_with_it(self, war: Room, people: dict[str, Principal]) -> None:
        two = rooms.direct(people["ada"], "bob")
        for room in (war, two):
            messages.say(people["ada"], room.pk, "@bob stays")
            messages.say(people["ada"], room.pk, "@bob goes")
        message_changes.delete(people["ada"], war.pk, 2)
        assert [text for _, text in self.told()] == ["ada in War room: @bob stays", "ada: @bob stays"]
        message_changes.delete(people["ada"], two.pk, 1)
        assert [text for _, text in self.told()] == ["ada in War room: @bob stays"]

    def test_only_those_who_may_see_the_room(self, people: dict[str, Principal]) -> None:
        make.user("cleo").groups.add(make.team("ops"), make.team("dev"))
        closed = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]})
        messages.say(SYSTEM, closed.pk, "@ada @cleo @root @dev")
        assert Message.objects.get().mentions == ["user:cleo", "user:root"]
        assert [name for name, _ in self.told()] == ["cleo", "root"]

    def test_a_thousand_are_harmless(self, war: Room) -> None:
        team = make.team("all")
        team.user_set.set(User.objects.bulk_create(User(username=f"u{n}") for n in range(60)))
        messages.say(SYSTEM, war.pk, " ".join(f"@u{n}" for n in range(60)) + " @u1" * 600)
        messages.say(SYSTEM, war.pk, "@all" * 900)
        messages.say(SYSTEM, war.pk, "@all " * 700)
        assert [len(one.mentions) for one in Message.objects.all()] == [mentions.MOST, 1, 1]
        assert Notification.objects.count() == 3 * mentions.MOST

    def test_in_a_direct_conversation_the_other_is_told_until_they_read(self, people: dict[str, Principal]) -> None:
        room = rooms.direct(people["ada"], "bob").pk
        for _ in range(3):
            messages.say(people["ada"], room, "hello @bob")
        messages.say(people["bob"], room, "hi")  # who has read it then
        messages.say(people["ada"], room, "well")
        assert self.told() == [("ada", "bob: hi"), ("bob", "ada: hello @bob"), ("bob", "ada: well")]

    def test_completion_offers_those_who_may_see_the_room(self, people: dict[str, Principal]) -> None:
        make.team("ops").user_set.add(make.user("anna"))
        closed = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]})
        anna = of_user(make.user("anton"))
        with pytest.raises(Missing):
            mentions.suggested(anna, closed.pk, "a")
        by = people["administrator"]
        assert mentions.suggested(by, closed.pk, "A") == [{"name": "anna", "kind": "person"}]
        assert [one["name"] for one in mentions.suggested(by, closed.pk, "")] == ["ops", "anna", "root"]
        assert mentions.suggested(by, closed.pk, "a\x00%_") == []


def test_a_page_of_a_long_room_takes_as_many_queries_as_one_of_a_short(
    war: Room, people: dict[str, Principal], django_assert_num_queries: Any
) -> None:
    newest = 0
    for n in range(60):
        newest = messages.say(people["token"] if n % 2 else SYSTEM, war.pk, str(n), reply_to=newest).number
        react(people["ada"], war.pk, newest)
    for most in (1, 50):
        with django_assert_num_queries(6):
            for one in messages.history(SYSTEM, war.pk, most=most):
                messages.entry(one, one.number)


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_mention_the_same_people_in_another_order_both_go_on() -> None:
    """Each has a message for each person in one transaction, in a room of its own; a deadlock would refuse one."""
    names = [make.user(f"u{n}").get_username() for n in range(6)]
    places, start, errors = [rooms.create(SYSTEM, f"{n}") for n in range(2)], threading.Barrier(2), list[Exception]()

    def run(writer: int) -> None:
        try:
            for _ in range(5):
                start.wait(30)
                drafts = [Draft(SYSTEM, places[writer].pk, f"@{name}") for name in names[:: -1 if writer else 1]]
                errors.extend(one for one in messages.say_all(drafts) if isinstance(one, Exception))
        except Exception as error:
            errors.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(writer,)) for writer in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert Notification.objects.count() == 60
