"""What can be made of a series over time: rates of counters, extremes, quantiles.

A counter only grows, and begins again at zero when its process does: a value below the one before is growth from zero
(https://prometheus.io/docs/prometheus/latest/querying/functions/#rate). Growth is told from what steps end with,
and from their largest value where that is not the last: then it began anew within the step. Of several such beginnings
in one step, what was counted before the last but for the largest is lost.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from metrics.series.steps import Step

Name = Literal["avg", "min", "max", "sum", "count", "last", "rate", "increase", "quantile"]
Value = tuple[float, float]
"""Unix seconds, value."""


@dataclass(frozen=True, slots=True)
class Function:
    """One of the functions; a quantile has its `q` from 0 to 1."""

    name: Name
    q: float = 0.5


OF_STEP: dict[str, Callable[[Step], float]] = {
    "avg": lambda step: step.mean,
    "min": lambda step: step.min,
    "max": lambda step: step.max,
    "sum": lambda step: step.sum,
    "count": lambda step: float(step.count),
    "last": lambda step: step.last,
}
OF_ALL: dict[str, Callable[[Sequence[Step]], float]] = {
    "avg": lambda steps: math.fsum(step.sum for step in steps) / sum(step.count for step in steps),
    "min": lambda steps: min(step.min for step in steps),
    "max": lambda steps: max(step.max for step in steps),
    "sum": lambda steps: math.fsum(step.sum for step in steps),
    "count": lambda steps: float(sum(step.count for step in steps)),
    "last": lambda steps: steps[-1].last,
    "increase": lambda steps: math.fsum(grown for _, grown in growth(steps)),
}


def growth(steps: Sequence[Step]) -> list[Value]:
    """Return by how much a counter grew until the end of each step but the first."""
    return [
        (later.at, _grown(earlier.last, later.max) + later.last)
        if later.max > later.last
        else (later.at, _grown(earlier.last, later.last))
        for earlier, later in pairwise(steps)
    ]


def _grown(earlier: float, later: float) -> float:
    return later - earlier if later >= earlier else later


def rates(steps: Sequence[Step]) -> list[Value]:
    """Return how much a counter grew a second until the end of each step but the first.

    The seconds are those between the last samples, not between the steps: of samples each 15 s, steps of 10 s would
    have grown for one step or for two.
    """
    gaps_s = (later.last_at - earlier.last_at for earlier, later in pairwise(steps))
    return [(at, grown / gap_s) for (at, grown), gap_s in zip(growth(steps), gaps_s, strict=True) if gap_s > 0]


def by_step(function: Function, steps: Sequence[Step]) -> list[Value]:
    """Return the function of each step; of growth there is none for the first."""
    if function.name == "rate":
        return rates(steps)
    if function.name == "increase":
        return growth(steps)
    return [(step.at, OF_STEP[function.name](step)) for step in steps]


def overall(function: Function, steps: Sequence[Step]) -> float | None:
    """Return the function of all `steps` together, but the newest rate; None where that is nothing."""
    if function.name == "rate":
        newest = rates(steps[-2:])
        return newest[-1][1] if newest else None
    if not steps or (function.name == "increase" and len(steps) < 2):
        return None
    return OF_ALL[function.name](steps)


def quantile(values: Sequence[float], q: float) -> float:
    """Return the value below which the share `q` of `values` lies, interpolated between two of them (R's type 7)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
