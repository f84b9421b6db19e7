"""What changed and must be rendered: marks on widgets, and the request for a worker to render them.

Per variant a hash counts the marks of each widget. A render reads the counts, draws, publishes, and only
then takes back what it had seen: a mark made meanwhile stays, and a worker that dies loses none. A lock lets
one worker at a time render a variant, and turns are numbered, so that an older drawing can't overtake a newer
one even if the lock's holder died or took too long.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import structlog
from celery import current_app
from celery.exceptions import OperationalError
from redis import RedisError
from redis.exceptions import LockError, LockNotOwnedError

from metrics.live.connection import KEY, client
from metrics.live.snapshot import Variant, next_turn

log = structlog.get_logger(__name__)

RENDER_TASK = "tasks.render.render"
DEBOUNCE_S = 0.1
LOCK_S = 5
ALL = "*"
"""The mark that means every widget of the variant, and the notice."""
NOTICE = "notice"
"""The mark of the notice, which is a fragment of that name beside those of the widgets."""
_SINCE = "@"
"""The field beside the marks that holds when the oldest of them was made, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a render is to draw: ids of widgets, or `ALL` or `NOTICE` among them.

    `since` is when the oldest was marked; `turn` is the number under which the result may be stored.
    """

    widgets: frozenset[str]
    since: float
    turn: int


_TAKE_BACK = """
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
"""


def mark(variant: Variant, widgets: Iterable[int | str]) -> None:
    """Mark `widgets` (ids, `ALL`, `NOTICE`) of `variant` as changed, and have them rendered soon.

    A Redis that does not answer is logged and otherwise ignored: what was to be shown is in the database,
    and the hub asks for everything anew once it can.
    """
    try:
        pipe = client().pipeline(transaction=False)
        for widget in widgets:
            pipe.hincrby(_marks(variant), str(widget), 1)
        pipe.hsetnx(_marks(variant), _SINCE, repr(time.time()))
        pipe.expire(_marks(variant), 3600)
        pipe.execute()
        request(variant)
    except (RedisError, OperationalError) as error:
        log.warning("marks were not kept", variant=str(variant), error=str(error))


def request(variant: Variant) -> None:
    """Ask for `variant` to be rendered, unless that was asked and not begun yet. The request lapses by itself."""
    if client().set(_pending(variant), "1", nx=True, px=2000):
        current_app.send_task(RENDER_TASK, args=[variant.slug, variant.range], queue="render", expires=10)


def is_marked(variant: Variant) -> bool:
    """Return whether something of `variant` waits to be rendered."""
    return bool(client().exists(_marks(variant)))


@contextmanager
def turn(variant: Variant) -> Iterator[Marked]:
    """Hold the turn to render `variant`; yields what is marked.

    Waits so that two renders of a variant are `DEBOUNCE_S` apart. Leaving without an exception takes back
    the marks that were yielded. Yields nothing when another worker keeps the turn: the marks stay, and the
    next sweep asks for them again.
    """
    lock = client().lock(_rendering(variant), timeout=LOCK_S, blocking_timeout=2)
    if not lock.acquire():
        yield Marked(frozenset(), time.time(), 0)
        return
    try:
        _wait(variant)
        client().delete(_pending(variant))
        turn = next_turn(variant)
        seen = cast(dict[str, str], client().hgetall(_marks(variant)))
        yield Marked(frozenset(seen) - {_SINCE}, float(seen.get(_SINCE, time.time())), turn)
        _take_back(variant, seen)
    finally:
        client().set(_rendered(variant), repr(time.time()), ex=60)
        try:
            lock.release()
        except (LockNotOwnedError, LockError):
            log.warning("rendering took longer than its lock", variant=str(variant))


def first_of_period(variant: Variant, period: int) -> bool:
    """Return True the first time it is called for `variant` with this `period`, by any process."""
    previous = cast(str | None, client().set(f"{KEY}period:{variant}", str(period), ex=3600, get=True))
    return previous != str(period)


def free(variant: Variant) -> None:
    """End the turn that goes on, if there is one; should its holder live after all, its number is out of turn."""
    client().delete(_rendering(variant))


def redis_restarted() -> bool:
    """Return True the first time it is called, by any process, after Redis was started: marks may be missing."""
    run = cast(dict[str, str], client().info("server"))["run_id"]
    return cast(str | None, client().set(f"{KEY}run", run, get=True)) != run


def _take_back(variant: Variant, seen: Mapping[str, str]) -> None:
    if seen:
        flat = [item for pair in seen.items() for item in pair]
        client().register_script(_TAKE_BACK)(keys=[_marks(variant)], args=flat)


def _wait(variant: Variant) -> None:
    rendered = float(cast(str | None, client().get(_rendered(variant))) or 0)
    time.sleep(min(DEBOUNCE_S, max(0.0, rendered + DEBOUNCE_S - time.time())))


def _marks(variant: Variant) -> str:
    return f"{KEY}marks:{variant}"


def _rendering(variant: Variant) -> str:
    return f"{KEY}rendering:{variant}"


def _pending(variant: Variant) -> str:
    return f"{KEY}pending:{variant}"


def _rendered(variant: Variant) -> str:
    return f"{KEY}rendered:{variant}"
