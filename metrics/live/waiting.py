"""The variants that wait to be rendered: each once, however often and long it is asked for, in the order of asking.

The queue is a sorted set in Redis. A worker is woken by a task that names no variant, and renders what waits until
nothing does. So a lost task costs a second at most, and a long wait makes no queue longer than there are variants.
"""

from collections.abc import Collection
from typing import cast

from celery import current_app

from metrics.live.topic import Topic
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import Commands, ask

RENDER_TASK = "tasks.render.render"
QUEUE = "render"
RENDERING = f"{KEY}rendering:"
"""Before the variant's name: the lock of the worker that renders it now."""
WAKES_MOST = 8
"""Tasks sent at once: each that finds a thread renders all that waits, so more would only be thrown away."""
WORTH_S = 10

_WAITING = f"{KEY}waiting:topics"
_NUMBER = f"{KEY}waiting:number"
_TASKS = f"{KEY}celery:{QUEUE}"

# One that is being rendered is not added: whoever renders it looks at its end whether something was marked meanwhile.
_ADD = """
local added = 0
for _, variant in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[3] .. variant) == 0 and not redis.call('ZSCORE', KEYS[1], variant) then
    added = added + redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), variant)
  end
end
return added
"""


def add(variants: Collection[Topic]) -> None:
    """Have `variants` rendered, those that wait already not a second time. Raises RedisError, OperationalError."""
    if variants:
        script = client().register_script(_ADD)
        wake(cast(int, script(keys=[_WAITING, _NUMBER, RENDERING], args=[str(variant) for variant in variants])))


def wake(count: int = 1) -> None:
    """Wake workers for `count` variants."""
    for _ in range(min(count, WAKES_MOST)):
        current_app.send_task(RENDER_TASK, queue=QUEUE, expires=WORTH_S)


def forgotten() -> Commands[bool]:
    """Return whether something waits and nobody is asked to render it."""
    return Commands([("ZCARD", _WAITING), ("LLEN", _TASKS)], lambda counts: bool(counts[0]) and not counts[1])


def take() -> Topic | None:
    """Return the variant whose turn it is, which then waits no longer; None if none waits."""
    found = cast(list[tuple[str, float]], client().zpopmin(_WAITING))
    return Topic.parse(found[0][0]) if found else None


def count() -> Commands[int]:
    """Return how many variants wait."""
    return Commands([("ZCARD", _WAITING)], lambda answers: int(answers[0]))


def length() -> int:
    """Return how many variants wait. Raises RedisError."""
    return ask(count())
