"""Arrival of samples: noted for open pages, and logged once when samples stop to arrive."""

from dataclasses import replace

import structlog

from metrics.health import store as health
from metrics.health.store import Arriving
from metrics.series.read import Arrivals, arrivals

log = structlog.get_logger(__name__)

SETTLED_S = 30.0


def look(now: float) -> None:
    """Note what arrived by `now` (Unix seconds); say it when nearly everything is late, and when that is over."""
    stopped = {one.way: one.stopped_at for one in health.arriving()}
    found = [_noted(one, stopped.get(one.way)) for one in arrivals(now)]
    if not _settled():
        found = [replace(one, stopped_at=None) for one in found]
    health.record_arriving(found)
    for one in found:
        if (one.stopped_at is None) != (stopped.get(one.way) is None):
            _log(one)


def _settled() -> bool:
    """Return whether all that brings samples has run for a while: else their being late has a cause that was named."""
    return all(sign.running_s >= SETTLED_S for name, sign in health.signs().items() if name in health.STEADY)


def _noted(one: Arrivals, stopped_at: float | None) -> Arriving:
    """Return what is noted. Since when it is so is said once: another that grows late must not make it later."""
    since = (one.late_at if stopped_at is None else stopped_at) if one.stopped else None
    return Arriving(one.way, one.expected, one.late, one.newest_at, since)


def _log(one: Arriving) -> None:
    if one.stopped_at is None:
        log.warning("samples arrive again", way=one.way)
    else:
        log.error("everything is late at once", way=one.way, late=one.late, expected=one.expected)
