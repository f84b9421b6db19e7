"""Functions of a series over time: rates of counters, extremes, quantiles.

How counters grow is in `metrics.series.growth`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from metrics.series.steps import Step

FunctionName = Literal["avg", "min", "max", "sum", "count", "last", "rate", "increase", "quantile"]
PER_STEP: frozenset[FunctionName] = frozenset({"sum", "count", "increase"})
"""Functions that tell how much came in a step: in one without samples, nothing did."""
Value = tuple[float, float]
"""Unix seconds, value."""
WHOLE_SHARE = 0.9
"""So much of a window counts as all of it: what is scraped each 15 s comes now a little earlier, now a little later."""


@dataclass(frozen=True, slots=True)
class Function:
    """One of the functions; a quantile has its `q` from 0 to 1."""

    name: FunctionName
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
    """Return by how much a counter grew until the end of each step, since the last sample before it.

    Of the very first sample nobody knows since when it grew.
    """
    return [(step.at, step.growth) for step in steps if step.last_at > step.since]


def rates(steps: Sequence[Step], over_s: float = 0.0) -> list[Value]:
    """Return how much a counter grew a second until the end of each step.

    It grew since the newest step that ended about `over_s` earlier or before that, but at least since the step before,
    and at most since what was before the first. The seconds are those between the last samples, not between the steps:
    of samples each 15 s, steps of 10 s would have grown for one step or for two.
    """
    found: list[Value] = []
    begin = 0
    for place, step in enumerate(steps):
        while begin < place and steps[begin + 1].since <= step.last_at - WHOLE_SHARE * over_s:
            begin += 1
        gap_s = step.last_at - steps[begin].since
        if gap_s > 0:
            found.append((step.at, math.fsum(one.growth for one in steps[begin : place + 1]) / gap_s))
    return found


def by_step(function: Function, steps: Sequence[Step], over_s: float = 0.0) -> list[Value]:
    """Return the function of each step that has one, a rate over at least `over_s`."""
    if function.name == "rate":
        return rates(steps, over_s)
    if function.name == "increase":
        return growth(steps)
    return [(step.at, OF_STEP[function.name](step)) for step in steps]


def overall(function: Function, steps: Sequence[Step]) -> float | None:
    """Return the function of all `steps` together, which a rate is not; None where that is nothing."""
    if not steps or (function.name == "increase" and not growth(steps)):
        return None
    return OF_ALL[function.name](steps)


def quantile(values: Sequence[float], q: float) -> float:
    """Return the value below which the share `q` of `values` lies, interpolated between two of them (R's type 7)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
