"""Slots make schedules safe: who claims one runs it, and nobody else."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from redis import RedisError

from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands, ask
from metrics.schedule import CLOCKS_DIFFER_S

# A claim of the future was made before the clock was set back. It must not keep a source from running until then.
_CLAIM = """
local got = {}
for place, key in ipairs(KEYS) do
  local begin, claimed = ARGV[2 * place], tonumber(redis.call('GET', key) or '')
  if claimed and claimed >= tonumber(begin) and claimed <= tonumber(ARGV[1]) then
    got[place] = 0
  else
    redis.call('SET', key, begin, 'EX', ARGV[2 * place + 1])
    got[place] = 1
  end
end
return got
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the schedule `name` that begins at `begin` (Unix seconds). Its claim is kept for `kept_s`."""

    name: str
    begin: float
    kept_s: int


def interval(source: int, every_s: int, now: float) -> Slot:
    """Return the slot of `source` that `now` lies in, floor(now / every)."""
    return Slot(f"{source}:{every_s}", now // every_s * every_s, 2 * every_s + 60)


def moment(source: int, at: float, late_most_s: float) -> Slot:
    """Return the slot for the one run of `source` at a moment, which may come `late_most_s` after it."""
    return Slot(f"{source}:cron", at, math.ceil(late_most_s) + 60)


def claims(slots: Sequence[Slot], now: float) -> Commands[list[bool]]:
    """Claim slots; return for each whether it is claimed now: False if it or a later one of its schedule was before."""
    if not slots:
        return Commands([], lambda _: [])
    keys = [f"{KEY}slot:{slot.name}" for slot in slots]
    arguments: list[str | int] = [repr(now + CLOCKS_DIFFER_S)]
    for slot in slots:
        arguments += [f"{slot.begin:.0f}", slot.kept_s]
    return Commands([("EVAL", _CLAIM, len(keys), *keys, *arguments)], lambda answers: [bool(one) for one in answers[0]])


def claim(slots: Sequence[Slot], now: float) -> list[bool]:
    """Claim slots, as `claims` does. Raises RedisError."""
    return ask(claims(slots, now))


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
