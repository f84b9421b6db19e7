"""Slots make schedules safe: who claims one runs it, and nobody else."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import RedisError

from metrics.live.connection import KEY, client
from metrics.schedule import CLOCKS_DIFFER_S

# A claim of the future was made before the clock was set back. It must not keep a source from running until then.
_CLAIM = """
local claimed = tonumber(redis.call('GET', KEYS[1]) or '')
if claimed and claimed >= tonumber(ARGV[1]) and claimed <= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
"""


def claim(source: int, every_s: int, now: float) -> bool:
    """Claim the slot of `source` that `now` lies in, floor(now / every); False, if it was claimed before."""
    return _claim(f"{source}:{every_s}", now // every_s * every_s, now, 2 * every_s + 60)


def claim_moment(source: int, moment: float, now: float, late_most_s: float) -> bool:
    """Claim the one run of `source` at `moment`, which may come `late_most_s` after it; False, as above."""
    return _claim(f"{source}:cron", moment, now, math.ceil(late_most_s) + 60)


def _claim(name: str, begin: float, now: float, kept_s: int) -> bool:
    """Claim what begins at `begin`, unless that or something later is claimed; all times are Unix seconds."""
    arguments: list[str | int] = [f"{begin:.0f}", repr(now + CLOCKS_DIFFER_S), kept_s]
    return bool(client().register_script(_CLAIM)(keys=[f"{KEY}slot:{name}"], args=arguments))


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
