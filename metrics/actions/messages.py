"""Messages: what is said in rooms, and what is changed of it.

A message is stored before anybody sees it. Saying and changing something are entries of the room's log, numbered in
the order of their commits; an entry shows its message as it is when the entry is read.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet

from metrics.access.policy import SAY, SEE, Forbidden, check, may
from metrics.access.principal import Principal
from metrics.actions import cards, drawings, files, logs, mentions, moments, rooms, variables
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.actions.message_html import article
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import room as topic_of
from metrics.models import Attachment, Message, Reaction, Reading, Room, Token
from metrics.widgets.variables import read

TEXT_MOST = 4000
CLIENT_ID_MOST = 100
PAGE = 50
LOG = "log"
"""The element that messages are appended to."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Something that `by` wants to say in the room of the id `room`.

    A draft with a `client_id` that the same sender used in this room before is the message of that time. `reply_to` is
    the number of the message that it answers, 0 for none. `range` is the one of the dashboard beside it, "" for none;
    `at` (Unix seconds) is the moment that it shows there, None for now, and `chosen` the values of its variables.
    `files` are the keys of what `by` uploaded for it. `drawing` is HTML of ours, which only we ourselves give. One that
    `is_command` mentions nobody: what it does tells people.
    """

    by: Principal
    room: int
    text: str
    client_id: str = ""
    reply_to: int = 0
    range: str = ""
    at: float | None = None
    files: tuple[str, ...] = ()
    chosen: str = ""
    drawing: str = ""
    is_command: bool = False


def say(by: Principal, room: int, text: str, client_id: str = "", **more: Any) -> Message:
    """Store a message, and send it to everyone in the room. Raises Forbidden, Missing or Invalid."""
    (outcome,) = say_all([Draft(by, room, text, client_id, **more)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def say_all(drafts: Sequence[Draft]) -> list[Message | Exception]:
    """Store messages in one transaction, and send them; return each, or why it is refused.

    A refusal is Forbidden, Missing or Invalid.
    """
    try:
        return _say_all(drafts)
    except IntegrityError:  # the same message came twice at once, on another process: it is found now
        return _say_all(drafts)


def _say_all(drafts: Sequence[Draft]) -> list[Message | Exception]:
    places = rooms.with_access({draft.room for draft in drafts})
    outcomes: dict[int, Message | Exception] = {}
    good: dict[int, Draft] = {}
    beside: dict[int, dict[str, Any]] = {}
    for index, draft in enumerate(drafts):
        try:
            check_draft(draft, places.get(draft.room))
            beside[index] = _beside(draft, places[draft.room])
            good[index] = draft
        except (Forbidden, Invalid, Missing) as problem:
            outcomes[index] = problem
    with transaction.atomic():
        said = _earlier(good.values())
        fresh = {_key(index, draft): index for index, draft in good.items() if _key(index, draft) not in said}
        files.hold({key for index in fresh.values() for key in good[index].files})
        attached: dict[int, list[Attachment]] = {}
        for key, index in list(fresh.items()):
            try:
                attached[index] = _files(good[index], attached)
            except Invalid as problem:
                outcomes[index] = problem
                del fresh[key], good[index]
        made = _store([(good[index], places[good[index].room], beside[index]) for index in fresh.values()])
        for message, index in zip(made, fresh.values(), strict=True):
            message.shown_reactions, message.shown_attachments = [], attached[index]
            if attached[index]:
                files.attach(message, attached[index])
    said.update(zip(fresh, made, strict=True))
    outcomes.update({index: said[_key(index, draft)] for index, draft in good.items()})
    return [outcomes[index] for index in range(len(drafts))]


def check_draft(draft: Draft, room: Room | None) -> None:
    """Raise Forbidden, Missing or Invalid unless `draft` can be said in `room`."""
    if room is None or not may(draft.by, SEE, room):
        raise Missing(f"There is no room {draft.room}.")
    check(draft.by, SAY, room)
    if room.closed_at is not None:
        raise Invalid("room", rooms.CLOSED)
    check_text(draft.text, is_needed=not draft.files)
    check_storable(draft.client_id, "client_id")
    if len(draft.client_id) > CLIENT_ID_MOST:
        raise Invalid("client_id", f"client_id has at most {CLIENT_ID_MOST} characters.")


def check_text(text: str, *, is_needed: bool = True) -> None:
    """Raise Invalid unless `text` can be a message, or one that has something else if it is not needed."""
    check_storable(text, "text")
    if (is_needed and not text.strip()) or len(text) > TEXT_MOST:
        raise Invalid("text", f"text: a message has 1 to {TEXT_MOST} characters.")


def find(by: Principal, room: int, number: int) -> Message:
    """Return the message of that number. Raises Missing."""
    found = rooms.find(by, room).messages.filter(number=number, deleted_at=None).first()
    if found is None:
        raise Missing(f"There is no message {number} in this room.")
    return found


def history(
    by: Principal, room: int, before: int | None = None, most: int = PAGE, *, after: int | None = None
) -> list[Message]:
    """Return the newest `most` messages of a room (id), or another part, as `part` does. Raises Missing."""
    return part(rooms.find(by, room), before, most, after=after)


def part(room: Room, before: int | None = None, most: int = PAGE, *, after: int | None = None) -> list[Message]:
    """Return the newest `most` messages of a room that somebody may see, in order.

    With `before` they are those before the message of that number, with `after` the first ones after it.
    """
    found = shown(room.messages.all())
    if after is not None:
        return list(found.filter(number__gt=after).order_by("number")[:most])
    if before is not None:
        found = found.filter(number__lt=before)
    return list(found.order_by("-number")[:most])[::-1]


def entries(room: int, after: int, upto: int, most: int) -> list[Entry]:
    """Return the first `most` entries of the log of a room with numbers above `after`, and not above `upto`.

    A message that was changed more than once is one entry, of its newest change; so is the closing of the room.
    """
    rows = shown(Message.objects.filter(room=room))
    said = rows.filter(number__gt=after, number__lte=upto).order_by("number")[:most]
    changed = rows.filter(number__lte=after, changed__gt=after, changed__lte=upto).order_by("changed")[:most]
    state = Room.objects.filter(pk=room, changed__gt=after, changed__lte=upto)
    found = [*(entry(one, one.number) for one in said), *(entry(one, one.changed) for one in changed)]
    found += map(rooms.entry, state)
    return sorted(found, key=lambda one: one["number"])[:most]


def shown(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Return messages with all that their HTML shows, in a fixed number of queries."""
    return rows.prefetch_related(  # type: ignore[no-redef]  # cached
        *("token", "reply_to", "room__dashboard", "room__incident"),  # joins would bring the columns of each many times
        Prefetch("reactions", to_attr="shown_reactions"),
        Prefetch("attachments", to_attr="shown_attachments"),
    )


def entry(message: Message, number: int) -> Entry:
    """Return `message`, as it is, as the entry `number` of its room's log."""
    is_new = number == message.number
    return Entry(
        number=number,
        target=LOG if is_new else f"m-{message.number}",
        swap="beforeend" if is_new else "outerMorph",
        html=article(message, number),
        data={
            **document(message),
            "kind": "message" if is_new else "change",
            **({} if is_new else {"message": message.number}),
            "id": number,
        },
    )


def document(message: Message) -> dict[str, Any]:
    """Return `message` as programs see it: times are Unix seconds, and what there is not is left out."""
    found = {
        "id": message.number,
        "text": message.text,
        "by": message.sender,
        "at": message.at.timestamp(),
        "edited_at": message.edited_at and message.edited_at.timestamp(),
        "deleted": message.deleted_at is not None,
        "reply_to": message.reply_to and message.reply_to.number,
        "moment": message.moment,
        "client_id": message.client_id,
        "mentions": message.mentions,
        "files": [files.document(one) for one in message.shown_attachments],
        "reactions": {emoji: [one.sender for one in those] for emoji, those in by_emoji(message).items()},
        "face": message.token.face if message.token else "",
    }
    return {name: value for name, value in found.items() if value or name in ("id", "text", "by", "at")}


def by_emoji(message: Message) -> dict[str, list[Reaction]]:
    """Return the reactions to `message` by their emoji, in the order in which each was used first."""
    found: dict[str, list[Reaction]] = {}
    for one in message.shown_reactions:
        found.setdefault(one.emoji, []).append(one)
    return found


def change(message: Message, **values: Any) -> None:
    """Set fields of a message that was said, in the transaction around this, and send it to everyone in the room.

    Without `values` something around it was changed: a reaction, for example.
    """
    topic = topic_of(message.room_id)
    for name, value in {**values, "changed": logs.take_number_of_change(topic)}.items():
        setattr(message, name, value)
    message.save(update_fields=[*values, "changed"])
    transaction.on_commit(partial(_send_changed, message.pk))


def _beside(draft: Draft, room: Room) -> dict[str, Any]:
    """Return what belongs to a message beside its text: fields of its row. Raises Invalid or Missing."""
    now = time.time()
    found: dict[str, Any] = {"reply_to": _answered(draft, room)}
    if draft.drawing:
        return {**found, "drawing": draft.drawing}
    if draft.is_command:
        return found
    if drawings.is_asked(draft.text):
        return {**found, "drawing": drawings.drawing(draft.text, room, draft.range, now, draft.chosen)}
    if room.dashboard is not None and draft.range:
        at = now if draft.at is None else draft.at
        chosen = variables.of_the_past(read(draft.chosen))
        found["moment"] = moments.moment(room.dashboard, draft.range, at, now, chosen=chosen).query
    return {**found, "cards": cards.cards(draft.text, room), "mentions": mentions.find(draft.text, room)}


def _files(draft: Draft, taken: Mapping[int, Sequence[Attachment]]) -> list[Attachment]:
    """Return what belongs to a draft of files, locked; `taken` are those of drafts before it. Raises Invalid."""
    found = files.unsent(draft.by, draft.room, draft.files)
    if found and not {one.pk for one in found}.isdisjoint(one.pk for those in taken.values() for one in those):
        raise Invalid("files", "files: one of them belongs to another message.")
    return found


def _answered(draft: Draft, room: Room) -> Message | None:
    if not draft.reply_to:
        return None
    found = room.messages.filter(number=draft.reply_to, deleted_at=None).first()
    if found is None:
        raise Invalid("reply_to", f"reply_to: there is no message {draft.reply_to} in this room.")
    return found


def _store(drafts: Sequence[tuple[Draft, Room, dict[str, Any]]]) -> list[Message]:
    counts = Counter(room.pk for _, room, _ in drafts)
    heads = logs.take_numbers({topic_of(room): count for room, count in counts.items()})
    made = []
    for draft, room, beside in drafts:
        head = heads[topic_of(room.pk)]
        counts[room.pk] -= 1
        made.append(_message(draft, room, head.newest - counts[room.pk], head.said - counts[room.pk], beside))
    if made:
        Message.objects.bulk_create(made)
        _note_as_read(made)
        mentions.notify_all([(draft.by, one, room) for one, (draft, room, _) in zip(made, drafts, strict=True)])
        transaction.on_commit(partial(_send, made))
    return made


def _message(draft: Draft, room: Room, number: int, ordinal: int, beside: dict[str, Any]) -> Message:
    by = draft.by
    return Message(
        room=room,
        number=number,
        changed=number,
        ordinal=ordinal,
        by=by.name,
        user_id=by.pk if by.kind == "user" else None,
        token_id=by.pk if by.kind == "token" else None,
        text=draft.text.strip(),
        client_id=draft.client_id,
        at=datetime.now(UTC),
        **beside,
    )


def _note_as_read(made: Sequence[Message]) -> None:
    """Note that people have read a room up to what they say in it."""
    newest = {(one.user_id, one.room_id): one for one in made if one.user_id is not None}
    rows = [
        Reading(user_id=user, room_id=room, number=one.number, ordinal=one.ordinal)
        for (user, room), one in sorted(newest.items())
    ]
    Reading.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "room"], update_fields=["number", "ordinal"]
    )


def _send(made: Sequence[Message]) -> None:
    """Send what was just said, as it was said: what is changed meanwhile is an entry after it."""
    tokens = Token.objects.in_bulk({one.token_id for one in made if one.token_id is not None})
    of_room: defaultdict[int, list[Entry]] = defaultdict(list)
    for one in made:
        one.token = tokens.get(one.token_id) if one.token_id is not None else None
        of_room[one.room_id].append(entry(one, one.number))
    bus.append({topic_of(room): found for room, found in of_room.items()})
    bus.unread(rooms=sorted(of_room))


def _send_changed(id: int) -> None:
    for one in shown(Message.objects.filter(pk=id)):
        bus.append({topic_of(one.room_id): [entry(one, one.changed)]})


def _key(index: int, draft: Draft) -> Hashable:
    """Return the same for drafts that are the same message."""
    return (draft.room, draft.by.name, draft.client_id) if draft.client_id else index


def _earlier(drafts: Collection[Draft]) -> dict[Hashable, Message]:
    """Return what was said before with the client ids of `drafts`, by their keys."""
    ids = {draft.client_id for draft in drafts} - {""}
    if not ids:
        return {}
    found = Message.objects.filter(room__in={draft.room for draft in drafts}, client_id__in=ids)
    return {(one.room_id, one.by, one.client_id): one for one in found}
