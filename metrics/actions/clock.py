"""What becomes of samples when the wall clock is set."""

import structlog

from metrics.series import future

log = structlog.get_logger(__name__)

NOTICED_WITHIN_S = 2.0


def follow(before: float, after: float, now: float) -> None:
    """Follow the clock, which was set from `before` to `after`, at `now` (Unix seconds)."""
    if after < before:
        log.warning("samples of the future were set aside", samples=future.set_aside(now))
    elif count := future.put_back(before - NOTICED_WITHIN_S, now):
        log.warning("samples of the time that was skipped were put back", samples=count)
