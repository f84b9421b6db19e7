"""A value that differs from the same time a day or a week ago."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Literal

from pydantic import Field

from metrics.alerts.base import Condition, Period, Samples
from metrics.alerts.change import Differs
from metrics.alerts.past import Past, Steps, earlier, step_s
from metrics.every import seconds

DAYS = {"day": 1, "week": 7}


class ComparedConfig(Differs):
    to: Literal["day", "week"] = Field(
        default="week",
        title="Compared with",
        description="The same time yesterday (day) or a week ago.",
    )
    over: Period = Field(
        default="10m", title="Mean over", description="It is compared with the mean of so long around that time."
    )


class Compared(Condition[ComparedConfig]):
    """A value that differs from the same time yesterday, or a week ago."""

    kind = "compared"
    config_class = ComparedConfig

    def past(self, config: ComparedConfig) -> tuple[Past, ...]:
        half_s, step = seconds(config.over) / 2, step_s(seconds(config.over))
        return (Past(half_s + step, -half_s - step, step, DAYS[config.to]),)

    def measured(self, config: ComparedConfig, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        half_s, days = max(seconds(config.over) / 2, steps[0].step_s), DAYS[config.to]
        found = []
        for at, value in samples:
            then = earlier(at, days, zone)
            found.append((at, config.difference(value, steps[0].mean(then - half_s, then + half_s))))
        return found

    def is_bad(self, config: ComparedConfig, value: float, was_bad: bool) -> bool:
        return config.is_bad(value)

    def says(self, config: ComparedConfig) -> str:
        return f"{config.says()} {'above or below' if config.direction == 'any' else 'from'} the same time " + (
            "yesterday" if config.to == "day" else "a week ago"
        )

    def needs(self, config: ComparedConfig) -> str:
        return f"samples of a {config.to} ago"

    def unit(self, config: ComparedConfig, unit: str) -> str:
        return unit if config.percent is None else "percent"
