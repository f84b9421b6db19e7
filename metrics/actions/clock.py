"""The wall clock that is set: samples of its future are kept apart, and come back."""

import structlog

from metrics.series.keep import put_back, set_aside

log = structlog.get_logger(__name__)

NOTICED_WITHIN_S = 2.0


def follow(before: float, after: float, now: float) -> None:
    """Follow the clock, which was set from `before` to `after`, at `now` (Unix seconds)."""
    if after < before:
        log.warning("samples of the future were set aside", samples=set_aside(now))
    elif count := put_back(before - NOTICED_WITHIN_S, now):
        log.warning("samples of the time that was skipped were put back", samples=count)
