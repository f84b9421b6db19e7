"""A rule as a document: what it looks at, when that is bad, and for whom."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from metrics.access.sharing import Text
from metrics.alerts.base import LONGEST_S, AnyCondition, ConditionConfig, Period
from metrics.alerts.machine import IsBad, NoData, Timing
from metrics.alerts.registry import kinds
from metrics.every import seconds
from metrics.names import METRIC_NAME, is_label
from metrics.versioned import Versioned, upgraded
from metrics.widgets import arithmetic
from metrics.widgets.base import QueryConfig
from metrics.widgets.links import Href

Severity = Literal["info", "warning", "critical"]
LABELS_MOST = 20
QUERIES_MOST = 10
BEHIND_MOST = 10
NOT_LOOKED_AT = {"metric": "ALERTS"}
"""The query of a rule whose alerts are received: the metric as which a Prometheus stores its own."""

__all__ = ["LONGEST_S", "Period", "RuleQuery", "RuleSpec", "Severity"]


class RuleQuery(QueryConfig):
    """The series that a rule looks at, each or each group of them by itself: a query of a widget on stored series."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, json_schema_extra={})

    metric: str = Field(
        pattern=f"^{METRIC_NAME.pattern}$",
        max_length=200,
        description="Name of the metric.",
        json_schema_extra={"suggest": "metric"},
    )

    def is_plain(self) -> bool:
        """Whether each sample of a gauge is looked at, and nothing is made of them first."""
        return self.function is None and self.group_by is None and self.top is None


class Behind(BaseModel):
    """An alert of `rule` in front of those of another rule that have the same values of `labels`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Text = Field(min_length=1, max_length=100, description="Name of the rule whose alert is in front.")
    labels: list[Text] = Field(
        default_factory=list, max_length=LABELS_MOST, description="Labels that have to be the same; none for any alert."
    )

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, given: list[str]) -> list[str]:
        wrong = next((name for name in given if not is_label(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:50]!r} can't be the name of a label")
        return given


def condition(kind: AnyCondition, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition of that kind with a `config` in the present form; it says its version unless that is 1."""
    version = kind.config_class.version
    return {"kind": kind.kind, **({"version": version} if version > 1 else {}), **config}


def config_in(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a condition that are those of its kind."""
    return {name: value for name, value in condition.items() if name not in ("kind", "version")}


def of_version_1(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a rule, whose condition is in the first form if it says no version."""
    condition = document.get("condition")
    return {**document, **({"condition": {"version": 1, **condition}} if isinstance(condition, Mapping) else {})}


class RuleSpec(Versioned):
    """A rule. `condition` has a `kind`, and the fields of that condition in the form of `version`.

    That is the present one if it is left out, and 1 in what was stored. A condition of an earlier one is upgraded.
    The states follow from `metrics.alerts.machine`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    name: Text = Field(min_length=1, max_length=100, description="Stands in every message.")
    query: RuleQuery = Field(description="The series to look at; each has an alert of its own.")
    queries: list[RuleQuery] = Field(
        default_factory=list, max_length=QUERIES_MOST, description="More queries, for the expression; each has a name."
    )
    expression: str = Field(
        default="",
        description="A calculation with the named queries, such as A / B * 100, whose result is looked at instead.",
    )
    unit: str | None = Field(
        default=None, max_length=20, description="Unit of what is calculated.", json_schema_extra={"empty": "No unit"}
    )
    condition: dict[str, Any] = Field(description="The condition that is bad: a kind, and its fields.")
    for_: Period | None = Field(
        default=None,
        min_length=1,
        alias="for",
        title="Bad for",
        description="How long it has to be bad, such as 5m; else one sample is enough.",
    )
    clear_for: Period | None = Field(
        default=None,
        min_length=1,
        title="Good again for",
        description="How long it has to be good again, such as 5m; else one sample is enough.",
    )
    no_data: NoData = Field(
        default="nodata",
        title="Without data",
        description="The state of a series without samples: nodata, which is told, ok, or keep, as it was.",
    )
    severity: Severity = Field(default="warning", description="How bad it is: info, warning or critical.")
    labels: dict[str, Text] = Field(
        default_factory=dict, max_length=LABELS_MOST, description="Added to the series' own."
    )
    text: Text = Field(
        default="", max_length=500, description="The text to say; {value} and {label} are replaced by their values."
    )
    runbook: Href = Field(default="", description="Address of a page that says what to do.")
    checklist: list[Text] = Field(
        default_factory=list,
        max_length=50,
        description="Steps that are to be done; each incident of it begins with these.",
    )
    behind: list[Behind] = Field(
        default_factory=list,
        max_length=BEHIND_MOST,
        title="Stands behind",
        description="Rules in front: while an alert of theirs is told, those of this rule are not.",
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
    def _in_present_form(cls, given: dict[str, Any]) -> dict[str, Any]:
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in kinds():
            raise ValueError(f"kind has to be {' or '.join(sorted(kinds()))}")
        config_class = kinds()[kind].config_class
        version = given.get("version", config_class.version)
        if type(version) is not int or version < 1:
            raise ValueError("version has to be a whole number, 1 or more")
        return condition(kinds()[kind], upgraded(config_class, config_in(given), version))

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, given: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in given if not is_label(name)), None)
        if wrong is not None:
            raise ValueError(f"{wrong[:50]!r} can't be the name of a label")
        return given

    @field_validator("expression")
    @classmethod
    def _is_readable(cls, given: str) -> str:
        if given:
            arithmetic.names(given)
        return given

    @model_validator(mode="before")
    @classmethod
    def _has_a_metric(cls, given: Any) -> Any:
        """Some conditions look at one metric: it need not be said."""
        if not isinstance(given, dict) or not isinstance(given.get("condition"), dict):
            return given
        kind, query = kinds().get(str(given["condition"].get("kind"))), given.get("query", {})
        if kind is None or not kind.metric or not isinstance(query, dict) or query.get("metric") or query.get("promql"):
            return given
        return {**given, "query": {**query, "metric": kind.metric}}

    @model_validator(mode="after")
    def _looks_at_each(self) -> "RuleSpec":
        every = (self.query, *self.queries)
        if any(query.is_live for query in every):
            raise ValueError("A rule looks at stored series: its query has no source and no promql")
        if any(query.hidden for query in every):
            raise ValueError("A query of a rule can't be hidden: with an expression, it alone is looked at")
        if self.expression:
            self._check_names([query.name for query in every])
        elif self.queries:
            raise ValueError("queries are for an expression, which says what is calculated with them")
        if self.kind.counts_samples and not self.is_plain():
            raise ValueError(f"The condition {self.kind.kind} counts samples: its query has no function and no groups")
        return self

    def _check_names(self, names: list[str]) -> None:
        given = [name for name in names if name]
        if len(set(given)) < len(given):
            raise ValueError("Two queries have the same name")
        unknown = arithmetic.names(self.expression) - set(given)
        if unknown:
            raise ValueError(f"No query is named {min(unknown)}, which the expression uses")

    def is_plain(self) -> bool:
        """Whether each sample of a gauge is looked at, and nothing is made of them first."""
        return self.query.is_plain() and not self.expression

    @property
    def kind(self) -> AnyCondition:
        return kinds()[self.condition["kind"]]

    def config(self) -> ConditionConfig:
        """Return the config of the condition. Raises pydantic's ValidationError."""
        config: ConditionConfig = self.kind.config_class.model_validate(config_in(self.condition))
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
