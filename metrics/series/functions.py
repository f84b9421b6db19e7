"""What can be made of a series over time: rates of counters, extremes, quantiles.

How counters grow is in `metrics.series.growth`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from metrics.series.steps import Step

Name = Literal["avg", "min", "max", "sum", "count", "last", "rate", "increase", "quantile"]
Value = tuple[float, float]
"""Unix seconds, value."""
WHOLE_SHARE = 0.9
"""So much of a window counts as all of it: what is scraped each 15 s comes now a little earlier, now a little later."""


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
    """Return the function of all `steps` together, but the newest rate; None where that is nothing."""
    if function.name == "rate":
        newest = rates(steps[-1:])
        return newest[-1][1] if newest else None
    if not steps or (function.name == "increase" and not growth(steps)):
def rates(steps: Sequence[Step], over_s: float = 0.0) -> list[Value]:
    """Return how much a counter grew a second until the end of each step.
