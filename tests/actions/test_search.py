"""Search in what was said."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import message_changes, messages, rooms, search
from metrics.actions.errors import Invalid, Missing
from metrics.models import Room
from metrics.templatetags.talk import marked
from tests import make
from tests.api.client import Program, body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SAID = (
    "The disk of web-7 is full",
    "GRÖSSE and Größe: über 90 %",
    "a_b and 100%",
    "Straße, naïve, ЖУРНАЛ",
    "<b>bold</b> (x)",
)


@pytest.fixture
def room() -> Room:
    made = rooms.create(SYSTEM, "War room")
    for text in SAID:
        messages.say(SYSTEM, made.pk, text)
    return made


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("disk", [1]),
        ("DISK full", [1]),
        ("full  DISK\n", [1]),
        ("disk größe", []),
        ("größe", [2]),
        ("GRÖßE", [2]),
        ("ÜBER", [2]),
        ("журнал NAÏVE", [4]),
        ("and", [3, 2]),
        ("%", [3, 2]),
        ("_", [3]),
        ("a_b", [3]),
        ("a.b", []),
        ("(x)", [5]),
        (".*", []),
        ("ü.*", []),
        ("ü(", []),
        ("<B>", [5]),
        ("web-7", [1]),
        ("\\", []),
        ("'; DROP TABLE", []),
    ],
)
def test_messages_have_all_words_in_any_case_and_nothing_is_a_pattern(
    room: Room, query: str, numbers: list[int]
) -> None:
    assert [one.number for one in search.search(SYSTEM, query).messages] == numbers
    assert [one.number for one in search.search(SYSTEM, query, room.pk).messages] == numbers


@pytest.mark.parametrize("query", ["", "  ", "x" * 201, "a " * 5 + "b c d e f g h i j k", "a\x00"])
def test_what_can_not_be_looked_for_is_refused(room: Room, query: str) -> None:
    with pytest.raises(Invalid) as refused:
        search.search(SYSTEM, query)
    assert refused.value.field == "q"


def test_only_what_one_may_see_and_what_was_not_deleted_is_found(
    room: Room, django_assert_max_num_queries: Any
) -> None:
    ada, bob = make.user("ada"), make.user("bob")
    make.team("ops", bob)
    hidden = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]})
    messages.say(SYSTEM, hidden.pk, "the disk of ops")
    direct = rooms.direct(of_user(ada), "bob")
    messages.say(of_user(ada), direct.pk, "my disk")
    admin = of_user(make.admin())

    def found(by: Any) -> list[str]:
        with django_assert_max_num_queries(8):
            return [one.text for one in search.search(by, "disk").messages]

    assert found(of_user(ada)) == ["my disk", SAID[0]]
    assert found(of_user(bob)) == ["my disk", "the disk of ops", SAID[0]]
    assert found(admin) == ["the disk of ops", SAID[0]]
    message_changes.delete(SYSTEM, room.pk, 1)
    assert found(admin) == ["the disk of ops"]
    with pytest.raises(Missing):
        search.search(of_user(ada), "disk", hidden.pk)


def test_pages_go_back_over_the_api(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    program = Program("read")
    first = body(program.get("/api/v1/messages", q="a"))
    assert [(one["id"], one["room"], one["room_title"]) for one in first["messages"]] == [
        (4, room.pk, "War room"),
        (3, room.pk, "War room"),
    ]
    second = body(program.get("/api/v1/messages", q="a", before=first["next"]))
    assert [one["id"] for one in second["messages"]] == [2]
    assert second["next"] is None
    assert program.get("/api/v1/messages", q="a", room=987654321).status_code == 404
    assert program.get("/api/v1/messages", q=" ").status_code == 422
    assert program.get("/api/v1/messages").status_code == 422


@pytest.mark.parametrize("inside", [True, False])
def test_one_search_looks_through_so_many_and_the_next_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch, *, inside: bool
) -> None:
    monkeypatch.setattr(search, "SCANNED_MOST", 3)
    monkeypatch.setattr(search, "SCANNED_AT_ONCE", 2)
    place = room.pk if inside else None
    found, older = search.search(SYSTEM, "disk", place)
    assert found == []
    found, older = search.search(SYSTEM, "disk", place, older)
    assert ([one.number for one in found], older) == ([1], None)
    assert search.search(SYSTEM, "disk", rooms.create(SYSTEM, "empty").pk) == ([], None)


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("The DISK disk", ["disk"], "The <mark>DISK</mark> <mark>disk</mark>"),
        ("<b>&</b> x", ["<b>", "x"], "<mark>&lt;b&gt;</mark>&amp;&lt;/b&gt; <mark>x</mark>"),
        ("a.c abc", ["a.c"], "<mark>a.c</mark> abc"),
        ("x" * 600, ["y"], "x" * 400 + "…"),
        ("x" * 600 + "y", ["y"], "…" + "x" * 80 + "<mark>y</mark>"),
    ],
)
def test_hits_are_marked_and_the_rest_is_text(text: str, words: list[str], shown: str) -> None:
    assert marked(text, words) == shown
