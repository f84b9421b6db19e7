"""Rooms: making them, writing in them, and reading what was said."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, SAY, check, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import journal, logs, teams
from metrics.actions.errors import Invalid, Missing, check_storable, sentence
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import room as topic_of
from metrics.models import Message, Room

TITLE_MOST = 100
TEXT_MOST = 4000
CLIENT_ID_MOST = 100
PAGE = 50


def find(by: Principal, id: int) -> Room:
    """Return the room of that id. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Room).filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no room {id}.")
    return found


def create(by: Principal, title: str, access: Mapping[str, Any] | None = None) -> Room:
    """Open a room, for everyone without `access` (of the form of `Access`). Raises Forbidden, or Invalid."""
    check(by, CREATE, Room)
    given = _access(access or {})
    owners = teams.named(given.teams)
    teams.check_sharing(by, [], owners)
    with transaction.atomic():
        made = Room.objects.create(title=_title(title), for_everyone=given.everyone)
        made.teams.set(owners)
        journal.record(by, "create", made, after={"title": made.title, **given.model_dump()})
    return made


def rename(by: Principal, id: int, title: str) -> Room:
    """Give a room another title. Raises Forbidden, Missing or Invalid."""
    with transaction.atomic():
        room = find(by, id)
        check(by, CHANGE, room)
        before, room.title = {"title": room.title}, _title(title)
        room.save(update_fields=["title"])
        journal.record(by, "change", room, before, {"title": room.title})
    return room


def delete(by: Principal, id: int) -> None:
    """Remove a room with all that was said in it. Raises Forbidden or Missing."""
    with transaction.atomic():
        room = find(by, id)
        check(by, DELETE, room)
        journal.record(by, "delete", room, before={"title": room.title})
        room.delete()
    bus.recheck()


def say(by: Principal, id: int, text: str, client_id: str = "") -> Message:
    """Store a message, and send it to everyone in the room. Raises Forbidden, Missing or Invalid.

    One with a `client_id` that the same sender used in this room before is the message of that time.
    """
    room = find(by, id)
    check(by, SAY, room)
    text = _text(text)
    check_storable(client_id, "client_id")
    if len(client_id) > CLIENT_ID_MOST:
        raise Invalid("client_id", f"client_id has at most {CLIENT_ID_MOST} characters.")
    try:
        with transaction.atomic():
            return _earlier(by, room, client_id) or _store(by, room, text, client_id)
    except IntegrityError:  # the same message came twice at once
        found = _earlier(by, room, client_id)
        if found is None:
            raise
        return found


def messages(by: Principal, id: int, before: int | None = None, most: int = PAGE) -> list[Message]:
    """Return the newest `most` messages of a room, or those before the number `before`, in order. Raises Missing."""
    found: QuerySet[Message] = find(by, id).messages.order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    return list(found[:most])[::-1]


def entries(id: int, after: int, most: int) -> list[Entry]:
    """Return the first `most` entries of the log of a room after the number `after`."""
    return [entry(one) for one in Message.objects.filter(room=id, number__gt=after).order_by("number")[:most]]


def entry(message: Message) -> Entry:
    """Return a message as an entry of its room's log."""
    return Entry(
        number=message.number,
        html=render_to_string("room/_message.html", {"message": message}).strip(),
        data={
            "id": message.number,
            "kind": "message",
            "text": message.text,
            "by": message.sender,
            "at": message.at.timestamp(),
        },
    )


def _store(by: Principal, room: Room, text: str, client_id: str) -> Message:
    made = Message.objects.create(
        room=room,
        number=logs.next_number(topic_of(room.pk)),
        by=by.name,
        user_id=by.pk if by.kind == "user" else None,
        token_id=by.pk if by.kind == "token" else None,
        text=text,
        client_id=client_id,
        at=datetime.now(UTC),
    )
    transaction.on_commit(partial(_send, made))
    return made


def _send(message: Message) -> None:
    bus.append(topic_of(message.room_id), entry(message))


def _earlier(by: Principal, room: Room, client_id: str) -> Message | None:
    return room.messages.filter(by=by.name, client_id=client_id).first() if client_id else None


def _title(title: str) -> str:
    check_storable(title, "title")
    if not title.strip() or len(title) > TITLE_MOST:
        raise Invalid("title", f"title: a room's title has 1 to {TITLE_MOST} characters.")
    return title.strip()


def _text(text: str) -> str:
    check_storable(text, "text")
    if not text.strip() or len(text) > TEXT_MOST:
        raise Invalid("text", f"text: a message has 1 to {TEXT_MOST} characters.")
    return text.strip()


def _access(access: Mapping[str, Any]) -> Access:
    try:
        return Access.model_validate(access)
    except ValidationError as problem:
        raise Invalid(*sentence(problem, "access")) from None
