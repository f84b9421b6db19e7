"""What every widget kind is: one file with a config, a view-model and a pure function between them."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from metrics.sample import METRIC_NAME
from metrics.series.read import Query, Track
from metrics.widgets.ranges import Window


class QueryConfig(BaseModel):
    """One query of a widget, as it is written in a widget's config."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    metric: str = Field(pattern=f"^{METRIC_NAME.pattern}$", max_length=200, description="Name of the metric.")
    labels: dict[str, str] = Field(default_factory=dict, description="Label values the series must have.")
    legend: str = Field(
        default="", max_length=100, description="Name of each series; {label} is replaced by its value."
    )

    def query(self) -> Query:
        return Query(self.metric, self.labels)

    def name(self, track: Track) -> str:
        """Return what to call `track` on the widget."""
        if self.legend:
            return re.sub(r"\{(\w+)\}", lambda found: track.labels.get(found[1], "?"), self.legend)
        values = [value for name, value in sorted(track.labels.items()) if name not in self.labels]
        return ", ".join(values) or self.metric


class Config(BaseModel):
    """What every kind's config has."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    queries: list[QueryConfig] = Field(min_length=1, max_length=20, description="What to show.")
    every_s: float | None = Field(
        default=None, gt=0, le=31_536_000, description="How often data should come; else what the source says."
    )
    unit: str | None = Field(default=None, max_length=20, description="Unit to show; else the series' own.")
    hint: str = Field(default="", max_length=300, description="Shown while there is no data.")


@dataclass(frozen=True, slots=True)
class Named:
    """A series with the name it has on this widget."""

    name: str
    track: Track


C = TypeVar("C", bound=Config)


class WidgetKind(ABC, Generic[C]):
    """A way of showing series.

    A subclass in a module of its own in this package registers itself by being imported; its template is
    `templates/widgets/<kind>.html`, which gets the frozen dataclass that `view` returns as `view`.
    """

    kind: ClassVar[str]
    config_class: type[C]
    windows_back: ClassVar[int] = 1
    """How many windows of points `view` gets, ending with the shown one: 0 means none, the newest samples only."""

    @abstractmethod
    def view(self, config: C, series: list[Named], window: Window) -> object:
        """Return the view-model. Pure: no clock, no database, nothing but the arguments."""
