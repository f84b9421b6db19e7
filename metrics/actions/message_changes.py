"""Changes of messages: editing, deleting, reacting. Each is an entry of the room's log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from metrics.access.policy import CHANGE, DELETE, SAY, check
from metrics.access.principal import Principal
from metrics.actions import cards, file_retention, journal, mentions, messages, rooms
from metrics.actions.errors import Invalid, Missing
from metrics.emoji import is_emoji
from metrics.models import Message, Room

REACTIONS_MOST = 20
"""Different emoji under one message."""


def edit(by: Principal, room: int, number: int, text: str) -> Message:
    """Give a message of `by` another text. The journal keeps the earlier one. Raises Forbidden, Missing or Invalid."""
    messages.check_text(text)
    with _held(by, room, number) as message:
        check(by, CHANGE, message)
        _check_open(message.room)
        before, text = message.text, text.strip()
        if text != before:
            journal.record(by, "edit", message, _kept(message, before), _kept(message, text))
            found = {"mentions": mentions.find(text, message.room), "cards": cards.cards(text, message.room)}
            messages.change(message, text=text, **found, edited_at=datetime.now(UTC))
            if not message.room.direct:
                mentions.notify_all([(by, message, message.room)])
            mentions.reword(message, message.room)
    return message


def delete(by: Principal, room: int, number: int) -> Message:
    """Take back a message: its place stays, and says so. The journal keeps the text. Raises Forbidden or Missing."""
    with _held(by, room, number) as message:
        check(by, DELETE, message)
        journal.record(by, "delete", message, before=_kept(message, message.text))
        message.reactions.all().delete()
        file_retention.discard(message.attachments.all())
        mentions.take_back(message, message.room)
        emptied: dict[str, Any] = {"text": "", "mentions": [], "cards": [], "moment": None, "drawing": ""}
        messages.change(message, **emptied, deleted_at=datetime.now(UTC))
    return message


def react(by: Principal, room: int, number: int, emoji: str, on: bool | None = None) -> Message:
    """Put an emoji under a message, or take it away again; without `on`, whichever changes something.

    Raises Forbidden, Missing or Invalid.
    """
    if not is_emoji(emoji):
        raise Invalid("emoji", "emoji: a reaction is one emoji.")
    with _held(by, room, number) as message:
        check(by, SAY, message.room)
        _check_open(message.room)
        own = message.reactions.filter(by=by.name, emoji=emoji)
        is_there = own.exists()
        if on is is_there:
            return message
        if is_there:
            own.delete()
        else:
            _check_room_for(emoji, message)
            message.reactions.create(by=by.name, emoji=emoji)
        messages.change(message)
    return message


@contextmanager
def _held(by: Principal, room: int, number: int) -> Iterator[Message]:
    """Give a message that nobody else changes meanwhile, in a transaction. Raises Missing.

    It is locked before the head of the log, and as weakly as saves an answer to it from waiting: see `logs`.
    """
    with transaction.atomic():
        place = rooms.find(by, room)
        rows = place.messages.select_for_update(no_key=True).filter(number=number, deleted_at=None)
        message = rows.first()
        if message is None:
            raise Missing(f"There is no message {number} in this room.")
        yield message


def _check_open(room: Room) -> None:
    if room.closed_at is not None:
        raise Invalid("room", rooms.CLOSED)


def _check_room_for(emoji: str, message: Message) -> None:
    used = set(message.reactions.order_by().values_list("emoji", flat=True).distinct())
    if emoji not in used and len(used) >= REACTIONS_MOST:
        raise Invalid("emoji", f"emoji: a message has at most {REACTIONS_MOST} different reactions.")


def _kept(message: Message, text: str) -> dict[str, Any] | None:
    """Return a text for the journal, which is for administrators; what two people say is not for them."""
    return None if message.room.direct else {"text": text}
