"""A value that changed by so much within a time, up or down."""

import math
from collections.abc import Sequence
from datetime import tzinfo
from typing import Literal, Self

from pydantic import Field, model_validator

from metrics.alerts.base import Condition, ConditionConfig, Period, Samples
from metrics.alerts.past import Past, Steps, step_s
from metrics.every import seconds

Direction = Literal["any", "up", "down"]


def number(calculated: float) -> float:
    """Return what was `calculated`, nan if it is too large to be a number."""
    return calculated if math.isfinite(calculated) else math.nan


class Differs(ConditionConfig):
    """Fields of a condition that compares a value with an earlier one."""

    by: float | None = Field(
        default=None, gt=0, title="By more than", description="More than this is bad, in the unit of the series."
    )
    percent: float | None = Field(
        default=None,
        gt=0,
        title="Or by more than, percent",
        description="Or more than so many per cent of what it was.",
    )
    direction: Direction = Field(default="any", title="Which way", description="Which change is bad: up, down, or any.")

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.by is None) == (self.percent is None):
            raise ValueError("by or percent has to be given, and not both")
        return self

    @property
    def most(self) -> float:
        return self.by if self.by is not None else self.percent or 0.0

    def difference(self, value: float, before: float) -> float:
        """Return by how much `value` differs from the one `before`, in its unit or in per cent; nan if nobody knows."""
        if self.by is not None:
            return number(value - before)
        return number(100 * (value - before) / abs(before)) if before else math.nan

    def is_bad(self, difference: float) -> bool:
        signed = {"any": abs(difference), "up": difference, "down": -difference}[self.direction]
        return signed > self.most

    def says(self) -> str:
        how = {"any": "by more than", "up": "up by more than", "down": "down by more than"}[self.direction]
        return f"{how} {self.most:g}{'' if self.percent is None else ' %'}"


class ChangeConfig(Differs):
    within: Period = Field(default="1h", description="In which time, such as 1h.")


class Change(Condition[ChangeConfig]):
    """A value that changed by so much, or so many per cent, within a time."""

    kind = "change"
    config_class = ChangeConfig

    def past(self, config: ChangeConfig) -> tuple[Past, ...]:
        within_s = seconds(config.within)
        return (Past(2 * within_s, within_s, step_s(within_s)),)

    def measured(self, config: ChangeConfig, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        within_s = seconds(config.within)
        (before,) = steps
        return [(at, config.difference(value, before.at(at - within_s, within_s))) for at, value in samples]

    def is_bad(self, config: ChangeConfig, value: float, was_bad: bool) -> bool:
        return config.is_bad(value)

    def says(self, config: ChangeConfig) -> str:
        return f"changed {config.says()} within {config.within}"

    def unit(self, config: ChangeConfig, unit: str) -> str:
        return unit if config.percent is None else "percent"
