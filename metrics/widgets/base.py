"""Parts of every widget kind: one file with a config, a view-model and a pure function between them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from metrics.names import METRIC_NAME
from metrics.series.read import Function, FunctionName, Over, Query, Track, over_seconds
from metrics.versioned import Versioned
from metrics.widgets import arithmetic
from metrics.widgets.freshness import NO_DATA, STILL, Freshness
from metrics.widgets.group import Aggregate
from metrics.widgets.links import LINKS_MOST, Href, Link
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import Level

VALUES_MOST = 1000
PROMQL_MOST = 20_000
"""Characters of PromQL, also when the chosen values of variables are in it."""


def _value_or_values(given: Any) -> Any:
    if isinstance(given, str):
        return given
    if isinstance(given, list) and 0 < len(given) <= VALUES_MOST and all(isinstance(one, str) for one in given):
        return given
    raise ValueError(f"It has to be a text, or a list of 1 to {VALUES_MOST} texts")


LabelValue = Annotated[str | list[str], PlainValidator(_value_or_values, json_schema_input_type=str | list[str])]
"""The value of a label, or several of which a series has one; one type, so that a mistake is one sentence."""


class QueryConfig(BaseModel):
    """One query of a widget, as it is written in a widget's config."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"oneOf": [{"required": ["metric"]}, {"required": ["source", "promql"]}]},
    )

    metric: str = Field(
        default="",
        pattern=f"^{METRIC_NAME.pattern}$",
        max_length=200,
        description="Name of the metric.",
        json_schema_extra={"suggest": "metric"},
    )
    labels: dict[str, LabelValue] = Field(
        default_factory=dict,
        description="Label values the series must have; of a list of values, one of them.",
        json_schema_extra={"suggest": "labels"},
    )
    legend: str = Field(
        default="", max_length=100, description="Name of each series; {label} is replaced by its value."
    )
    function: FunctionName | None = Field(
        default=None, description="The function of each series over time; else the rate of a counter, or its values."
    )
    over: Over | None = Field(
        default=None,
        title="Over how long",
        description="The time that a rate is of, such as 5m; else enough for four expected samples, at least a minute.",
    )
    quantile: float = Field(default=0.95, ge=0, le=1, description="Which quantile, for the function quantile.")
    group_by: list[str] | None = Field(
        default=None,
        max_length=10,
        description="Labels by which series become one; an empty list makes one of all.",
        json_schema_extra={"empty": "All become one"},
    )
    aggregate: Aggregate = Field(default="sum", description="How the series of a group become one.")
    top: int | None = Field(
        default=None, ge=1, le=100, title="Only the largest", description="Only so many, those with the largest values."
    )
    source: str = Field(
        default="",
        max_length=100,
        description="Instead of a metric: name of the source, of the kind promql, whose server is asked live.",
    )
    promql: str = Field(
        default="",
        max_length=PROMQL_MOST,
        title="PromQL",
        description="The query that it is asked, such as rate(x_total[5m]).",
    )
    unit: str | None = Field(
        default=None,
        max_length=20,
        description="Unit of what it answers; stored series have their own.",
        json_schema_extra={"empty": "No unit"},
    )
    name: str = Field(
        default="",
        pattern="^[A-Z]?$",
        title="Name in expressions",
        description="One letter from A to Z.",
    )
    hidden: bool = Field(default=False, title="Only for expressions", description="Whether only expressions use it.")

    @model_validator(mode="after")
    def _of_rates(self) -> Self:
        over_seconds(self.over, self.function)
        return self

    @model_validator(mode="after")
    def _asks_one(self) -> Self:
        """Raise ValidationError, beside the field that is meant, unless it is a metric, or else PromQL for a server."""
        if not self.is_live:
            if not self.metric:
                raise _missing("metric")
            if self.unit is not None:
                raise _wrong("a stored series has a unit of its own", "unit")
            return self
        for name in ("source", "promql"):
            if not getattr(self, name).strip():
                raise _missing(name)
        for name in ("metric", "labels", "function", "over"):
            if getattr(self, name):
                raise _wrong("it belongs to stored series; PromQL says that itself", name)
        return self

    @property
    def is_live(self) -> bool:
        """Whether a server is asked for it, instead of what is stored."""
        return bool(self.source or self.promql)

    @property
    def over_s(self) -> float | None:
        return over_seconds(self.over, self.function)

    def query(self) -> Query:
        return Query(self.metric, self.labels)

    def chosen_function(self) -> Function | None:
        return None if self.function is None else Function(self.function, self.quantile)

    def legend_of(self, track: Track, same: Collection[str] = ()) -> str:
        """Return what to call `track` on the widget; labels that are the `same` in all of a live query tell nothing."""
        known = {*same, *(name for name, value in self.labels.items() if isinstance(value, str))}
        return _filled(self.legend, track) or _values(track, known) or track.metric or self.metric


class ExpressionConfig(BaseModel):
    """One calculation with the named queries of a widget."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    expression: str = Field(description="The calculation, such as A / B * 100.")
    legend: str = Field(
        default="", max_length=100, description="Name of each result; {label} is replaced by its value."
    )
    unit: str | None = Field(
        default=None, max_length=20, description="Unit of the results.", json_schema_extra={"empty": "No unit"}
    )

    @field_validator("expression")
    @classmethod
    def _readable(cls, value: str) -> str:
        arithmetic.names(value)
        return value

    def legend_of(self, track: Track) -> str:
        """Return what to call the result `track` on the widget."""
        return _filled(self.legend, track) or _values(track, ()) or self.expression


def _missing(field: str) -> ValidationError:
    return ValidationError.from_exception_data("query", [{"type": "missing", "loc": (field,), "input": None}])


def _wrong(said: str, *place: str | int) -> ValidationError:
    problem = PydanticCustomError("value_error", "{said}", {"said": said})
    return ValidationError.from_exception_data("query", [{"type": problem, "loc": place, "input": None}])


def _filled(legend: str, track: Track) -> str:
    labels = {"__name__": track.metric, **track.labels}
    return re.sub(r"\{(\w+)\}", lambda found: labels.get(found[1]) or found[1], legend)


def _values(track: Track, known: Collection[str]) -> str:
    """Return what tells `track` from others, when the labels that are `known` have one value."""
    return ", ".join(value for name, value in sorted(track.labels.items()) if name not in known)


Links = Annotated[
    list[Link],
    Field(max_length=LINKS_MOST, description="Where it leads: a runbook, another dashboard."),
]


class Config(Versioned):
    """Fields of every kind's config."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    queries: list[QueryConfig] = Field(min_length=1, max_length=20, description="The queries to show.")
    expressions: list[ExpressionConfig] = Field(
        default_factory=list, max_length=20, description="Calculations with the queries, which are shown."
    )
    every_s: float | None = Field(
        default=None,
        gt=0,
        le=31_536_000,
        title="New data every, seconds",
        description="How often data should come; else what the source says.",
    )
    unit: str | None = Field(
        default=None,
        max_length=20,
        description="Unit to show; else the series' own.",
        json_schema_extra={"empty": "No unit"},
    )
    hint: str = Field(
        default="", max_length=300, title="Hint without data", description="Shown while there is no data."
    )
    links: Links = Field(default_factory=list)

    needs_stored: ClassVar[bool] = False
    """Whether the kind needs samples that are stored here, and so takes no live queries."""
    all_without_queries: ClassVar[bool] = False
    """Whether one without queries shows all that is overdue."""

    def takes_live(self) -> bool:
        """Whether its queries may be live."""
        return not self.needs_stored

    def shows_without_series(self, window: Window) -> bool:
        """Return whether there is something to show though no series is."""
        return not self.queries

    @model_validator(mode="after")
    def _takes_live(self) -> Self:
        live = [index for index, query in enumerate(self.queries) if query.is_live]
        if live and not self.takes_live():
            said = "this kind needs stored samples; have a source of the kind promql store them"
            raise _wrong(said, "queries", live[0], "promql")
        return self

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [query.name for query in self.queries if query.name]
        if len(names) > len(set(names)):
            raise ValueError("two queries have the same name")
        unknown = {name for one in self.expressions for name in arithmetic.names(one.expression)} - set(names)
        if unknown:
            raise ValueError(f"no query is named {min(unknown)}, which an expression uses")
        if self.queries and not self.expressions and all(query.hidden for query in self.queries):
            raise ValueError("all queries are hidden, so there is nothing to show")
        return self


class Rows(Config):
    """Fields of the config of a kind that has a row, or a cell, for each series."""

    row_link: Href = Field(
        default="",
        title="Link of each row",
        description="Where each row leads: http, https, or a path here; ${host} is the value of its label.",
    )


class Still(Versioned):
    """Fields of the config of a kind that shows no series."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    links: Links = Field(default_factory=list)

    queries: ClassVar[Sequence[QueryConfig]] = ()
    expressions: ClassVar[Sequence[ExpressionConfig]] = ()
    every_s: ClassVar[float | None] = None

    @property
    def hint(self) -> str:
        """Words that are shown while there is nothing else."""
        return ""

    def freshness(self, at: float) -> Freshness:
        """Return how current it is at `at` (Unix seconds)."""
        return STILL


T = TypeVar("T")


class OfFact(Still, Generic[T]):
    """Fields of the config of a kind that shows a fact instead of series: items, which whoever renders hands in.

    The fact is the field of `metrics.widgets.facts.Facts` that `needs` names.
    """

    needs: ClassVar[str]
    _given: tuple[T, ...] | None = PrivateAttr(default=None)

    @property
    def given(self) -> tuple[T, ...]:
        """The items, of those that its dashboard may show."""
        return self._given or ()

    def give(self, items: Sequence[T] | None) -> None:
        """Take the items; None: nobody knows."""
        self._given = None if items is None else tuple(items)

    @property
    def hint(self) -> str:
        return "This is known of the present alone, and not while it can't be read."

    def freshness(self, at: float) -> Freshness:
        return NO_DATA if self._given is None else STILL


@dataclass(frozen=True, slots=True)
class Named:
    """A series with the name it has on this widget.

    `of` is the index of its query; expressions count on behind the queries. `maintained` are the times from a start to
    an end (Unix seconds) in which it is in maintenance.
    """

    name: str
    track: Track
    of: int = 0
    maintained: tuple[tuple[float, float], ...] = ()


C = TypeVar("C", bound=Config | Still)


class WidgetKind(ABC, Generic[C]):
    """A way of showing series.

    A subclass in a module of its own in this package registers itself by being imported; its template is
    `templates/widgets/<kind>.html`, which gets the frozen dataclass that `view` returns as `view`.
    """

    kind: ClassVar[str]
    config_class: type[C]
    group: ClassVar[str] = "values"
    """Its group where people choose a kind: one of metrics.kind_groups.WIDGETS."""
    windows_back: ClassVar[int] = 1
    """How many windows of points `view` gets, ending with the shown one: 0 means none, the newest samples only."""
    size: ClassVar[tuple[int, int]] = (3, 1)
    """Columns and rows that a new one has."""
    function: ClassVar[Function | None] = None
    """Function that is made of each series over time where a query does not say it."""
    extremes: ClassVar[bool] = False
    """Whether its points have the least and the greatest sample of their step besides the mean."""
    marks_maintenance: ClassVar[bool] = False
    """Whether it marks the maintenance of each of its series, by `Named.maintained`."""
    example: ClassVar[Mapping[str, Any]] = {"queries": [{"metric": "example"}]}
    """A config that shows what the kind is for, with made-up series."""
    example_series: ClassVar[int] = 3
    example_values: ClassVar[tuple[float, ...] | None] = None
    """The newest values of the made-up series; None for some in per cent."""
    example_ages_s: ClassVar[tuple[float, ...] | None] = None
    """How old the newest values of the made-up series are; None for fresh ones."""

    def example_at(self, place: int, at: float) -> float | None:
        """Return the value of the made-up series `place`, from 0, at a time; None for one in per cent."""
        return None

    def window(self, config: C, window: Window) -> Window:
        """Return the window that is read and that `view` gets: that of the dashboard, unless the kind has its own."""
        return window

    def axis(self, config: C, window: Window) -> tuple[float, float] | None:
        """Return the time that it draws from left to right of `window`, in Unix seconds; None without such an axis."""
        return None

    def level(self, view: Any) -> Level | None:
        """Return how bad what `view` shows is now; None if it does not say that."""
        found = getattr(view, "level", None)
        return found if isinstance(found, Level) else None

    @abstractmethod
    def view(self, config: C, series: list[Named], window: Window) -> object:
        """Return the view-model. Pure: no clock, no database, nothing but the arguments."""
