"""Slots of sources that are due: each is claimed once, by however many processes."""

import math
import time
from dataclasses import dataclass
from typing import NamedTuple

from django.db import Error

from metrics.health import store as health
from metrics.models import Source
from metrics.prepared_query import PreparedQuery
from metrics.redis_state import slots
from metrics.redis_state.round_trip import ask, ask_all
from metrics.schedule import BadSchedule, Schedule

LATE_MOST_S = 60
"""A run by cron that no tick began within this many seconds is dropped, not made up for."""
WORTH_MOST_S = 3600

_database = health.LifeSign("database")
_rounds: dict[tuple[str, str], tuple[float, float]] = {}
"""The slot in which each cron, in its time zone, was last found: when it began, and when the next one does."""


class _Scheduled(NamedTuple):
    """Facts of a source that say when it is due."""

    pk: int
    every_s: int | None
    cron: str
    time_zone: str


_SCHEDULED = PreparedQuery(lambda: Source.objects.filter(enabled=True).order_by("pk").values_list(*_Scheduled._fields))


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed slot of a source; its run is worth nothing after `worth_s` seconds."""

    source: int
    worth_s: int


def due(now: float) -> list[Due]:
    """Claim and return the slots that `now` (Unix seconds) lies in, of all sources whose slot was not claimed yet."""
    try:
        sources = [_Scheduled(*row) for row in _SCHEDULED.rows()]
        found = [one for source in sources if (one := _candidate(source, now)) is not None]
    except Error:
        ask(health.tick(now))  # the tick ran, though the database did not answer
        raise
    sign = _database.at(now, time.monotonic())
    _, _, claimed = ask_all(health.tick(now), sign, slots.claims([slot for slot, _ in found], now))
    return [due for (_, due), is_ours in zip(found, claimed, strict=True) if is_ours]


def _candidate(source: _Scheduled, now: float) -> tuple[slots.Slot, Due] | None:
    """Return the slot that `now` lies in, and what is due if nobody claimed it; None if there is no such slot."""
    if source.every_s is not None:
        return slots.interval(source.pk, source.every_s, now), Due(source.pk, source.every_s)
    if not source.cron:
        return None
    try:
        began, ends = _round(source, now)
    except BadSchedule as problem:  # its time zone is one that this machine does not know
        Source.objects.filter(pk=source.pk).exclude(last_error=str(problem)).update(
            last_error=str(problem), last_verdict=""
        )
        return None
    if now - began > LATE_MOST_S:
        return None
    return slots.moment(source.pk, began, LATE_MOST_S), Due(source.pk, math.ceil(min(ends - now, WORTH_MOST_S)))


def _round(source: _Scheduled, now: float) -> tuple[float, float]:
    """Return when the slot of a cron source that `now` lies in began, and when the next one does."""
    key = source.cron, source.time_zone
    began, ends = _rounds.get(key, (0.0, 0.0))
    if not began <= now < ends:  # following cron through a calendar is too much work for every second
        schedule = Schedule(None, *key)
        _rounds[key] = began, ends = schedule.slot(now), schedule.after(now)
    return began, ends
