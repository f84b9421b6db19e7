"""Noting whether samples arrive, and saying so once when they stop."""

import structlog

from metrics.live import health
from metrics.live.health import Arriving
from metrics.series.arrivals import arrivals

log = structlog.get_logger(__name__)


def look(now: float) -> None:
    """Note what arrived by `now` (Unix seconds); log it when nearly everything is late, and when that is over."""
    found = [Arriving(one.way, one.expected, one.late, one.stopped, one.newest_at) for one in arrivals(now)]
    stopped_before = {one.way for one in health.record_arriving(found) if one.stopped}
    for one in found:
        if one.stopped and one.way not in stopped_before:
            log.error("everything is late at once", way=one.way, late=one.late, expected=one.expected)
        elif not one.stopped and one.way in stopped_before:
            log.warning("samples arrive again", way=one.way)
