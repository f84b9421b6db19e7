"""Keeping history small: rolling, packing and pruning."""

import time

import structlog
from redis.exceptions import LockError

from metrics.redis_state.connection import KEY, client
from metrics.series.keep import forget_future, pack, prune, roll

log = structlog.get_logger(__name__)

SPENDS_S = 40.0
"""For one run, which comes every minute; what is left then is for the next."""
PAUSES_S = 0.01
"""After each portion: on SQLite, whoever wants to write gets its turn then."""


def keep(now: float) -> bool:
    """Do what is due at `now` (Unix seconds); return False if somebody else does it just now.

    The lock only saves two from doing the same: each portion is a transaction that holds a row of its own.
    """
    lock = client().lock(f"{KEY}rolling", timeout=10 * SPENDS_S)
    if not lock.acquire(blocking=False):
        return False
    until = time.monotonic() + SPENDS_S

    def has_time() -> bool:
        time.sleep(PAUSES_S)
        return time.monotonic() < until

    try:
        for step in (roll, pack, prune):
            step(now, has_time)
        forget_future(now)
    finally:
        try:
            lock.release()
        except LockError:
            log.warning("rolling took longer than its lock")
    return True
