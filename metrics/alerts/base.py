"""Parts of every condition: one file with a config, and a pure function that says whether a value is bad."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, ConfigDict

from metrics.alerts.machine import NoData
from metrics.alerts.past import Past, Steps
from metrics.every import seconds
from metrics.series.read import Point
from metrics.versioned import Versioned

LONGEST_S = 30 * 86_400


def _period(text: str) -> str:
    if seconds(text) > LONGEST_S:
        raise ValueError("It may be 30d at most")
    return text


Period = Annotated[str, AfterValidator(_period)]
"""How long, as people write it: 5m."""


class ConditionConfig(Versioned):
    """Fields of every condition's config."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


C = TypeVar("C", bound=ConditionConfig)
Samples = Sequence[tuple[float, float]]
"""(Unix seconds, value), oldest first."""


class Condition(ABC, Generic[C]):
    """A way of telling good values from bad ones.

    A subclass in a module of its own in this package registers itself by being imported. The value that it compares may
    be made of each sample and of the past that it asks for: `measured` is the same for the present and for rehearsals.
    """

    kind: ClassVar[str]
    config_class: type[C]
    group: ClassVar[str] = "values"
    """Its group where people choose a condition: one of metrics.kind_groups.CONDITIONS."""
    no_data: ClassVar[NoData | None] = None
    """The state of a series that lapses, where its kind leaves no choice."""
    metric: ClassVar[str] = ""
    """The metric that it looks at where a rule does not say it."""
    counts_samples: ClassVar[bool] = False
    """Whether it counts samples, so that nothing may be made of them first."""
    of_sources: ClassVar[bool] = False
    """Whether it looks at the runs of sources, and not at series."""
    is_evaluated: ClassVar[bool] = True
    """Whether samples say when it is bad; else somebody else says it, and nobody makes such a rule by hand."""

    @abstractmethod
    def is_bad(self, config: C, value: float, was_bad: bool) -> bool:
        """Return whether `value` is bad; one that `was_bad` has to clear to be good again. Pure."""

    @abstractmethod
    def says(self, config: C) -> str:
        """Return the condition in words that follow the name of what is looked at: "above 90"."""

    def lapses_after_s(self, config: C) -> float | None:
        """Return after how many seconds without a sample there is no data; None for what the series itself says."""
        return None

    def lines(self, config: C) -> dict[str, float]:
        """Return the values that a chart of it has lines at, by their fields."""
        return {}

    def past(self, config: C) -> tuple[Past, ...]:
        """Return the steps that it needs besides the samples."""
        return ()

    def samples_before(self, config: C) -> int:
        """Return how many samples before one it needs, to judge it."""
        return 0

    def measured(self, config: C, samples: Samples, steps: Sequence[Steps], zone: tzinfo) -> Samples:
        """Return the value to compare at each of `samples`, nan where it can't be known. Pure.

        `steps` are what `past` asked for; the first `samples_before` of the samples may be there for the others' sake.
        """
        return samples

    def worst(self, config: C, points: Iterable[Point]) -> list[tuple[float, float]]:
        """Return the value of each minute that is looked at, where its samples are no longer held."""
        if self.past(config):
            return [(point.at, point.value) for point in points]
        is_bad = self.is_bad
        return [
            (point.at, point.high)
            if point.high is not None and is_bad(config, point.high, False)
            else (point.at, point.low)
            if point.low is not None and is_bad(config, point.low, False)
            else (point.at, point.value)
            for point in points
        ]

    def needs(self, config: C) -> str:
        """Return how much of the past has to be there before anything is judged, in words; empty for nothing."""
        return ""

    def unit(self, config: C, unit: str) -> str:
        """Return the unit of what it compares, of samples in `unit`."""
        return unit


AnyCondition = Condition[Any]
