"""The list of rooms: the favourites of a person and what they have not read first, a page at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Subquery

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import reading, rooms
from metrics.actions.errors import Forbidden
from metrics.models import FavouriteRoom, Message, Room

DASHBOARDS, INCIDENTS, ROOMS, DIRECT = KINDS = ("dashboards", "incidents", "rooms", "direct")
"""Rooms of dashboards and of incidents, rooms with a title of their own, and conversations of two people."""
TITLES = {INCIDENTS: "Incidents", DASHBOARDS: "Rooms of dashboards", ROOMS: "Rooms", DIRECT: "Direct conversations"}
FIRST = 24
"""Rooms of each kind where all kinds are listed."""
PAGE = 60
"""Rooms of one kind on a page of its own."""


class Listed(NamedTuple):
    """A room in the list: its title for whoever looks, and when the newest message came, None for none."""

    room: Room
    title: str
    newest_at: datetime | None
    is_favourite: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rooms of a `kind`: those `shown`, on the page `page` of `pages`, of `total` that were found."""

    kind: str
    shown: list[Listed]
    total: int
    page: int
    pages: int

    @property
    def title(self) -> str:
        return TITLES[self.kind]


def listed(by: Principal, text: str = "", kind: str = "", page: int = 1) -> list[Group]:
    """Return the rooms that `by` may see and that have all words of `text` in their titles, in a few queries.

    They are those of all kinds, `FIRST` of each, or a page of one `kind`. Favourites come first, and then what is
    unread; then they are by their titles, closed ones last, or in direct conversations by the newest message.
    """
    words = text.casefold().split()
    unread = reading.unread_rooms(by.pk) if by.kind == "user" and by.pk else set[int]()
    found: dict[str, list[Listed]] = {one: [] for one in KINDS}
    for row in _rows(by):
        folded = row.title.casefold()
        if all(word in folded for word in words):
            found[_kind(row.room)].append(row)
    chosen = (kind,) if kind in KINDS else KINDS
    most = PAGE if kind in KINDS else FIRST
    for one in chosen:
        rows = found[one]
        rows.sort(key=lambda row: (row.room.closed_at is not None, row.title.casefold(), row.room.pk))
        if one == DIRECT:
            rows.sort(key=lambda row: row.newest_at or row.room.created_at, reverse=True)
        rows.sort(key=lambda row: (not row.is_favourite, row.room.pk not in unread))
    pages = {one: max(1, -(-len(found[one]) // most)) for one in chosen}
    page = min(max(page, 1), pages[kind]) if kind in KINDS else 1
    shown = slice((page - 1) * most, page * most)
    return [Group(one, found[one][shown], len(found[one]), page, pages[one]) for one in chosen]


def favour(by: Principal, id: int, *, on: bool) -> None:
    """Make a room a favourite of `by`, or no more. Raises Missing, or Forbidden for who is no person."""
    room = rooms.find(by, id)
    if by.kind != "user" or by.pk is None:
        raise Forbidden("Only people have favourites.")
    if on:
        FavouriteRoom.objects.get_or_create(user=User.objects.get(pk=by.pk), room=room)
    else:
        FavouriteRoom.objects.filter(user=by.pk, room=room).delete()


def _rows(by: Principal) -> Iterator[Listed]:
    """Yield each room that `by` may see."""
    favourites = FavouriteRoom.objects.filter(user=by.pk if by.kind == "user" else None, room=OuterRef("pk"))
    newest = Message.objects.filter(room=OuterRef("pk"), deleted_at=None).order_by("-number").values("at")[:1]
    columns = ("title", "direct", "closed_at", "created_at", "dashboard__title", "incident__title")
    rows = visible(by, Room).select_related("dashboard", "incident").only(*columns)
    found = list(rows.annotate(newest_at=Subquery(newest), is_favourite=Exists(favourites)))
    people = Room.people.through.objects.filter(room__in=[one.pk for one in found if one.direct])
    others = dict(people.exclude(user=by.pk).values_list("room_id", "user__username"))
    for room in found:
        title = others.get(room.pk, room.title) if room.owner is room else room.owner.title
        yield Listed(room, title, room.newest_at, room.is_favourite)


def _kind(room: Room) -> str:
    if room.incident_id:
        return INCIDENTS
    return DIRECT if room.direct else DASHBOARDS if room.dashboard_id else ROOMS
