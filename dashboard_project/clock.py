"""Time that goes on evenly when the wall clock is set, and the notice that it was."""

import time
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

STEP_LEAST_S = 2.0
"""Less is the work of a daemon that keeps the clock right."""


class SteadyClock:
    """The wall clock's time when this began, and since then what the monotonic clock counted."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._ticks = time.monotonic()
        self._offset_s = time.time() - self._ticks

    def now(self) -> datetime:
        return self._began + timedelta(seconds=time.monotonic() - self._ticks)

    def note_step(self) -> float:
        """Return by how many seconds the wall clock was set since the last call, 0 if it was not; log it if it was."""
        offset_s = time.time() - time.monotonic()
        by_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if abs(by_s) < STEP_LEAST_S:
            return 0.0
        log.warning("the wall clock was set", by_s=round(by_s, 1))
        return by_s
