"""Rooms: making, changing, closing and removing them. Their messages are in `messages`."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.template.loader import render_to_string
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, DELETE, check, visible
from metrics.access.principal import Principal
from metrics.access.sharing import Access
from metrics.actions import file_retention, journal, logs, teams
from metrics.actions.errors import Invalid, Missing, check_storable, sentence
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import room as topic_of
from metrics.models import Dashboard, Incident, Reading, Room

TITLE_MOST = 100
KEPT_DAYS_MOST = 3650
CLOSED = "This room was closed: nobody writes in it any more."
STATE = "room-state"
"""The element that says that a room is closed."""


def find(by: Principal, id: int) -> Room:
    """Return the room of that id. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Room).filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no room {id}.")
    return found


def with_access(ids: Iterable[int]) -> dict[int, Room]:
    """Return rooms by their ids, with all that the policy asks of them, in a fixed number of queries."""
    rows = Room.objects.filter(pk__in=set(ids)).select_related("dashboard", "incident")
    return {room.pk: room for room in rows.prefetch_related("teams", "people", "dashboard__teams", "incident__teams")}


def title_for(by: Principal, room: Room) -> str:
    """Return the title of `room` as `by` reads it: that of what it is about, or the name of the other of two people."""
    if room.owner is not room:
        return room.owner.title
    if not room.direct:
        return room.title
    others = [user.get_username() for user in room.people.all() if by.kind != "user" or user.pk != by.pk]
    return others[0] if len(others) == 1 else room.title


def names_of_others(by: Principal) -> list[str]:
    """Return the names of the people who may sign in, without `by`."""
    rows = User.objects.filter(is_active=True)
    if by.kind == "user" and by.pk is not None:
        rows = rows.exclude(pk=by.pk)
    return list(rows.order_by("username").values_list("username", flat=True))


def create(by: Principal, title: str, access: Mapping[str, Any] | None = None, people: Iterable[str] = ()) -> Room:
    """Open a room, for everyone without `access` (of the form of `Access`), or for `people` (names) and its teams.

    Raises Forbidden, or Invalid.
    """
    check(by, CREATE, Room)
    chosen = _people(by, people)
    given = _access(access or ({"everyone": False} if chosen else {}))
    owners = teams.named(given.teams)
    teams.check_sharing(by, [], owners)
    with transaction.atomic():
        made = Room.objects.create(title=_title(title), for_everyone=given.everyone)
        made.teams.set(owners)
        _choose(made, chosen)
        journal.record(by, "create", made, after={"title": made.title, **given.model_dump(), "people": _names(chosen)})
    return made


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Room:
    """Set of a room the `title`, `access`, `people`, `keep_days` or `closed` that `changes` names.

    Raises Forbidden, Missing or Invalid. The room of a dashboard has the title and the people of the dashboard.
    """
    with transaction.atomic():
        if "closed" in changes:
            logs.hold([topic_of(id)])  # before the room's row, as in `close`
        room = find(by, id)
        check(by, CHANGE, room)
        before = _document(room)
        foreign = changes.keys() - {"keep_days", "closed"}
        if not room.is_own and foreign:
            raise Invalid(min(foreign), "This room has its title and its people from elsewhere.")
        if "title" in changes:
            room.title = _title(changes["title"])
        if "keep_days" in changes:
            room.keep_days = _days(changes["keep_days"])
        if "access" in changes:
            given = _access(changes["access"])
            owners = teams.named(given.teams)
            teams.check_sharing(by, room.teams.all(), owners)
            room.for_everyone = given.everyone
            room.teams.set(owners)
        if "people" in changes:
            _choose(room, _people(by, changes["people"]))
        room.save(update_fields=["title", "keep_days", "for_everyone"])  # it may be closed meanwhile
        journal.record(by, "change", room, before, _document(room))
        if "closed" in changes:
            room.closed_at = close(by, id, closed=bool(changes["closed"])).closed_at
    bus.recheck()
    return room


def close(by: Principal, id: int, *, closed: bool = True) -> Room:
    """Close a room, in which nobody writes then, or open it again; open pages follow. Raises Forbidden or Missing.

    It is an entry of the room's log.
    """
    topic = topic_of(id)
    with transaction.atomic():
        logs.hold([topic])  # before the room's row, as whoever removes the room does
        room = find(by, id)
        check(by, CHANGE, room)
        if closed != bool(room.closed_at):
            room.closed_at = datetime.now(UTC) if closed else None
            room.changed = logs.take_number_of_change(topic)
            room.save(update_fields=["closed_at", "changed"])
            journal.record(by, "close" if closed else "reopen", room)
            transaction.on_commit(lambda: bus.append({topic: [entry(room)]}))
    return room


def entry(room: Room) -> Entry:
    """Return whether `room` is closed as the entry of its log that said so last."""
    return Entry(
        number=room.changed,
        target=STATE,
        swap="outerMorph",
        html=render_to_string("room/_state.html", {"room": room, "entry": room.changed}).strip(),
        data={"id": room.changed, "kind": "room", "closed": room.closed_at is not None, "text": _state(room)},
    )


def _state(room: Room) -> str:
    return "This room is open." if room.closed_at is None else CLOSED


def delete(by: Principal, id: int) -> None:
    """Remove a room with all that was said in it. Raises Forbidden or Missing, or Invalid for one of something else."""
    with transaction.atomic():
        room = find(by, id)
        check(by, DELETE, room)
        if room.owner is not room:
            raise Invalid("room", f"This room goes with its {room.owner._meta.verbose_name}.")
        journal.record(by, "delete", room, before={"title": room.title})
        logs.hold([topic_of(id)])  # what is being said is stored before, and removed with it
        file_retention.discard(room.attachments.all())
        room.delete()
    bus.recheck()


def of_dashboard(dashboard: Dashboard) -> Room:
    """Return the room of `dashboard`, which those see who see it."""
    return Room.objects.get_or_create(dashboard=dashboard, defaults={"title": dashboard.title, "for_everyone": False})[
        0
    ]


def of_incident(incident: Incident) -> Room:
    """Return the room of `incident`, which those see who see it."""
    values = {"title": incident.title[:TITLE_MOST], "for_everyone": False}
    return Room.objects.get_or_create(incident=incident, defaults=values)[0]


def of_incidents(incidents: Collection[Incident]) -> dict[int, Room]:
    """Return the rooms of `incidents`, by the ids of these, in a fixed number of queries."""
    rows = Room.objects.filter(incident__in=[one.pk for one in incidents])
    found = {room.incident_id or 0: room for room in rows}
    new = {one.pk: one for one in incidents if one.pk not in found}
    if not new:
        return found
    made = [Room(incident=one, title=one.title[:TITLE_MOST], for_everyone=False) for one in new.values()]
    Room.objects.bulk_create(made, ignore_conflicts=True)
    return {room.incident_id or 0: room for room in rows.all()}


def direct(by: Principal, name: str) -> Room:
    """Return the conversation of `by` with the user `name`, which is for the two alone. Raises Missing or Invalid."""
    check_storable(name, "name")
    other = User.objects.filter(username=name, is_active=True).first()
    if other is None:
        raise Missing(f"There is no user {name!r} who may sign in.")
    if by.kind != "user" or by.pk is None or other.pk == by.pk:
        raise Invalid("name", "A direct conversation is one of two people.")
    low, high = sorted((by.pk, other.pk))
    with transaction.atomic():
        room, is_new = Room.objects.get_or_create(
            direct=f"{low}.{high}", defaults={"title": "Direct conversation", "for_everyone": False}
        )
        if is_new:
            people = User.objects.filter(pk__in=(low, high))
            _choose(room, people)
            journal.record(by, "create", room, after={"people": _names(people)})
    return room


def _document(room: Room) -> dict[str, Any]:
    return {
        "title": room.title,
        "everyone": room.for_everyone,
        "teams": sorted(team.name for team in room.teams.all()),
        "people": _names(room.people.all()),
        "keep_days": room.keep_days,
    }


def _people(by: Principal, names: Iterable[str]) -> list[User]:
    wanted = set(names)
    for name in wanted:
        check_storable(name, "people")
    found = list(User.objects.filter(username__in=wanted, is_active=True))
    unknown = wanted - {user.get_username() for user in found}
    if unknown:
        raise Invalid("people", f"people: there is no user {min(unknown)!r} who may sign in.")
    if found and by.kind == "user" and by.pk not in {user.pk for user in found}:
        found.append(User.objects.get(pk=by.pk or 0))
    return found


def _choose(room: Room, people: Iterable[User]) -> None:
    """Make `people` the people of a room, for whom it counts as unread from now on."""
    chosen = list(people)
    room.people.set(chosen)
    head = logs.heads([topic_of(room.pk)])[topic_of(room.pk)]
    rows = [Reading(user=user, room=room, number=head.newest, ordinal=head.said) for user in chosen]
    Reading.objects.bulk_create(rows, ignore_conflicts=True)


def _names(people: Iterable[User]) -> list[str]:
    return sorted(user.get_username() for user in people)


def _title(title: str) -> str:
    check_storable(title, "title")
    if not title.strip() or len(title) > TITLE_MOST:
        raise Invalid("title", f"title: a room's title has 1 to {TITLE_MOST} characters.")
    return title.strip()


def _days(days: int | None) -> int | None:
    if days is not None and not 1 <= days <= KEPT_DAYS_MOST:
        raise Invalid("keep_days", f"keep_days: messages are kept for 1 to {KEPT_DAYS_MOST} days, or for good.")
    return days


def _access(access: Mapping[str, Any]) -> Access:
    try:
        return Access.model_validate(access)
    except ValidationError as problem:
        raise Invalid(*sentence(problem, "access")) from None
