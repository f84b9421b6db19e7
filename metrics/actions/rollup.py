"""Keeping history small: rolling, packing and pruning."""

import time

import structlog
from redis.exceptions import LockError

from metrics.live.connection import KEY, client
from metrics.series import rollup

log = structlog.get_logger(__name__)

SPENDS_S = 40.0
"""For one run, which comes every minute; what is left then is for the next."""


def keep(now: float) -> bool:
    """Do what is due at `now` (Unix seconds); return False if somebody else does it just now.

    The lock only saves two from doing the same: each portion is a transaction that holds a row of its own.
    """
    lock = client().lock(f"{KEY}rolling", timeout=10 * SPENDS_S)
    if not lock.acquire(blocking=False):
        return False
    until = time.monotonic() + SPENDS_S
    try:
        rollup.roll(now, lambda: time.monotonic() < until)
    finally:
        try:
            lock.release()
        except LockError:
            log.warning("rolling took longer than its lock")
    return True
