"""Slots make schedules safe: who claims one runs it, and nobody else."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import RedisError

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
    with hold(f"running:{source}", longest_s) as mine:
        yield mine


@contextmanager
def hold(name: str, longest_s: float) -> Iterator[bool]:
    """Hold what only one may hold at a time, for `longest_s` at most; yields False while somebody else holds it."""
    lock = client().lock(f"{KEY}{name}", timeout=longest_s, blocking=False)
    if not lock.acquire():
        yield False
        return
    try:
        yield True
    finally:
        with suppress(RedisError):  # it took longer than it may, and the lock went to another; or it ends by itself
            lock.release()
