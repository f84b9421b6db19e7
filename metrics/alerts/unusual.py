"""A value that is unusual for its hour of the week, by how it was in the weeks before.

How far it is from the median of those hours is counted in median absolute deviations, which a past outage does not
move much; 1.4826 of them are a standard deviation of values that are spread normally
(https://en.wikipedia.org/wiki/Median_absolute_deviation).
"""

import math
from collections.abc import Sequence
from datetime import tzinfo
from statistics import median

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig, Samples
from metrics.alerts.change import Direction, number
from metrics.alerts.past import HOUR_S, Past, Steps, earlier

STEP_S = 300
WEEKS_LEAST = 2
DEVIATION = 1.4826
LEAST_SHARE = 0.01
"""Of the median, a deviation counts as this at least: what never moves would be unusual with its first digit."""


class UnusualConfig(ConditionConfig):
    deviations: float = Field(
        default=6, ge=1, le=100, title="Standard deviations", description="More standard deviations than this are bad."
    )
    weeks: int = Field(
        default=4, ge=WEEKS_LEAST, le=8, title="Weeks before", description="With how many weeks before it is compared."
    )
    direction: Direction = Field(
        default="any", title="Which way", description="Which values are bad: high (up), low (down), or any."
    )


class Unusual(Condition[UnusualConfig]):
    """A value that is unusual for this hour of the week."""

    kind = "unusual"
    config_class = UnusualConfig

    def past(self, config: UnusualConfig) -> tuple[Past, ...]:
        return tuple(Past(HOUR_S, -HOUR_S, STEP_S, 7 * week) for week in range(1, config.weeks + 1))

    def measured(self, config: UnusualConfig, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        usual: dict[float, tuple[float, float] | None] = {}
        found = []
        for at, value in samples:
            hour = at // HOUR_S * HOUR_S
            if hour not in usual:
                usual[hour] = _usual(hour, steps, zone)
            known = usual[hour]
            found.append((at, math.nan if known is None else number((value - known[0]) / known[1])))
        return found

    def is_bad(self, config: UnusualConfig, value: float, was_bad: bool) -> bool:
        return {"any": abs(value), "up": value, "down": -value}[config.direction] > config.deviations

    def says(self, config: UnusualConfig) -> str:
        how = {"any": "from", "up": "above", "down": "below"}[config.direction]
        return f"more than {config.deviations:g} deviations {how} what is usual at this hour"

    def needs(self, config: UnusualConfig) -> str:
        return "a fortnight of samples"

    def unit(self, config: UnusualConfig, unit: str) -> str:
        return "deviations"


def _usual(hour: float, steps: Sequence[Steps], zone: tzinfo) -> tuple[float, float] | None:
    """Return the median of this hour of the weeks before, and a deviation; None with fewer than two weeks of it."""
    weeks = []
    for week, one in enumerate(steps, 1):
        begin = earlier(hour, 7 * week, zone)
        weeks.append(one.between(begin, begin + HOUR_S))
    if sum(map(bool, weeks)) < WEEKS_LEAST:
        return None
    values = [value for of_week in weeks for value in of_week]
    middle = median(values)
    deviation = DEVIATION * median(abs(value - middle) for value in values)
    return middle, max(deviation, LEAST_SHARE * abs(middle)) or 1.0
