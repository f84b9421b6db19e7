"""Noting whether samples arrive, and saying so once, in the log and on open pages, when they stop."""

import structlog

from metrics.live import events, health, watchers
from metrics.live.health import Arriving
from metrics.series.arrivals import Arrivals, arrivals

log = structlog.get_logger(__name__)


def look(now: float) -> None:
    """Note what arrived by `now` (Unix seconds); say it when nearly everything is late, and when that is over."""
    stopped = {one.way: one.stopped_at for one in health.arriving()}
    found = [_noted(one, stopped.get(one.way)) for one in arrivals(now)]
    health.record_arriving(found)
    changed = [one for one in found if (one.stopped_at is None) != (stopped.get(one.way) is None)]
    for one in changed:
        _log(one)
    if changed:
        _tell_open_pages(now)


def _noted(one: Arrivals, stopped_at: float | None) -> Arriving:
    """Return what is noted. Since when it is so is said once: another that grows late must not make it later."""
    since = (one.late_at if stopped_at is None else stopped_at) if one.stopped else None
    return Arriving(one.way, one.expected, one.late, one.newest_at, since)


def _log(one: Arriving) -> None:
    if one.stopped_at is None:
        log.warning("samples arrive again", way=one.way)
    else:
        log.error("everything is late at once", way=one.way, late=one.late, expected=one.expected)


def _tell_open_pages(now: float) -> None:
    for variant in watchers.watched(now):
        events.mark(variant, [events.NOTICE])
