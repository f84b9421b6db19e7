"""On call: who is on duty at a time, by schedules, overrides, and calendars elsewhere."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects

from metrics.actions import feeds, odd_rows, schedules
from metrics.actions.errors import Missing
from metrics.actions.named_people import People
from metrics.actions.schedules import with_overrides
from metrics.alerts import calendars, rotation
from metrics.alerts.calendars import BadCalendar
from metrics.alerts.rotation import ScheduleSpec, Span
from metrics.models import Schedule, Team
from metrics.models.secret import digest_of
from metrics.times import datetime_of, seconds_of

AHEAD_S = 92 * 86_400.0
SOON_S = 2 * 86_400.0
BACK_S = 7 * 86_400.0
CHANGED_BY_FEED = [*feeds.FETCHED, "shifts", "known_from"]


@dataclass(frozen=True, slots=True)
class Shift:
    """`who` is on call from `start` to `end` (Unix seconds): the `user` of that name, if there is one."""

    who: str
    user: User | None
    start: float
    end: float
    is_override: bool


@dataclass(frozen=True, slots=True)
class OnDuty:
    """The shifts of `now`, those that come `next`, and the time in between (Unix seconds); None: nothing changes."""

    now: list[Shift]
    until: float | None
    next: list[Shift]


def on_duty_of(rows: Sequence[Schedule], at: float, ahead_s: float = AHEAD_S) -> dict[int, OnDuty]:
    """Return how it stands at a time (Unix seconds), by the ids of the schedules; `ahead_s` on, nobody looks.

    Most change soon, so only of the others so much is worked out.
    """
    found: dict[int, OnDuty] = {}
    for horizon in (at + SOON_S, at + ahead_s):
        rest = [one for one in rows if one.pk not in found or found[one.pk].until is None]
        if rest:
            found |= {pk: on_duty(of, at, horizon) for pk, of in shifts(rest, at, horizon).items()}
    return found


def on_duty(shifts: Iterable[Shift], at: float, horizon: float) -> OnDuty:
    """Return how it stands at a time, by the `shifts` that end later; they are known until `horizon` (Unix seconds)."""
    coming = list(shifts)
    current = [one for one in coming if one.start <= at]
    until = min((one.end for one in current), default=min((one.start for one in coming), default=None))
    until = None if until is None or until >= horizon else until
    after = [] if until is None else [one for one in coming if one.start <= until < one.end]
    return OnDuty(current, until, after)


def now(of: Team | Schedule, at: float) -> list[User]:
    """Return the people who are on call for a schedule, or for any of a team's, at a time (Unix seconds)."""
    rows = [of] if isinstance(of, Schedule) else list(Schedule.objects.filter(teams=of))
    found: dict[int, User] = {}
    for one in shifts(rows, at, at + 1).values():
        found |= {shift.user.pk: shift.user for shift in one if shift.user is not None}
    return list(found.values())


def shifts(rows: Sequence[Schedule], start: float, end: float) -> dict[int, list[Shift]]:
    """Return who is on call between two times (Unix seconds), in order, by the ids of the schedules.

    A query for the people, and one for overrides that were not fetched, however many schedules there are.
    """
    missing = [one for one in rows if "overrides" not in getattr(one, "_prefetched_objects_cache", {})]
    if missing:
        prefetch_related_objects(missing, with_overrides())
    found = {one.pk: (one, _spans(one, start, end)) for one in rows}
    people = People.load()
    return {
        pk: [
            Shift(span.who, people.named(span.who, mails.get(span.who, "")), span.start, span.end, span.is_override)
            for span in those
        ]
        for pk, (one, those) in found.items()
        for mails in [{who: mail for who, mail, *_ in _published(one) if mail}]
    }


def calendar(row: Schedule, at: float) -> str:
    """Return who is on call, a week back and as far ahead as is known, as a calendar."""
    those = shifts([row], at - BACK_S, at + AHEAD_S)[row.pk]
    return calendars.published(
        f"On call: {row.name}",
        [(_uid(row, one), full_name(one), one.start, one.end) for one in those],
        at,
    )


def _uid(row: Schedule, shift: Shift) -> str:
    """Return the id of a shift in calendars: the same for the same one."""
    return f"{row.pk}-{shift.start:.0f}-{hashlib.sha256(shift.who.encode()).hexdigest()[:12]}@watchfloor"


def full_name(shift: Shift) -> str:
    """Return how people are called in calendars and on pages."""
    return (shift.user.get_full_name() or shift.user.get_username()) if shift.user else shift.who


def by_link(id: int, secret: str) -> Schedule:
    """Return the schedule whose calendar `secret` shows. Raises Missing."""
    row = Schedule.objects.filter(pk=id).exclude(digest="").first()
    if row is None or not secrets.compare_digest(row.digest, digest_of(secret)):
        raise Missing("There is no such calendar.")
    return row


def refresh(at: float) -> int:
    """Ask for the calendars that are due (Unix seconds); return how many were asked for."""
    count = 0
    for feed in feeds.due(at):
        if isinstance(feed, Schedule):
            with feeds.guarded(feed, at):
                feeds.ask(feed, at)
                _take_shifts(feed, at)
                Schedule.objects.filter(pk=feed.pk, url=feed.url).update(
                    **{name: getattr(feed, name) for name in CHANGED_BY_FEED}
                )
            count += 1
    return count


def _spans(row: Schedule, start: float, end: float) -> Sequence[Span]:
    overrides = [
        Span(one.user.get_username(), seconds_of(one.starts_at), seconds_of(one.ends_at), is_override=True)
        for one in row.overrides.all()
        if one.starts_at < datetime_of(end) and one.ends_at > datetime_of(start)
    ]
    if row.url:
        shifts = [Span(who, begin, until) for who, _, begin, until in _published(row) if begin < end and until > start]
        return rotation.overridden(shifts, overrides, start, end)
    try:
        spec = schedules.spec_of(row)
    except ValueError as problem:  # a later release stored it
        odd_rows.left_out(row, problem)
        spec = ScheduleSpec()
    return rotation.spans(spec, schedules.zone(row), overrides, start, end)


def _take_shifts(row: Schedule, at: float) -> None:
    try:
        found = feeds.occurring(row, at - BACK_S, at + AHEAD_S)
    except BadCalendar:
        return  # what was known stays
    before = _over(row, at)
    row.shifts = [[one.summary or one.mail, one.mail, one.start, one.end] for one in found.events]
    known_from = datetime_of(at - BACK_S if _over(row, at) == before else at)  # else it says of then what it did not
    row.known_from = known_from if row.known_from is None else max(known_from, row.known_from)


def _over(row: Schedule, at: float) -> set[tuple[str, float, float]]:
    """Return who was on call by the calendar elsewhere in the time before `at` that is kept."""
    start = at - BACK_S
    cut = ((who, max(begins, start), min(ends, at)) for who, _, begins, ends in _published(row))
    return {(who, begins, ends) for who, begins, ends in cut if begins < ends}


def _published(row: Schedule) -> Sequence[schedules.Published]:
    try:
        return schedules.published(row) if row.url else ()
    except ValueError as problem:  # a later release stored it
        odd_rows.left_out(row, problem)
        return ()


def names_of(people: Iterable[Shift]) -> str:
    """Return the names of those on call as a list for a sentence; "nobody" without any."""
    return ", ".join(dict.fromkeys(full_name(one) for one in people)) or "nobody"
