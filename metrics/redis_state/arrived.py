"""Series that rules look at and that have new samples, until these are looked at.

A hash has, by series, the time of the oldest sample that nobody looked at. A worker that looks takes the whole hash,
and its part is kept until it is done: a worker that dies loses nothing, and the next one goes on with the same part.
Series that are looked at again, because nobody knows whether they were, have fields of their own: their ids are
negative.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, cast

from celery import current_app
from redis.lock import Lock

from metrics.redis_state.connection import KEY, client

TASK = "tasks.system.evaluate"
QUEUE = "system"
WORTH_S = 10
LOCK_S = 15

_NEW, _TAKEN, _KNOWN = f"{KEY}alerts:new", f"{KEY}alerts:taken", f"{KEY}alerts:known"
_LOCK, _LOOKED = f"{KEY}alerts:lock", f"{KEY}alerts:looked"

# A few long arguments, a time and its series each: the client takes far longer to write a thousand short ones.
# Wakes somebody with the first one only: who looks goes on until nothing is left.
_ADD = """
local first = redis.call('EXISTS', KEYS[1]) == 0
for place = 1, #ARGV, 2 do
  local at = tonumber(ARGV[place])
  for series in string.gmatch(ARGV[place + 1], '[^,]+') do
    local before = tonumber(redis.call('HGET', KEYS[1], series) or '')
    if not before or at < before then redis.call('HSET', KEYS[1], series, ARGV[place]) end
  end
end
return first and 1 or 0
"""
_MISSED = """
local before = tonumber(redis.call('GET', KEYS[1]) or '')
if not before or before > tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
"""
_NOTHING = "-"
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('HGETALL', KEYS[2])
"""


class Taken(NamedTuple):
    """Series (ids) to look at, each with the time of its oldest sample (Unix ms).

    Those of `new` have new samples; those of `back` are looked at again, as nobody knows what was.
    """

    new: dict[int, int]
    back: dict[int, int]


def add(oldest_ms: Mapping[int, int], *, back: bool = False) -> None:
    """Have series (ids) looked at that have samples from a time on (Unix ms). Raises RedisError, OperationalError.

    Those looked `back` at may have been looked at before.
    """
    if oldest_ms:
        sign = -1 if back else 1
        by_time: dict[int, list[str]] = defaultdict(list)
        for series, at_ms in oldest_ms.items():
            by_time[at_ms].append(str(sign * series))
        arguments = [part for at_ms, some in by_time.items() for part in (at_ms, ",".join(some))]
        if cast(int, client().register_script(_ADD)(keys=[_NEW], args=arguments)):
            wake()


def wake() -> None:
    """Wake a worker. Raises OperationalError."""
    current_app.send_task(TASK, queue=QUEUE, expires=WORTH_S)


def waits() -> bool:
    """Return whether some were not looked at yet."""
    return bool(client().exists(_NEW, _TAKEN))


@contextmanager
def turn() -> Iterator[Lock | None]:
    """Hold the turn to look; yields None while another process has it. `extend(LOCK_S, True)` holds it for longer."""
    lock = client().lock(_LOCK, timeout=LOCK_S, blocking=False)
    if not lock.acquire():
        yield None
        return
    try:
        yield lock
    finally:
        if lock.owned():
            lock.release()


def take() -> Taken:
    """Return the series to look at. Both of it are empty if nothing waits."""
    found = cast(list[str], client().register_script(_TAKE)(keys=[_NEW, _TAKEN]))
    pairs = [(int(series), int(at_ms)) for series, at_ms in zip(found[::2], found[1::2], strict=True)]
    return Taken(
        {series: at for series, at in pairs if series > 0}, {-series: at for series, at in pairs if series < 0}
    )


def done() -> None:
    """Forget what was taken."""
    client().delete(_TAKEN)


def missed(since_ms: int) -> None:
    """Note that samples since a time (Unix ms) may not have been added. Raises RedisError."""
    client().register_script(_MISSED)(keys=[_KNOWN], args=[since_ms])


def missing_since() -> int | None:
    """Return since when samples may be missing (Unix ms); 0 after Redis lost its data, None if none are."""
    found = cast(str | None, client().get(_KNOWN))
    return 0 if found is None else int(found) if found != _NOTHING else None


def looked_back() -> None:
    """Note that nothing is missing."""
    client().set(_KNOWN, _NOTHING)


def looked_at() -> int | None:
    """Return the newest moment of which what is calculated was looked at (Unix seconds); None if nobody knows."""
    found = cast(str | None, client().get(_LOOKED))
    return None if found is None else int(found)


def note_look(at: float) -> None:
    """Note that what is calculated was looked at as of a moment (Unix seconds)."""
    client().set(_LOOKED, round(at))
