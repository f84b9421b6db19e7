"""Marks on widgets that changed and must be rendered, and the turn of a worker to render them.

Per variant a hash counts the marks of each widget. A render reads the counts, draws, publishes, and only
then takes back what it had seen: a mark made meanwhile stays, and a worker that dies loses none. A lock lets
one worker at a time render a variant, and turns are numbered, so that an older drawing can't overtake a newer
one even if the lock's holder died or took too long.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import structlog
from celery.exceptions import OperationalError
from redis import RedisError
from redis.exceptions import LockError, LockNotOwnedError

from metrics.live import waiting
from metrics.live.snapshot import next_turn
from metrics.live.topic import Topic
from metrics.redis_state import outage
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands

log = structlog.get_logger(__name__)

DEBOUNCE_S = 0.1
LOCK_S = 5
ALL = "*"
"""The mark that means every widget of the variant."""
_SINCE = "@"
"""The field beside the marks that holds when the oldest of them was made, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Marked:
    """Widgets to render: their keys, or `ALL` among them.

    `since` is when the oldest was marked; `turn` is the number under which the result may be stored.
    """

    widgets: frozenset[str]
    since: float
    turn: int


_MARK = """
for place = 2, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[place], 1) end
redis.call('HSETNX', KEYS[1], '@', ARGV[1])
redis.call('EXPIRE', KEYS[1], 3600)
"""
# A mark that stays was made after the render read the counts, so it is the oldest now.
_TAKE_BACK = """
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
if redis.call('HLEN', KEYS[1]) > 0 then redis.call('HSETNX', KEYS[1], '@', ARGV[1]) end
"""
# Redis looks for the one line of what it says of itself, which takes a client longer than all else of a sweep.
_RESTARTED = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('GET', KEYS[1]) == run then return 0 end
redis.call('SET', KEYS[1], run)
return 1
"""


def mark(variant: Topic, widgets: Iterable[str]) -> None:
    """Mark `widgets` (keys, `ALL`) of `variant` as changed, as `mark_each` does."""
    mark_each({variant: widgets})


def mark_each(changed: Mapping[Topic, Iterable[str]]) -> None:
    """Mark the widgets (keys, `ALL`) that `changed` has for each variant, and have them rendered soon.

    A Redis that does not answer is logged and otherwise ignored: what was to be shown is in the database,
    and the hub asks for everything anew once it can.
    """
    if not changed:
        return
    try:
        pipe, script, now = client().pipeline(transaction=False), client().register_script(_MARK), repr(time.time())
        for variant, widgets in changed.items():
            script(keys=[_marks(variant)], args=[now, *widgets], client=pipe)
        pipe.execute()
        waiting.add(changed.keys())
    except (RedisError, OperationalError) as error:
        outage.log("marks were not kept", error)


def is_marked(variant: Topic) -> bool:
    """Return whether something of `variant` waits to be rendered."""
    return bool(client().exists(_marks(variant)))


def marked(variants: Sequence[Topic]) -> set[Topic]:
    """Return those of `variants` of which something waits to be rendered."""
    pipe = client().pipeline(transaction=False)
    for variant in variants:
        pipe.exists(_marks(variant))
    return {variant for variant, exists in zip(variants, pipe.execute(), strict=True) if exists}


def marked_since(variants: Iterable[Topic]) -> Commands[list[float | None]]:
    """Return, for each of `variants`, since when (Unix seconds) something waits to be rendered; None: nothing does."""
    return Commands(
        [("HGET", _marks(variant), _SINCE) for variant in variants],
        lambda found: [None if since is None else float(since) for since in found],
    )


@contextmanager
def turn(variant: Topic) -> Iterator[Marked]:
    """Hold the turn to render `variant`; yields what is marked.

    Waits so that two renders of a variant are `DEBOUNCE_S` apart. Leaving without an exception takes back
    the marks that were yielded. Yields nothing when another worker keeps the turn: the marks stay, and that worker
    has the variant wait again, or the next sweep does.
    """
    lock = client().lock(_rendering(variant), timeout=LOCK_S, blocking=False)
    if not lock.acquire():
        yield Marked(frozenset(), time.time(), 0)
        return
    try:
        _wait(variant)
        turn, seen_at = next_turn(variant), time.time()
        seen = cast(dict[str, str], client().hgetall(_marks(variant)))
        yield Marked(frozenset(seen) - {_SINCE}, float(seen.get(_SINCE, seen_at)), turn)
        _take_back(variant, seen, seen_at)
    finally:
        client().set(_rendered(variant), repr(time.time()), ex=60)
        try:
            lock.release()
        except (LockNotOwnedError, LockError):
            log.warning("rendering took longer than its lock", variant=str(variant))
    if is_marked(variant):
        waiting.add([variant])


def begin_periods(periods: Mapping[Topic, int]) -> set[Topic]:
    """Return the variants for which this is called with their period for the first time, by any process."""
    pipe = client().pipeline(transaction=False)
    for variant, period in periods.items():
        pipe.set(f"{KEY}period:{variant}", str(period), ex=3600, get=True)
    before = cast(list[str | None], pipe.execute())
    return {one for (one, period), last in zip(periods.items(), before, strict=True) if last != str(period)}


def free(variant: Topic) -> None:
    """End the turn that goes on, if there is one; should its holder live after all, its number is out of turn."""
    client().delete(_rendering(variant))


def redis_restarted() -> Commands[bool]:
    """Return True the first time it is asked, by any process, after Redis was started: marks may be missing."""
    return Commands([("EVAL", _RESTARTED, 1, f"{KEY}run")], lambda answers: bool(answers[0]))


def _take_back(variant: Topic, seen: Mapping[str, str], seen_at: float) -> None:
    if seen:
        arguments: list[Any] = [repr(seen_at), *(item for pair in seen.items() for item in pair)]
        client().register_script(_TAKE_BACK)(keys=[_marks(variant)], args=arguments)


def _wait(variant: Topic) -> None:
    rendered = float(cast(str | None, client().get(_rendered(variant))) or 0)
    time.sleep(min(DEBOUNCE_S, max(0.0, rendered + DEBOUNCE_S - time.time())))


def _marks(variant: Topic) -> str:
    return f"{KEY}marks:{variant}"


def _rendering(variant: Topic) -> str:
    return f"{waiting.RENDERING}{variant}"


def _rendered(variant: Topic) -> str:
    return f"{KEY}rendered:{variant}"
