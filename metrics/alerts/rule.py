"""A rule as a document: what it looks at, when that is bad, and for whom."""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from metrics.access.sharing import Text
from metrics.alerts.base import AnyCondition, ConditionConfig
from metrics.alerts.machine import IsBad, NoData, Timing
from metrics.alerts.registry import kinds
from metrics.every import seconds
from metrics.names import METRIC_NAME, is_label
from metrics.versioned import Versioned
from metrics.widgets.base import QueryConfig
from metrics.widgets.links import Href

Severity = Literal["info", "warning", "critical"]
LONGEST_S = 30 * 86_400
LABELS_MOST = 20
NOT_LOOKED_AT = {"metric": "ALERTS"}
"""The query of a rule whose alerts are received: the metric as which a Prometheus stores its own."""


def _period(text: str) -> str:
    if seconds(text) > LONGEST_S:
        raise ValueError("It may be 30d at most")
    return text


Period = Annotated[str, AfterValidator(_period)]


class RuleQuery(QueryConfig):
    """The series that a rule looks at, each by itself: a query of a widget, without what only charts need."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, json_schema_extra={})

    metric: str = Field(
        pattern=f"^{METRIC_NAME.pattern}$",
        max_length=200,
        description="Name of the metric.",
        json_schema_extra={"suggest": "metric"},
    )

    def is_plain(self) -> bool:
        """Whether each sample of a gauge is looked at, and nothing is made of them first."""
        return self.function is None


class RuleSpec(Versioned):
    """A rule. `condition` has a `kind`, and the fields of that condition.

    The states follow from `metrics.alerts.machine`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    name: Text = Field(min_length=1, max_length=100, description="Stands in every message.")
    query: RuleQuery = Field(description="The series to look at; each has an alert of its own.")
    condition: dict[str, Any] = Field(description="What is bad: a kind, and its fields.")
    for_: Period | None = Field(
        default=None,
        min_length=1,
        alias="for",
        title="For",
        description="How long it has to be bad, such as 5m; else one sample is enough.",
    )
    clear_for: Period | None = Field(
        default=None,
        min_length=1,
        description="How long it has to be good again, such as 5m; else one sample is enough.",
    )
    no_data: NoData = Field(
        default="nodata", description="What a series without samples is: nodata, which is told, ok, or keep, as it was."
    )
    severity: Severity = Field(default="warning", description="How bad it is: info, warning or critical.")
    labels: dict[str, Text] = Field(
        default_factory=dict, max_length=LABELS_MOST, description="Added to the series' own."
    )
    text: Text = Field(
        default="", max_length=500, description="What to say; {value} and {label} are replaced by what they are."
    )
    runbook: Href = Field(default="", description="Address of a page that says what to do.")
    checklist: list[Text] = Field(
        default_factory=list, max_length=50, description="What is to be done; each incident of it begins with these."
    )
    enabled: bool = Field(default=True, description="Whether it is looked at.")

    @model_validator(mode="before")
    @classmethod
    def _looks_at_nothing(cls, given: Any) -> Any:
        condition = given.get("condition") if isinstance(given, dict) else None
        kind = condition.get("kind") if isinstance(condition, dict) else None
        if isinstance(kind, str) and kind in kinds() and not kinds()[kind].is_evaluated:
            return {**given, "query": NOT_LOOKED_AT}
        return given

    @field_validator("condition")
    @classmethod
    def _is_known(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("kind") not in kinds():
            raise ValueError(f"kind has to be {' or '.join(sorted(kinds()))}")
        return given

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, given: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in given if not is_label(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:50]!r} can't be the name of a label")
        return given

    @model_validator(mode="after")
    def _looks_at_each(self) -> "RuleSpec":
        if self.query.is_live:
            raise ValueError("A rule looks at stored series: its query has no source and no promql")
        if self.query.top is not None or self.query.group_by is not None or self.query.hidden or self.query.name:
            raise ValueError("A rule looks at each series by itself: its query has no group_by, top, name or hidden")
        return self

    @property
    def kind(self) -> AnyCondition:
        return kinds()[self.condition["kind"]]

    def config(self) -> ConditionConfig:
        """Return the config of the condition. Raises pydantic's ValidationError."""
        given = {name: value for name, value in self.condition.items() if name != "kind"}
        config: ConditionConfig = self.kind.config_class.model_validate(given)
        return config

    def is_bad(self, config: ConditionConfig) -> IsBad:
        """Return the condition as a function of a value, and of whether it was bad."""
        return partial(self.kind.is_bad, config)

    def timing(self, config: ConditionConfig, stale_after_s: float | None) -> Timing:
        """Return how long something has to last; `stale_after_s` is when the series says that it has no data."""
        lapses_after_s = self.kind.lapses_after_s(config)
        return Timing(
            for_s=float(seconds(self.for_)) if self.for_ else 0.0,
            clear_for_s=float(seconds(self.clear_for)) if self.clear_for else 0.0,
            lapses_after_s=stale_after_s if lapses_after_s is None else lapses_after_s,
            no_data=self.kind.no_data or self.no_data,
        )
