"""Slots make schedules safe: who claims one runs it, and nobody else."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError

from metrics.live.connection import KEY, client


def claim(source: int, every_s: int, now: float) -> bool:
    """Claim the slot of `source` that `now` lies in, floor(now / every); False, if it was claimed before."""
    slot = int(now // every_s)
    return bool(client().set(f"{KEY}slot:{source}:{slot}", "1", nx=True, ex=2 * every_s + 60))


def claim_moment(source: int, moment: float, late_most_s: float) -> bool:
    """Claim the one run of `source` at `moment` (Unix seconds), which may come `late_most_s` late; False, as above."""
    lives_s = math.ceil(late_most_s) + 60
    return bool(client().set(f"{KEY}slot:{source}:at:{moment:.0f}", "1", nx=True, ex=lives_s))


@contextmanager
def run(source: int, longest_s: float) -> Iterator[bool]:
    """Hold the one run that `source` may have at a time; yields False while an earlier one goes on."""
    lock = client().lock(f"{KEY}running:{source}", timeout=longest_s, blocking=False)
    if not lock.acquire():
        yield False
        return
    try:
        yield True
    finally:
        with suppress(LockError):  # it took longer than it may, and the lock went to another run
            lock.release()
