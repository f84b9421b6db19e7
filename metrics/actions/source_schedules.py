"""Schedules of sources: every so many seconds, or by cron."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from metrics.actions.errors import Invalid
from metrics.models import Source
from metrics.schedule import BadSchedule, Schedule

EVERY_MOST_S = 86_400


def check(every_s: int | None, cron: str, time_zone: str) -> dict[str, Any]:
    """Return the fields of a source that hold its schedule. Raises Invalid for one that can't be."""
    if time_zone and not cron:
        raise Invalid("time_zone", "time_zone belongs to cron; every is the same in all of them.")
    if every_s is not None and not 1 <= every_s <= EVERY_MOST_S:
        raise Invalid("every", f"every is a whole number of seconds from 1 to {EVERY_MOST_S}.")
    zone = (time_zone or settings.TIME_ZONE) if cron else ""
    try:
        Schedule(every_s, cron, zone or "UTC")
    except BadSchedule as problem:
        raise Invalid(problem.field, str(problem)) from None
    return {"every_s": every_s, "cron": cron, "time_zone": zone}


def changed(source: Source, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed fields of the schedule. Giving one of every and cron takes the other one away."""
    if not changes.keys() & {"every", "cron", "time_zone"}:
        return {}
    every_s, cron = changes.get("every"), changes.get("cron", "")
    if every_s is None and not cron:
        every_s, cron = source.every_s, source.cron
    return check(every_s, cron, changes.get("time_zone", source.time_zone if cron else ""))
