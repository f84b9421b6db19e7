"""Reading: how far people have read rooms, and how much is unread.

A room counts for those who opened it once, and for those it was made for: a room that a person never saw is no
unfinished work. A message is unread from its ordinal on: how many messages there were with it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import CharField, F, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string

from metrics.access.policy import SEE, may
from metrics.access.principal import Principal, of_users
from metrics.actions import notifications
from metrics.actions.rooms import with_access
from metrics.live import bus
from metrics.live.topic import ROOM
from metrics.models import LogHead, Message, Reading
from metrics.prepared_query import PreparedQuery

SHOWN_MOST = 99
ROOMS_MOST = 200
"""Rooms of one person that are counted, the newest first: more than `SHOWN_MOST` messages are unread in so many."""
BADGE = "unread"
"""The element that shows how much is unread in all rooms."""


class Badge(NamedTuple):
    """The count in the menu as `text`, empty for none, and those of each room as JSON for the page's script."""

    text: str
    as_json: str


class Mark(NamedTuple):
    """A person (id) who read a room (id) up to the message of this number."""

    user: int
    room: int
    number: int


def mark(marks: Sequence[Mark]) -> list[bool]:
    """Note how far people have read; return for each whether that is farther than before."""
    ordinals = _ordinals(marks)
    users, rooms = {one.user for one in marks}, {one.room for one in marks}
    with transaction.atomic():
        known = Reading.objects.filter(user__in=users, room__in=rooms).order_by("user_id", "room_id")
        # Locked: what they say meanwhile, on another thread or process, notes that they read farther than this.
        rows = {(row.user_id, row.room_id): row for row in known.select_for_update(of=("self",))}
        moved: dict[tuple[int, int], Reading] = {}
        for one in marks:
            ordinal = ordinals.get((one.room, one.number), 0)
            row = moved.get((one.user, one.room)) or rows.get((one.user, one.room))
            if row is None or row.ordinal < ordinal:
                moved[one.user, one.room] = Reading(
                    user_id=one.user, room_id=one.room, number=one.number, ordinal=ordinal
                )
        Reading.objects.bulk_create(
            [moved[key] for key in sorted(moved)],
            update_conflicts=True,
            unique_fields=["user", "room"],
            update_fields=["number", "ordinal"],
        )
        if moved:
            transaction.on_commit(partial(_show_read, sorted(moved)))
    return [(one.user, one.room) in moved for one in marks]


def _show_read(moved: Sequence[tuple[int, int]]) -> None:
    """Have the badges of people (ids) counted anew who read on in rooms (ids), and what told them of it be read."""
    bus.unread(users=sorted({user for user, _ in moved}))
    for user, room in moved:
        notifications.mark_opened(user, f"/rooms/{room}/")


def number_read(user: int, room: int) -> int | None:
    """Return the number of the newest message of `room` (id) that `user` (id) read; None if they never opened it."""
    return Reading.objects.filter(user=user, room=room).values_list("number", flat=True).first()


def first_unread(by: Principal, room: int, read: int) -> int | None:
    """Return the number of the first message of `room` (id) after the number `read` that is not their own."""
    later = Message.objects.filter(room=room, number__gt=read, deleted_at=None).exclude(by=by.name)
    return later.order_by("number").values_list("number", flat=True).first()


def unread(users: Collection[int]) -> dict[int, dict[int, int]]:
    """Return how many messages are unread by each of `users` (ids), by room, in a fixed number of queries.

    Rooms that they may not see any more are left out, and so are those beyond `ROOMS_MOST`.
    """
    found = _counted(_unread(Reading.objects.filter(user__in=users)))
    return {user: found.get(user, {}) for user in users}


def unread_rooms(user: int) -> set[int]:
    """Return the ids of the rooms that have something unread by `user` (id), those they may not see any more too."""
    return {room for _, room, _, _ in _UNREAD_OF.rows(user)}


def badge(user: int) -> Badge:
    """Return how much `user` (id) has not read."""
    return _badge(_counted(_UNREAD_OF.rows(user)).get(user, {}))


def badges(users: Collection[int]) -> dict[int, str]:
    """Return the badge of each of `users` (ids) as HTML, in a fixed number of queries."""
    counts = unread(users)
    return {user: render_to_string("room/_unread.html", {"unread": _badge(counts[user])}).strip() for user in counts}


def _unread(readings: QuerySet[Reading]) -> QuerySet[Reading, tuple[int, int, int, int]]:
    """Return user, room, how much was said in it and how much of that was read, where that is less."""
    topic = Concat(Value(f"{ROOM}."), Cast(OuterRef("room_id"), CharField()))
    said = Subquery(LogHead.objects.filter(topic=topic).values("said")[:1])
    rows = readings.annotate(said=said).filter(said__gt=F("ordinal"))
    return rows.order_by("user", "-room").values_list("user", "room", "said", "ordinal")


# Every page asks this.
_UNREAD_OF = PreparedQuery(lambda user: _unread(Reading.objects.filter(user=user)), IntegerField())


def _counted(rows: Iterable[tuple[int, ...]]) -> dict[int, dict[int, int]]:
    """Return the counts of `rows` as `_unread` has them, by user and room, of the rooms that the user may see."""
    rows = [row for _, of_user in groupby(rows, itemgetter(0)) for row in islice(of_user, ROOMS_MOST)]
    if not rows:
        return {}
    rooms = with_access({room for _, room, _, _ in rows})
    principals = {by.pk: by for by in of_users(User.objects.filter(pk__in={user for user, _, _, _ in rows}))}
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for user, room, newest, read in rows:
        if may(principals[user], SEE, rooms[room]):
            found[user][room] = newest - read
    return found


def _badge(counts: Mapping[int, int]) -> Badge:
    total = sum(counts.values())
    return Badge(f"{total}" if 0 < total <= SHOWN_MOST else f"{SHOWN_MOST}+" if total else "", json.dumps(counts))


def _ordinals(marks: Sequence[Mark]) -> Mapping[tuple[int, int], int]:
    found = Message.objects.filter(room__in={one.room for one in marks}, number__in={one.number for one in marks})
    return {(room, number): ordinal for room, number, ordinal in found.values_list("room", "number", "ordinal")}
