"""Parts of every condition: one file with a config, and a pure function that says whether a value is bad."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict

from metrics.alerts.machine import NoData
from metrics.versioned import Versioned


class ConditionConfig(Versioned):
    """Fields of every condition's config."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


C = TypeVar("C", bound=ConditionConfig)


class Condition(ABC, Generic[C]):
    """A way of telling good values from bad ones.

    A subclass in a module of its own in this package registers itself by being imported.
    """

    kind: ClassVar[str]
    config_class: type[C]
    no_data: ClassVar[NoData | None] = None
    """The state of a series that lapses, where its kind leaves no choice."""
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

    def lines(self, config: C) -> tuple[float, ...]:
        """Return the values that a chart of it has lines at."""
        return ()


AnyCondition = Condition[Any]
