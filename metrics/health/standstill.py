"""Which part of the system stands still, told by the signs of life that each records.

beat, render and collect each record every two seconds that their process runs. Three tasks show more, as long as beat
sends them: `sweep` that the worker `render` has a thread to spare, `database` that its tick could read the database,
`collecting` that the worker `collect` has a thread to spare, as does each run of a source.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from metrics.health import store as health
from metrics.health.ages import Ages
from metrics.health.store import Sign

log = structlog.get_logger(__name__)

SILENT_AFTER_S = 10.0
BUSY_AFTER_S = 15.0
SIGNS_APART_S = 3.0
"""Parts that stop together gave their last signs so far apart at most. Meanwhile it is not known which is the cause."""
NEVER_CAME_AFTER_S = 60.0
"""A process that has not been seen since the others began counts as standing still after this time."""


class Part(StrEnum):
    """Parts of the system; of several that stand still, the first in this order is named.

    Without `render` nothing is due, so `collect` may only seem to stand still, and without `beat` likewise.
    """

    RENDER = "render"
    BEAT = "beat"
    DATABASE = "database"
    COLLECT = "collect"


class State(StrEnum):
    """How a part is: `unseen` did not begin yet, `busy` runs and gets nothing done, `unknown` depends on another."""

    OK = "ok"
    UNSEEN = "unseen"
    SILENT = "silent"
    BUSY = "busy"
    UNKNOWN = "unknown"


STILL = frozenset({State.SILENT, State.BUSY})


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How a part is, and for how many seconds that has been so, if it stands still."""

    state: State
    for_s: float = 0.0


_OK, _UNSEEN, _UNKNOWN = PartStatus(State.OK), PartStatus(State.UNSEEN), PartStatus(State.UNKNOWN)
_ages = Ages()


def look(now: float) -> dict[Part, PartStatus]:
    """Return how each part is at `now` (Unix seconds). Raises redis.RedisError when Redis does not answer."""
    return look_at(health.signs(), now)


def look_at(signs: Mapping[str, Sign], now: float) -> dict[Part, PartStatus]:
    """Return how each part is at `now` (Unix seconds), by the newest `signs` of life, which were read just now."""
    ticks = time.monotonic()
    ages = {name: _ages.age_s(name, signs[name].at if name in signs else None, now, ticks) for name in health.SIGNS}
    return judge(signs, ages)


def first(statuses: Mapping[Part, PartStatus]) -> Part | None:
    """Return the part that is to be named as the cause, None if none stands still."""
    return next((part for part in Part if statuses[part].state in STILL), None)


class Watch:
    """Logs once that a part stands still, and once that it goes on, as one process sees it."""

    def __init__(self) -> None:
        self._part: Part | None = None

    def log_change(self, statuses: Mapping[Part, PartStatus]) -> None:
        """Log what is news in how each part is."""
        before, self._part = self._part, first(statuses)
        if self._part is not None and self._part != before:
            log.error("a part of the system stands still", part=str(self._part), state=str(statuses[self._part].state))
        elif self._part is None and before is not None:
            log.warning("it goes on again", part=str(before))


def judge(signs: Mapping[str, Sign], ages: Mapping[str, float]) -> dict[Part, PartStatus]:
    """Return how each part is, by the newest `signs` there are, and how old they are, or how long there is none."""
    up_s = max((sign.running_s for sign in signs.values()), default=0.0)

    def process(name: str) -> PartStatus:
        return _seen(ages[name]) if name in signs else _never_seen(min(ages[name], up_s))

    def due_s(*names: str) -> float:
        return min(signs[name].running_s + ages[name] for name in names)

    def unless(status: PartStatus, *causes: str) -> PartStatus:
        """Return `status`, but unknown if it is silent and one of its `causes` may turn out to be in a moment."""
        nearly_s = SILENT_AFTER_S - SIGNS_APART_S
        awaited = any(name in signs and nearly_s <= ages[name] < SILENT_AFTER_S for name in causes)
        return _UNKNOWN if status.state is State.SILENT and awaited else status

    beat, render, collect = process("beat"), process("render"), process("collect")
    database = _UNKNOWN
    if _OK == beat == render:
        due = due_s("beat", "render")
        render = _task(min(ages["sweep"], due), State.BUSY, BUSY_AFTER_S)
        database = _task(min(ages["database"], due), State.SILENT, SILENT_AFTER_S) if render == _OK else _UNKNOWN
    if _OK == beat == collect:
        collect = _task(min(ages["collecting"], due_s("beat", "collect")), State.BUSY, BUSY_AFTER_S)
    return {
        Part.BEAT: unless(beat, "render"),
        Part.RENDER: render,
        Part.DATABASE: unless(database, "render", "beat"),
        Part.COLLECT: unless(collect, "render", "beat"),
    }


def _seen(age_s: float) -> PartStatus:
    return PartStatus(State.SILENT, age_s) if age_s >= SILENT_AFTER_S else _OK


def _never_seen(for_s: float) -> PartStatus:
    """Judge a process that gave no sign for as long as others have been up."""
    return PartStatus(State.SILENT, for_s) if for_s >= NEVER_CAME_AFTER_S else _UNSEEN


def _task(for_s: float, state: State, after_s: float) -> PartStatus:
    """Judge by a task whose last sign was `for_s` seconds ago, or that could give one for that long and did not."""
    return PartStatus(state, for_s) if for_s >= after_s else _OK
