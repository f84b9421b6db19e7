"""How a source stands, in one word."""

from dataclasses import dataclass

from metrics.models import Source
from metrics.widgets.freshness import UNKNOWN_EVERY_S, freshness


@dataclass(frozen=True, slots=True)
class Standing:
    """`word` says it, `level` is the mark it gets: ok, warn, critical or nodata."""

    word: str
    level: str


OK = Standing("ok", "ok")
FAILING = Standing("failing", "critical")
LATE = Standing("late", "warn")
WAITING = Standing("waiting", "nodata")
OFF = Standing("off", "nodata")
QUIET = Standing("quiet", "nodata")
ALL = (OK, FAILING, LATE, WAITING, OFF, QUIET)


def standing(source: Source, now: float) -> Standing:
    """Return how `source` stands at `now` (Unix seconds).

    `late` means that it should have run and did not: the collecting workers are at fault, not what it asks.
    Of what is pushed nobody knows how often it should come: after five minutes it is `quiet`, which is not bad.
    """
    ran_at = source.last_run_at.timestamp() if source.last_run_at else None
    if source.kind == Source.PUSH:
        return WAITING if ran_at is None else OK if now - ran_at < UNKNOWN_EVERY_S else QUIET
    if not source.enabled:
        return OFF
    if ran_at is None:
        return FAILING if source.last_error else WAITING
    if freshness(ran_at, source.expected_every_s(now), now).state != "fresh":
        return LATE
    return FAILING if source.last_error else OK
