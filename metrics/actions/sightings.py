"""Sightings: which tabs and walls had drawn that an incident is bad, and when.

A page says which version it shows; a web process knows the first one that had a mark of an incident, and stores what it
learned once a round. The page of an incident or an alert says so itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, DateTimeField, Exists, OuterRef, QuerySet

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import alert_changes, timeline
from metrics.actions.errors import Invalid, check_storable
from metrics.models import Dashboard, Incident, Sighting
from metrics.models.log import sender
from metrics.prepared_query import Given, PreparedQuery
from metrics.times import datetime_of

UNSEEN_AFTER = timedelta(minutes=1)
LOOKED_BACK = timedelta(hours=1)
NAMES_MOST = 3
KEPT_MOST = 1000
"""So many of one incident are kept."""
WALL_NAME = re.compile(r"[0-9A-Za-z_-]{1,40}")
"""The names that a wall may have."""


class Seen(NamedTuple):
    """A viewer that had drawn an incident (id) at a time (Unix seconds), on a dashboard (id), 0 for a page of its own.

    `kind` and `viewer` are as in a Sighting, `name` is that of its person.
    """

    incident: int
    kind: str
    viewer: str
    name: str
    dashboard: int
    at: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Those who had seen an incident, as a `text` in words; `nobody` is whether there are none."""

    text: str
    nobody: bool


def see(by: Principal, incident: int, now: float, wall: str = "", dashboard: str = "") -> None:
    """Note that a person has an incident (id) before them.

    That is its page, or that of an alert of it; or the banner of a wall that calls itself `wall`, of a `dashboard`
    (slug). Raises Invalid if it can't be called that.
    """
    if wall and not WALL_NAME.fullmatch(wall):
        raise Invalid("wall", "wall: it is 1 to 40 letters, digits, - and _.")
    check_storable(dashboard, "dashboard")
    if by.kind != "user" or not visible(by, Incident).filter(pk=incident).exists():
        return
    shown = visible(by, Dashboard).filter(slug=dashboard).first() if wall else None
    kind, viewer = (Sighting.WALL, wall) if wall else (Sighting.TAB, f"user:{by.pk}")
    store([Seen(incident, kind, viewer, sender(by.name), shown.pk if shown else 0, now)])


def store(seen: Sequence[Seen]) -> None:
    """Store what was seen, once for each viewer and at most `KEPT_MOST` of an incident; the timeline says the first."""
    if not seen:
        return
    with transaction.atomic():
        known = {one.pk: one for one in Incident.objects.filter(pk__in={one.incident for one in seen})}
        kept = Counter(
            dict(Sighting.objects.filter(incident__in=known).order_by().values_list("incident").annotate(Count("pk")))
        )
        before = set(kept)
        slugs = dict(Dashboard.objects.filter(pk__in={one.dashboard for one in seen}).values_list("pk", "slug"))
        rows = [
            Sighting(
                incident_id=one.incident,
                kind=one.kind,
                viewer=one.viewer[:60],
                name=one.name[:200],
                dashboard=slugs.get(one.dashboard, "")[:100],
                at=datetime_of(one.at),
            )
            for one in _fitting(seen, kept)
            if one.incident in known
        ]
        Sighting.objects.bulk_create(rows, ignore_conflicts=True)
        for row in sorted(rows, key=lambda one: one.at):
            if row.incident_id not in before:
                before.add(row.incident_id)
                timeline.say(known[row.incident_id], f"First seen {_where(row)}.", f"sighting:{row.incident_id}")
                alert_changes.note("sighting")  # its page says so at once, as its timeline does


def summary(incident: Incident) -> Summary:
    """Return who has seen `incident`, in words."""
    rows = list(incident.sightings.order_by("at", "pk"))
    if not rows:
        return Summary("nobody has seen it yet", True)
    walls = [one for one in rows if one.kind == Sighting.WALL]
    people = list(dict.fromkeys(one.name for one in rows if one.kind == Sighting.TAB))
    parts = [f"on {_count(len(walls), 'wall')}"] if walls else []
    if people:
        more = f" and {len(people) - NAMES_MOST} more" if len(people) > NAMES_MOST else ""
        parts.append(f"by {', '.join(people[:NAMES_MOST])}{more}")
    return Summary(" and ".join(parts), False)


def first_at(incident: Incident) -> datetime | None:
    """Return when somebody had seen `incident` first."""
    return incident.sightings.order_by("at").values_list("at", flat=True).first()


def unseen(now: float) -> list[int]:
    """Return the critical incidents (ids) that nobody has seen for a minute, which had no consequence yet."""
    moment = datetime_of(now)
    return [pk for (pk,) in _UNSEEN.rows(moment - LOOKED_BACK, moment - UNSEEN_AFTER)]


def _opened(since: Given, until: Given) -> QuerySet[Incident, tuple[int]]:
    """Return the critical incidents (ids) of a time that nobody has seen, which had no consequence yet."""
    rows = Incident.objects.filter(
        severity="critical",
        resolved_at=None,
        acknowledged_at=None,
        unseen_at=None,
        opened_at__gte=since,
        opened_at__lte=until,
    )
    return rows.filter(~Exists(Sighting.objects.filter(incident=OuterRef("pk")))).order_by("pk").values_list("pk")


_UNSEEN = PreparedQuery(_opened, DateTimeField(), DateTimeField())


def _fitting(seen: Sequence[Seen], kept: Counter[int]) -> Iterator[Seen]:
    """Yield those of `seen` for which there is room, with so many `kept` of each incident already."""
    for one in seen:
        if kept[one.incident] < KEPT_MOST:
            kept[one.incident] += 1
            yield one


def _where(row: Sighting) -> str:
    on = f" of {row.dashboard}" if row.dashboard else ""
    if row.kind != Sighting.WALL:
        return f"by {row.name}, in a tab{on}"
    who = row.name if row.name.startswith(("screen ", "link ")) else f"signed in as {row.name}"  # no user has a space
    return f"on a wall{on}, {who}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
