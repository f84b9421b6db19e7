"""Steps of a series' past, for conditions that need more than the newest value. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from typing import Any

HOUR_S, DAY_S = 3600, 86_400
STEPS_S = (10, 60, 300, 600, 3600)
"""Lengths of steps: those that rollups are put together to without a rest."""
PARTS = 30
"""Of a time that is looked at, so many steps at least, where they may be as short."""


@dataclass(frozen=True, slots=True)
class Past:
    """The means of steps of `step_s` seconds, from `since_s` before a moment to `until_s` before it.

    They are `days` days further back, by the clocks of the zone that the system is in.
    """

    since_s: float
    until_s: float
    step_s: int
    days: int = 0

    def window(self, first: float, last: float, zone: tzinfo) -> tuple[float, float]:
        """Return from when to when steps are needed for the moments from `first` to `last`, in whole steps."""
        start = earlier(first, self.days, zone) - self.since_s
        end = earlier(last, self.days, zone) - self.until_s
        return start // self.step_s * self.step_s, (end // self.step_s + 1) * self.step_s


@dataclass(frozen=True)
class Steps:
    """Steps of `step_s` seconds, by when they begin (Unix seconds), and their means.

    `kept` is room for what follows from them and holds for many moments.
    """

    step_s: float
    times: list[float]
    values: list[float]
    kept: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]], step_s: float) -> "Steps":
        times, values = [], []
        for at, value in points:
            times.append(at)
            values.append(value)
        return cls(step_s, times, values)

    def at(self, at: float, within_s: float) -> float:
        """Return the newest mean of a step that began up to `within_s` before `at`; nan without one."""
        place = bisect_right(self.times, at) - 1
        return self.values[place] if place >= 0 and self.times[place] >= at - within_s else math.nan

    def between(self, begin: float, end: float) -> list[float]:
        """Return the means of the steps that begin in begin ≤ t and end until `end`."""
        return self.values[slice(*self._places(begin, end))]

    def mean(self, begin: float, end: float) -> float:
        """Return the mean of `between`; nan without a step."""
        first, last = self._places(begin, end)
        if first >= last:
            return math.nan
        sums = self.kept.get("sums")
        if sums is None:
            sums = self.kept["sums"] = [0.0, *accumulate(self.values)]
        total: float = sums[last] - sums[first]
        return total / (last - first)

    def _places(self, begin: float, end: float) -> tuple[int, int]:
        return bisect_left(self.times, begin), bisect_right(self.times, end - self.step_s)


def step_s(length_s: float) -> int:
    """Return how long the steps are of which a time of `length_s` is made."""
    return max((one for one in STEPS_S if one * PARTS <= length_s), default=STEPS_S[0])


def earlier(at: float, days: int, zone: tzinfo) -> float:
    """Return the same time of day `days` days before `at` (Unix seconds); a change of summer time lies between some."""
    if not days:
        return at
    hour = at // HOUR_S * HOUR_S
    return _hour_earlier(hour, days, zone) + at - hour


@lru_cache(maxsize=10_000)
def _hour_earlier(hour: float, days: int, zone: tzinfo) -> float:
    now = datetime.fromtimestamp(hour, zone)
    return (now - timedelta(days=days)).timestamp()
