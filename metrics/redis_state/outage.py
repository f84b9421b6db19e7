"""Redis that does not serve: one sentence for people, and at most one line a minute in the log for each kind.

Tasks that the database puts off are logged as seldom.
"""

import threading
import time
from dataclasses import dataclass

import structlog
from celery.exceptions import OperationalError as BrokerError
from redis import RedisError
from redis.exceptions import OutOfMemoryError, ReadOnlyError

TROUBLE = (RedisError, BrokerError)
"""Exceptions of commands when Redis does not serve them, directly or by way of Celery."""
LINE_EVERY_S = 60.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Line:
    logged: float
    left_out: int = 0


class Limit:
    """Lets a line of each kind pass once in `LINE_EVERY_S` seconds, and counts those between; safe with threads."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()

    def left_out(self, kind: str, ticks: float) -> int | None:
        """Return how many lines of this `kind` were left out before this one, None if this one is to be as well.

        `ticks` is monotonic seconds.
        """
        with self._lock:
            line = self._lines.get(kind)
            if line is not None and ticks - line.logged < LINE_EVERY_S:
                line.left_out += 1
                return None
            self._lines[kind] = _Line(ticks)
            return line.left_out if line else 0


limit = Limit()


def words(error: BaseException | None) -> str:
    """Return what is wrong with Redis, as a sentence."""
    text = str(error)
    if isinstance(error, OutOfMemoryError) or "OOM command not allowed" in text:
        return "Redis is out of memory."
    if isinstance(error, ReadOnlyError) or "READONLY" in text:
        return "Redis can only be read."
    return "Redis does not answer."


def log(event: str, error: BaseException, **more: object) -> None:
    """Log `event`, which came of `error`, unless a line of both was logged within the last minute."""
    left_out = limit.left_out(event + words(error), time.monotonic())
    if left_out is not None:
        _log.warning(event, error=str(error), **({"left_out": left_out} if left_out else {}), **more)
