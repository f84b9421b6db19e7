"""Calendars as others publish them (RFC 5545): a text and a time in, events out. Pure.

The libraries know recurrence, exceptions and the zones of Windows. By hand: what is cancelled, what has no zone, what
is a whole day, what can't be read, and what would recur so often that reading it would take long.
"""

import warnings
from calendar import isleap, monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from icalendar import vRecur
from icalendar.parser import Contentlines

TEXT_MOST_BYTES = 1024 * 1024
EVENTS_MOST = 2000
OCCURRENCES_MOST = 50_000
"""Of one event since it began: all before those that are asked for are gone through."""
A_DAY: dict[str, float] = {
    "SECONDLY": 86_400,
    "MINUTELY": 1440,
    "HOURLY": 24,
    "DAILY": 1,
    "WEEKLY": 1 / 7,
    "MONTHLY": 1 / 30,
    "YEARLY": 1 / 365,
}
ZONES_MOST_A_DAY = A_DAY["MONTHLY"]
"""How often a rule of a time zone may recur in a day: the library goes through all of it while it reads."""
UNREADABLE = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError)
"""Errors of the libraries about what calendars say."""
MULTIPLIES = ("BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY")
DAYS_TRIED = 40 * 366
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class _Part(NamedTuple):
    """A part of a rule that days fit or not: how its values are read, and which values a day has."""

    read: Callable[[Any], Any]
    of: Callable[[date], tuple[Any, ...]]


def _from_both_ends(place: int, count: int) -> tuple[int, int]:
    return place, place - count - 1


DAYS = {
    "BYMONTH": _Part(int, lambda day: (day.month,)),
    "BYMONTHDAY": _Part(int, lambda day: _from_both_ends(day.day, monthrange(day.year, day.month)[1])),
    "BYYEARDAY": _Part(int, lambda day: _from_both_ends(day.timetuple().tm_yday, 365 + isleap(day.year))),
    "BYDAY": _Part(lambda name: str(name)[-2:].upper(), lambda day: (WEEKDAYS[day.weekday()],)),
}
NAMED_MOST = 3
LASTS = "X-WATCHFLOOR-LASTS"
"""Where a duration is kept, in seconds: the library takes hours as those of clocks, and forgets that it was one."""


class BadCalendar(ValueError):
    """A text that is no calendar; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: from `start` to before `end` (Unix seconds), its `summary`, and the `mail` of who attends."""

    start: float
    end: float
    summary: str = ""
    mail: str = ""


@dataclass(frozen=True, slots=True)
class Occurring:
    """The `events` of a calendar, in order, and sentences about those that are left out or doubtful."""

    events: tuple[Event, ...]
    problems: tuple[str, ...] = ()


def occurring(text: str, zone: ZoneInfo, start: float, end: float) -> Occurring:
    """Return the events of the calendar `text` that touch the time from `start` to `end` (Unix seconds).

    Days, and times without a zone, are in `zone`. Raises BadCalendar.
    """
    if len(text.encode()) > TEXT_MOST_BYTES:
        raise BadCalendar(f"The calendar is longer than {TEXT_MOST_BYTES // 1024} KiB.")
    calendar, problems = _read(text), []
    problems += _leave_out(calendar, end)
    # Whole days are dates to the library: a day more on each side has those of every zone.
    about = datetime.fromtimestamp(start, UTC) - timedelta(days=2), datetime.fromtimestamp(end, UTC) + timedelta(days=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about what calendars say
        try:
            query = recurring_ical_events.of(calendar, skip_bad_series=True)
            found = list(_of(query.between(*about), zone))
        except UNREADABLE as problem:
            raise BadCalendar(f"The calendar can't be read: {str(problem)[:100].rstrip('.')}.") from None
    events = sorted(found, key=lambda one: (one.start, one.end, one.summary))
    events = [one for one in events if one.start < end and one.end > start]
    if len(events) > EVENTS_MOST:
        problems.append(f"Only the first {EVENTS_MOST} of {len(events)} events are looked at.")
    return Occurring(tuple(events[:EVENTS_MOST]), tuple(problems))


def merged(events: Iterable[Event]) -> list[tuple[float, float]]:
    """Return the times in which there is any of `events`, in order, those that touch as one."""
    spans: list[tuple[float, float]] = []
    for one in sorted(events, key=lambda one: one.start):
        if spans and one.start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], one.end)
        else:
            spans.append((one.start, one.end))
    return spans


def window(start: datetime, lasts_s: int, repeat: str, zone: str) -> str:
    """Return a calendar of one event: at `start`, a local time of `zone`, which may `repeat` by a rule (RRULE).

    The seconds that it lasts are those of clocks.

    Raises BadCalendar for what is no rule.
    """
    event = icalendar.Event()
    event.add("uid", "window")
    event.add("dtstart", start.replace(tzinfo=ZoneInfo(zone)))
    event.add("dtend", (start + timedelta(seconds=lasts_s)).replace(tzinfo=ZoneInfo(zone)))
    if repeat:
        event.add("rrule", _rule(repeat))
    calendar = icalendar.Calendar()
    calendar.add_component(event)
    return bytes(calendar.to_ical()).decode()


def published(name: str, shifts: Iterable[tuple[str, str, float, float]], made_at: float) -> str:
    """Return a calendar of who is on call: `shifts` are (id, who, start, end), times in Unix seconds."""
    calendar = icalendar.Calendar()
    for key, value in (
        ("prodid", "-//Watchfloor//On call//EN"),
        ("version", "2.0"),
        ("x-wr-calname", name),
        ("x-published-ttl", "PT15M"),
    ):
        calendar.add(key, value)
    for id, who, start, end in shifts:
        event = icalendar.Event()
        event.add("uid", id)
        event.add("dtstamp", datetime.fromtimestamp(made_at, UTC))
        event.add("dtstart", datetime.fromtimestamp(start, UTC))
        event.add("dtend", datetime.fromtimestamp(end, UTC))
        event.add("summary", who)
        calendar.add_component(event)
    return bytes(calendar.to_ical()).decode()


def _rule(text: str) -> Any:
    try:
        rule = vRecur.from_ical(text.strip().removeprefix("RRULE:"))
    except ValueError:
        rule = None
    if not rule or "FREQ" not in rule or _stands_still(rule):
        raise BadCalendar(f"{text[:80]!r} is no rule such as FREQ=WEEKLY;BYDAY=SU.")
    if _a_day(rule) > A_DAY["HOURLY"]:
        raise BadCalendar("It recurs more often than once an hour.")
    if _may_never_end(rule):
        raise BadCalendar("A rule with COUNT and days of months or years is MONTHLY or YEARLY.")
    return rule


def _read(text: str) -> Any:
    try:
        if any(not _is_yearly(rule) for rule in _rules_of_zones(text)):
            raise BadCalendar("A time zone in it has a rule that is not for each year.")
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except BadCalendar:
        raise
    except UNREADABLE as problem:
        raise BadCalendar(f"It is no calendar: {str(problem)[:100].rstrip('.')}.") from None
    if not calendars or any(one.name != "VCALENDAR" for one in calendars):
        raise BadCalendar("It is no calendar: it does not begin with BEGIN:VCALENDAR.")
    first = calendars[0]
    for other in calendars[1:]:
        first.subcomponents += other.subcomponents
    return first


def _rules_of_zones(text: str) -> Iterator[Any]:
    """Yield the rules of the time zones in `text`, without which it can be read. Raises ValueError."""
    if "VTIMEZONE" not in text.upper():
        return
    inside: list[str] = []
    for line in Contentlines.from_ical(text):  # type: ignore[no-untyped-call]
        if not line.upper().startswith(("BEGIN", "END", "RRULE")):
            continue
        name, _, value = line.parts()
        if name.upper() == "BEGIN":
            inside.append(value.upper())
        elif name.upper() == "END":
            inside = inside[:-1]
        elif "VTIMEZONE" in inside and name.upper() == "RRULE":
            yield vRecur.from_ical(value)


def _is_yearly(rule: Any) -> bool:
    """Return whether a rule of a time zone recurs so seldom that the library can go through it until the year 9999."""
    is_short = _a_day(rule) <= ZONES_MOST_A_DAY
    return is_short and not _stands_still(rule) and [str(one).upper() for one in rule.get("FREQ", [])] == ["YEARLY"]


def _leave_out(calendar: Any, end: float) -> list[str]:
    """Remove the events that recur too often, or can't be read; return what there is to say of events."""
    kept, often, strange, seen, bad = [], [], set(), 0, 0
    for one in calendar.subcomponents:
        if one.name != "VEVENT":
            kept.append(one)
            continue
        seen += 1
        if not _is_readable(one):
            bad += 1
            continue
        if any(_recurs_too_often(one, rule, end) for rule in _rules(one)):
            often.append(str(one.get("SUMMARY", "an event"))[:50])
            continue
        if rules := [rule for rule in _rules(one) if not _never_comes(rule, _dt(one, "DTSTART"))]:
            one["RRULE"] = rules
        else:
            one.pop("RRULE", None)
        strange |= set(_unknown_zones(one))
        one.pop(LASTS, None)
        if isinstance(_dt(one, "DURATION"), timedelta):
            one[LASTS] = icalendar.vText(str(_dt(one, "DURATION").total_seconds()))
        for rule in _rules(one):
            _end(rule, _dt(one, "DTSTART"), end)
        kept.append(one)
    calendar.subcomponents = kept
    problems = [f"{name} recurs too often, and is left out." for name in often[:NAMED_MOST]]
    problems += [f"{name!r} is no time zone that is known; its times are read as local." for name in sorted(strange)]
    problems += [f"{_events(bad)} can't be read."] if bad else []
    return problems if seen else ["There is no event in it.", *problems]


def _is_readable(event: Any) -> bool:
    rules = all(isinstance(rule, vRecur) and not _stands_still(rule) for rule in _rules(event))
    return rules and _dt(event, "DTSTART") is not None and not isinstance(event.get("UID"), list)


def _never_comes(rule: Any, begins: date) -> bool:
    """Return whether no day fits `rule` for decades, such as the 30th of February.

    The library looks at every day until the year 9999 then, whatever the rule says about its end; that takes seconds.
    """
    given = {name: frozenset(map(fits.read, rule[name])) for name, fits in DAYS.items() if rule.get(name)}
    if not given:
        return False
    step = int(rule.get("INTERVAL", [1])[0]) if str(rule["FREQ"][0]).upper() == "DAILY" else 1
    first = date(begins.year, begins.month, begins.day).toordinal()
    days = map(date.fromordinal, range(first, min(first + DAYS_TRIED, date.max.toordinal()), step))
    return not any(all(not wanted.isdisjoint(DAYS[name].of(day)) for name, wanted in given.items()) for day in days)


def _end(rule: Any, begins: date, end: float) -> None:
    """Have `rule` end soon after `end` (Unix seconds)."""
    last: date = datetime.fromtimestamp(end, UTC) + timedelta(days=3)
    if not isinstance(begins, datetime):
        last = datetime(last.year, last.month, last.day).date()
    elif begins.tzinfo is None:
        last = datetime.fromtimestamp(end, UTC).replace(tzinfo=None) + timedelta(days=3)
    given = rule.get("UNTIL")
    if not given or given[0].timetuple()[:6] > last.timetuple()[:6]:
        rule["UNTIL"] = [last]


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _a_day(rule: Any) -> float:
    """Return how often a rule recurs in a day, at most."""
    often = A_DAY.get(str(rule.get("FREQ", ["DAILY"])[0]).upper(), 1)
    for name in MULTIPLIES:
        often *= max(1, len(rule.get(name, [])))
    try:
        return often / max(1, int(rule.get("INTERVAL", [1])[0]))
    except (TypeError, ValueError):
        return often


def _stands_still(rule: Any) -> bool:
    """Return whether the interval of a rule is not above zero: the library would go on at one moment for ever."""
    return any(step < 1 for step in rule.get("INTERVAL", []))


def _may_never_end(rule: Any) -> bool:
    """Return whether the library may go through all days until 9999 for what never comes: counted 30ths of February."""
    is_rare = any(name in rule for name in ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"))
    return "COUNT" in rule and is_rare and str(rule["FREQ"][0]).upper() in ("HOURLY", "DAILY", "WEEKLY")


def _recurs_too_often(event: Any, rule: Any, end: float) -> bool:
    """Return whether there would be too many to go through until `end` (Unix seconds)."""
    begins = _dt(event, "DTSTART")
    if not isinstance(begins, date) or "FREQ" not in rule:
        return False
    often = _a_day(rule)
    if often > A_DAY["HOURLY"] or _may_never_end(rule):
        return True
    since = datetime(begins.year, begins.month, begins.day, tzinfo=UTC).timestamp()
    return often * max(0.0, end - since) / 86_400 > OCCURRENCES_MOST


def _unknown_zones(event: Any) -> Iterator[str]:
    for name in ("DTSTART", "DTEND"):
        dt = _dt(event, name)
        if isinstance(dt, datetime) and dt.tzinfo is None and "TZID" in event[name].params:
            yield str(event[name].params["TZID"])[:50]


def _dt(event: Any, name: str) -> Any:
    """Return a time of an event; None if it has none, or one that can't be read."""
    try:
        return event[name].dt
    except (KeyError, AttributeError, ValueError):
        return None


def _of(found: Iterable[Any], zone: ZoneInfo) -> Iterator[Event]:
    for one in found:
        if str(one.get("STATUS", "")).upper() == "CANCELLED":
            continue
        start, end = _seconds(one["DTSTART"].dt, zone), _ends(one, zone)
        if end > start:
            yield Event(start, end, str(one.get("SUMMARY", "")).strip(), _mail(one.get("ATTENDEE")))


def _ends(one: Any, zone: ZoneInfo) -> float:
    """Return when an event ends. Days of a duration are those of clocks, and hours are hours (RFC 5545, 3.3.6)."""
    begins = one["DTSTART"].dt
    if LASTS not in one or not isinstance(begins, datetime):
        return _seconds(one["DTEND"].dt, zone)
    lasts = timedelta(seconds=float(one[LASTS]))
    return _seconds(begins + timedelta(days=lasts.days), zone) + lasts.seconds


def _seconds(at: date | datetime, zone: ZoneInfo) -> float:
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()


def _mail(attendee: Any) -> str:
    """Return the address of the first who attends: `mailto:ann@example.org`, or bare, as PagerDuty writes it."""
    first = attendee[0] if isinstance(attendee, list) and attendee else attendee
    text = str(first or "").strip()
    text = text[7:] if text.lower().startswith("mailto:") else text
    return text if "@" in text else ""


def _events(count: int) -> str:
    return "One event" if count == 1 else f"{count} events"
