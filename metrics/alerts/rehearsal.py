"""Rehearsing a rule: the same fold, over the past. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from metrics.alerts.machine import ALERTING, BURNING, IsBad, State, Status, Timing, fold

FLAPS_WITHIN_S = 3600.0
"""An alert that begins again within this after it ended flaps."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that an alert would have been there: from `start` to `end` (Unix seconds), None if it still is.

    `state` is what it began with, firing or nodata.
    """

    state: State
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rule's past with one series: its `episodes`, oldest first, and how many of them are `flaps`.

    `fired_s` is for how long it would have been there in all.
    """

    name: str
    episodes: tuple[Episode, ...]
    flaps: int
    fired_s: float


def rehearse(
    name: str, samples: Iterable[tuple[float, float]], until: float, is_bad: IsBad, timing: Timing
) -> Rehearsed:
    """Return what a rule would have done with `samples`, (Unix seconds, value), until a time."""
    _, changes = fold(Status(), samples, until, is_bad, timing)
    episodes: list[Episode] = []
    open_: tuple[State, float] | None = None
    for change in changes:
        if open_ is None and change.after in ALERTING:
            open_ = change.after, change.at
        elif open_ is not None and change.after not in ALERTING | BURNING:
            episodes.append(Episode(*open_, change.at))
            open_ = None
    if open_ is not None:
        episodes.append(Episode(*open_, None))
    return Rehearsed(name, tuple(episodes), _flaps(episodes), sum((one.end or until) - one.start for one in episodes))


def _flaps(episodes: Sequence[Episode]) -> int:
    return sum(one.end is not None and after.start - one.end < FLAPS_WITHIN_S for one, after in pairwise(episodes))
