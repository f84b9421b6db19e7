"""The status of a source, in one word."""

from dataclasses import dataclass

from metrics.models import Source
from metrics.schedule import CLOCKS_DIFFER_S
from metrics.verdict import Verdict
from metrics.widgets.freshness import UNKNOWN_EVERY_S, freshness


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """`word` says it, `level` is the mark it gets: ok, warn, critical or nodata."""

    word: str
    level: str


OK = SourceStatus("ok", "ok")
DOWN = SourceStatus("down", "critical")
FAILING = SourceStatus("failing", "critical")
WARNING = SourceStatus("warning", "warn")
LATE = SourceStatus("late", "warn")
WAITING = SourceStatus("waiting", "nodata")
OFF = SourceStatus("off", "nodata")
QUIET = SourceStatus("quiet", "nodata")
ALL = (DOWN, FAILING, LATE, WARNING, OK, WAITING, QUIET, OFF)
"""The worst first."""
FOUND: dict[str, SourceStatus] = {Verdict.DOWN: DOWN, Verdict.WARNING: WARNING}


def status_of(source: Source, now: float) -> SourceStatus:
    """Return how `source` stands at `now` (Unix seconds).

    `down` is what the source checks; `failing` means that the run failed, so that nothing is known of it. `late` means
    that it should have run and did not: the collecting workers are at fault, not what it asks. Of what is pushed nobody
    knows how often it should come: after five minutes it is `quiet`, which is not bad.
    """
    ran_at = source.last_run_at.timestamp() if source.last_run_at else None
    if source.kind == Source.PUSH:
        return WAITING if ran_at is None else OK if -CLOCKS_DIFFER_S <= now - ran_at < UNKNOWN_EVERY_S else QUIET
    if not source.enabled:
        return OFF
    if ran_at is None:
        return FAILING if source.last_error else WAITING
    if freshness(ran_at, source.expected_every_s(now), now).state != "fresh":
        return LATE
    return of_run(source.last_error, source.last_verdict)


def of_run(error: str, verdict: str) -> SourceStatus:
    """Return what one run came to, by its error, a sentence or empty, and its verdict, one of Verdict or empty."""
    if error:
        return FAILING
    return FOUND.get(verdict, OK)
