"""A check that failed so many times of the last few; until then nobody is told."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Self

from pydantic import Field, model_validator

from metrics.alerts.base import Condition, ConditionConfig, Samples
from metrics.alerts.past import Steps
from metrics.series.read import Point

UP_FROM = 0.5


class CheckConfig(ConditionConfig):
    bad: int = Field(default=3, ge=1, le=100, title="How many failed", description="How many of them have to be bad.")
    of: int = Field(default=3, ge=1, le=100, title="Of the newest", description="Of how many of the newest samples.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bad > self.of:
            raise ValueError("bad has to be at most of")
        return self


class Check(Condition[CheckConfig]):
    """A check, 1 for up and 0 for down, that was down so many times of the last few."""

    kind = "check"
    config_class = CheckConfig
    group = "checks"
    metric = "http_up"
    counts_samples = True

    def samples_before(self, config: CheckConfig) -> int:
        return config.of - 1

    def measured(self, config: CheckConfig, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        newest = deque[bool](maxlen=config.of)
        found = []
        for at, value in samples:
            newest.append(value < UP_FROM)
            found.append((at, float(sum(newest))))
        return found

    def worst(self, config: CheckConfig, points: Iterable[Point]) -> list[tuple[float, float]]:
        return [(point.at, point.value if point.low is None else point.low) for point in points]

    def is_bad(self, config: CheckConfig, value: float, was_bad: bool) -> bool:
        return value >= config.bad

    def says(self, config: CheckConfig) -> str:
        return "down" if config.of == 1 else f"down in {config.bad} of {config.of} checks"

    def unit(self, config: CheckConfig, unit: str) -> str:
        return ""
