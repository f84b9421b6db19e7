"""The HTML of a message: what it has in each case, and that nothing of it is markup that somebody wrote."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from metrics.actions.message_html import article
from metrics.models import Attachment, Dashboard, Message, Reaction, Room, Token

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
EVIL = "\"><script>alert(1)</script><i title='"


def message(**fields: Any) -> Message:
    made = Message(
        **{"room_id": 3, "number": 1234, "changed": 1300, "by": "user ada", "text": "hello", "at": AT, **fields}
    )
    made.shown_reactions, made.shown_attachments = [], []
    return made


def test_a_plain_message() -> None:
    assert article(message(), 1234) == (
        '<article id="m-1234" class="message" data-entry="1234" data-by="user ada" data-at="1777863721.123456"'
        ' data-text="hello" tabindex="-1">\n'
        '<header><bdi><b>ada</b></bdi> <a class="when" href="/rooms/3/?around=1234#m-1234">'
        '<time datetime="2026-05-04T03:02:01.123456+00:00" title="Monday, 4 May 2026, 03:02:01 UTC">'
        '<span class="date">4 May 2026, </span>03:02<span class="date"> UTC</span></time></a></header>\n'
        '<div class="text" dir="auto"><p>hello</p></div>\n'
        '<button type="button" class="more" tabindex="-1" data-more aria-label="What to do with the message of ada">'
        "⋯</button></article>"
    )


BOT = Token(name="deploys", face="🤖")
HAS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({}, ['data-entry="1300"'], ["data-client-id", "edited", "quoted", "bot"]),
    ({"client_id": "a1"}, ['data-client-id="a1"'], []),
    ({"edited_at": AT}, ['<span class="edited">edited</span>'], []),
    (
        {"deleted_at": AT, "edited_at": AT, "text": ""},
        ['class="message deleted"', "<p>This message was deleted.</p>"],
        ["edited", "data-more"],
    ),
    ({"token": BOT}, ['<span class="face" aria-hidden="true">🤖</span>', "<b>deploys</b>", ">bot<"], []),
    ({"token": Token(name="deploys"), "by": "token deploys"}, ["<b>token deploys</b>"], ["face"]),
    (
        {"reply_to": message(text="x" * 300)},
        ['<a class="quoted" href="/rooms/3/?around=1234#m-1234">', "x" * 159 + "…"],
        [],
    ),
    ({"reply_to": message(text="")}, ["<bdi>a file</bdi>"], []),
    ({"reply_to": message(deleted_at=AT)}, ["<bdi>a deleted message</bdi>"], ["hello</bdi>"]),
    ({"text": "**so** @ada", "mentions": ["user:ada"]}, ["<strong>so</strong>", 'data-mention="user:ada"'], []),
    ({"cards": [{"path": "/d/x/", "kind": "dashboard", "title": "X"}]}, ['<a class="link-card" href="/d/x/">'], []),
    ({"drawing": "<svg></svg>"}, ["<svg></svg>"], []),
    (
        {"room": Room(pk=3, dashboard=Dashboard(slug="abc")), "moment": {"range": "1h", "at": 3.5}},
        ['href="/d/abc/?range=1h&amp;at=3.5&amp;message=1234"', "1h as it was"],
        [],
    ),
]


@pytest.mark.parametrize(("fields", "there", "not_there"), HAS)
def test_each_thing_is_shown_where_there_is_one(fields: dict[str, Any], there: list[str], not_there: list[str]) -> None:
    html = article(message(**fields))
    assert [one for one in there if one not in html] == []
    assert [one for one in not_there if one in html] == []


def test_files_and_reactions_stand_below() -> None:
    one = message()
    one.shown_attachments = [Attachment(key="k", room_id=3, name=EVIL.replace("/", ""), type="text/plain", size=2000)]
    one.shown_reactions = [Reaction(by=f"user {name}", emoji="👍") for name in ("ada", "bob")]
    html = article(one)
    assert 'class="files"' in html
    assert 'title="ada, bob"' in html
    assert "<script" not in html


@pytest.mark.parametrize("field", ["by", "client_id", "text", "reply_to", "name", "face", "cards", "mentions"])
def test_what_somebody_wrote_is_never_markup(field: str) -> None:
    told: dict[str, Any] = {
        "reply_to": message(text=EVIL, by=EVIL),
        "cards": [{"path": EVIL, "kind": EVIL, "title": EVIL}],
        "mentions": [f"user:{EVIL}"],
    }
    fields = (
        {"token": Token(**{"name": "x", "face": "y", field: EVIL})}
        if field in ("name", "face")
        else {field: told.get(field, EVIL)}
    )
    html = article(message(**fields))
    assert "<script" not in html
    assert not re.search(r"<i\b", html)
