"""Rotations: who is on call when, from layers of people who take turns, and overrides. Pure.

Turns change at local times: a hand-over at nine stays at nine when clocks are set. Of two local times that are the same
the first is meant; one that is skipped is as long after the one before as it says.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from metrics.access.sharing import Text
from metrics.times import LOCAL_TIME, YEARS
from metrics.versioned import Versioned

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(weeks=1)}
PEOPLE_MOST, LAYERS_MOST, RESTRICTIONS_MOST, HOLIDAYS_MOST = 100, 20, 20, 500
Interval = tuple[float, float]


def _time_of_day(text: str) -> str:
    try:
        hour, minute = text.split(":")
        time(int(hour), int(minute))
    except ValueError:
        raise ValueError(f"{text[:20]!r} is no time of day such as 09:00") from None
    return text


def _local(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:30]!r} is no local time such as 2026-11-30T09:00") from None
    if found.year not in YEARS:
        raise ValueError("It has to be before the year 3000, and not before 1970")
    if found.tzinfo is not None:
        raise ValueError("It is a local time of the schedule's zone, and has no zone of its own")
    return found.strftime("%Y-%m-%dT%H:%M")


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
LocalTime = Annotated[str, AfterValidator(_local), Field(json_schema_extra={"format": LOCAL_TIME})]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Restriction(_Part):
    """A time of the day, on some days of the week."""

    days: list[Day] = Field(
        default=list(DAYS), max_length=7, title="Days of the week", description="Days of the week on which it begins."
    )
    from_: TimeOfDay = Field(default="00:00", alias="from", title="From", description="When it begins, such as 09:00.")
    to: TimeOfDay = Field(
        default="00:00", description="When it ends; not after it begins is on the next day, so 00:00 to 00:00 is a day."
    )


class Layer(_Part):
    """People who take turns."""

    people: list[Text] = Field(
        default=[],
        max_length=PEOPLE_MOST,
        description="Names of users, in the order of their turns.",
        json_schema_extra={"suggest": "person"},
    )
    start: LocalTime = Field(
        description="When the first turn begins, such as 2026-11-30T09:00: a time of the schedule's zone."
    )
    every: int = Field(
        default=1, ge=1, le=1000, title="Length of a turn", description="How many hours, days or weeks a turn has."
    )
    unit: Literal["hours", "days", "weeks"] = Field(
        default="weeks",
        title="Counted in",
        description="The unit that it is counted in.",
        json_schema_extra={"shown": True},
    )
    only: list[Restriction] = Field(
        default=[],
        max_length=RESTRICTIONS_MOST,
        title="Times",
        description="Times that it is for; without any, for all.",
    )
    holidays: Literal["as usual", "never", "only"] = Field(
        default="as usual", title="On holidays", description="Whether it is for holidays: as usual, never, or only."
    )


class ScheduleSpec(Versioned):
    """A schedule: where more than one layer has somebody, the last of them counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: list[Layer] = Field(default=[], max_length=LAYERS_MOST, description="People who take turns.")
    holidays: list[date] = Field(default=[], max_length=HOLIDAYS_MOST, description="Days such as 2026-12-25.")

    @field_validator("holidays")
    @classmethod
    def _in_order(cls, days: list[date]) -> list[date]:
        if any(day.year not in YEARS for day in days):
            raise ValueError("They have to be before the year 3000, and not before 1970")
        return sorted(set(days))


@dataclass(frozen=True, slots=True)
class Span:
    """`who` is on call from `start` to before `end` (Unix seconds), by an override or not."""

    who: str
    start: float
    end: float
    is_override: bool = False


def spans(spec: ScheduleSpec, zone: ZoneInfo, overrides: Sequence[Span], start: float, end: float) -> tuple[Span, ...]:
    """Return who is on call between `start` and `end` (Unix seconds), in order. Times without anybody are left out.

    Of `overrides`, which go before all layers, the last counts where they overlap.
    """
    found: list[Span] = []
    for layer in spec.layers:
        found = _over(found, _turns(layer, spec.holidays, zone, start, end))
    return overridden(found, overrides, start, end)


def overridden(found: Iterable[Span], overrides: Sequence[Span], start: float, end: float) -> tuple[Span, ...]:
    """Return `found` between `start` and `end` with `overrides` instead, where there are any."""
    found = list(found)
    for one in overrides:
        found = _over(found, [one])
    cut = (Span(one.who, max(one.start, start), min(one.end, end), one.is_override) for one in found)
    return _joined(one for one in cut if one.start < one.end)


def _over(below: Sequence[Span], above: Iterable[Span]) -> list[Span]:
    """Return `above`, and `below` where there is nothing above."""
    above = list(above)
    taken = [(one.start, one.end) for one in above]
    rest = [
        Span(one.who, start, end, one.is_override)
        for one in below
        for start, end in _without(
            [(one.start, one.end)], [it for it in taken if it[0] < one.end and it[1] > one.start]
        )
    ]
    return [*rest, *above]


def _joined(found: Iterable[Span]) -> tuple[Span, ...]:
    """Return `found` in order, those of one person that touch as one."""
    joined: list[Span] = []
    for one in sorted(found, key=lambda one: (one.start, one.end, one.who)):
        before = joined[-1] if joined else None
        if before and (before.who, before.end, before.is_override) == (one.who, one.start, one.is_override):
            joined[-1] = Span(one.who, before.start, one.end, one.is_override)
        else:
            joined.append(one)
    return tuple(joined)


def _turns(layer: Layer, holidays: Sequence[date], zone: ZoneInfo, start: float, end: float) -> Iterator[Span]:
    """Yield the turns of a layer that touch the time from `start` to `end`, cut to what it is for."""
    if not layer.people:
        return
    first, length = datetime.fromisoformat(layer.start), UNITS[layer.unit] * layer.every
    number = max(0, math.floor((_clock(start, zone) - first) / length) - 1)
    windows = _windows(layer, holidays, zone, start, end)
    while (begins := _seconds(first + number * length, zone)) < end:
        ends = _seconds(first + (number + 1) * length, zone)
        who = layer.people[number % len(layer.people)]
        for window in _both([(begins, ends)], windows):
            yield Span(who, *window)
        number += 1


def _windows(layer: Layer, holidays: Sequence[date], zone: ZoneInfo, start: float, end: float) -> list[Interval]:
    """Return the times that a layer is for, of those from `start` to `end`."""
    windows: list[Interval] = [(start, end)]
    if layer.only:
        days = list(_days(_clock(start, zone).date() - timedelta(days=1), _clock(end, zone).date()))
        allowed = [one for limit in layer.only for day in days for one in _window(limit, day, zone)]
        windows = _both(windows, _union(allowed))
    off = _union([_whole(day, zone) for day in holidays])
    if layer.holidays == "only":
        return _both(windows, off)
    return _without(windows, off) if layer.holidays == "never" else windows


def _window(limit: Restriction, day: date, zone: ZoneInfo) -> Iterator[Interval]:
    if DAYS[day.weekday()] in limit.days:
        opens = datetime.combine(day, _at(limit.from_))
        closes = datetime.combine(day, _at(limit.to))
        closes += timedelta(days=1) if closes <= opens else timedelta()
        yield _seconds(opens, zone), _seconds(closes, zone)


def _whole(day: date, zone: ZoneInfo) -> Interval:
    midnight = datetime.combine(day, time())
    return _seconds(midnight, zone), _seconds(midnight + timedelta(days=1), zone)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _at(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def _seconds(local: datetime, zone: ZoneInfo) -> float:
    return local.replace(tzinfo=zone).timestamp()


def _clock(seconds: float, zone: ZoneInfo) -> datetime:
    """Return what clocks of `zone` show, as a datetime without a zone."""
    return datetime.fromtimestamp(seconds, zone).replace(tzinfo=None, fold=0)


def _union(these: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, end in sorted(these):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif start < end:
            found.append((start, end))
    return found


def _both(these: Sequence[Interval], those: Sequence[Interval]) -> list[Interval]:
    cut = ((max(a, c), min(b, d)) for a, b in these for c, d in those)
    return [(start, end) for start, end in cut if start < end]


def _without(these: Sequence[Interval], those: Iterable[Interval]) -> list[Interval]:
    found = list(these)
    for start, end in those:
        found = [piece for a, b in found for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]]
    return found


def names(spec: ScheduleSpec) -> set[str]:
    """Return everybody who has a turn in `spec`."""
    return {name for layer in spec.layers for name in layer.people}


def document(spec: ScheduleSpec) -> dict[str, Any]:
    """Return `spec` as it is stored: without what is as usual."""
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
