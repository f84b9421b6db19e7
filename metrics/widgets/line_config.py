"""Config of a line: what it shows, how it is drawn, and its axes."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from metrics.widgets.annotated import Annotates
from metrics.widgets.base import Config, ExpressionConfig, QueryConfig
from metrics.widgets.thresholds import Thresholds


class Goal(BaseModel):
    """A line at a value that matters: a goal, a capacity, what was agreed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    value: float = Field(description="Where it lies.")
    name: str = Field(default="", max_length=60, description="The text at it, besides the value.")


Side = Literal["left", "right", "unit"]
OfSide = Annotated[
    Side,
    Field(
        description="The axis of its series; the right one has a scale of its own. "
        "unit: the right one for those with another unit than the first."
    ),
]


class LineQuery(QueryConfig):
    """A query of a line."""

    axis: OfSide = "left"


class LineExpression(ExpressionConfig):
    """A calculation of a line."""

    axis: OfSide = "left"


class RightAxis(BaseModel):
    """The axis on the right."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    unit: str | None = Field(
        default=None,
        max_length=20,
        description="Unit to show; else the series' own.",
        json_schema_extra={"empty": "No unit"},
    )
    min: float | None = Field(default=None, title="Begins at", description="Where it begins; lower if a value is.")
    max: float | None = Field(default=None, title="Ends at", description="Where it ends; higher if a value is.")
    fixed: bool = Field(
        default=False, title="Never beyond its ends", description="End it at min and max even if values go beyond."
    )
    scale: Literal["linear", "log"] = Field(default="linear", description="Logarithmic: each tenfold is as high.")

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        _check_ends(self)
        return self


class LineConfig(Annotates, Config):
    """Config of a line."""

    queries: list[LineQuery] = Field(  # type: ignore[assignment]  # nobody adds to it what is no query of a line
        min_length=1, max_length=20, description="The queries to show."
    )
    expressions: list[LineExpression] = Field(  # type: ignore[assignment]
        default_factory=list, max_length=20, description="Calculations with the queries, which are shown."
    )
    stacked: bool = Field(default=False, description="Stack the series as areas on each other.")
    draw: Literal["line", "steps", "points"] = Field(
        default="line",
        title="Draw as",
        description="Lines from point to point, steps that hold each value, or points alone.",
    )
    fill: bool = Field(default=False, title="Fill below lines", description="Fill the area under each line.")
    min: float | None = Field(
        default=None, title="Axis begins at", description="Where the axis begins; lower if a value is."
    )
    max: float | None = Field(
        default=None, title="Axis ends at", description="Where the axis ends; higher if a value is."
    )
    fixed: bool = Field(
        default=False,
        title="Axis never beyond its ends",
        description="End the axis at min and max even if values go beyond.",
    )
    scale: Literal["linear", "log"] = Field(
        default="linear", description="Logarithmic: each tenfold is as high; what is not more than zero is not drawn."
    )
    right: RightAxis = Field(
        default_factory=RightAxis,
        title="Axis on the right",
        description="The axis on the right, for the queries that say that it is theirs.",
    )
    thresholds: Thresholds | None = Field(default=None, description="Lines from which on values are bad.")
    goals: list[Goal] = Field(default_factory=list, max_length=4, description="Lines at other values that matter.")
    legend: Literal["list", "table", "none"] = Field(
        default="list", description="Names with newest values; a table with mean, least and greatest too; or none."
    )
    colours: Literal["order", "labels"] = Field(
        default="order",
        title="Colours by",
        description="Colours in the order of the series, or by their labels: the same on every chart.",
    )

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if self.stacked and set(self._sides()) != {"left"}:
            raise ValueError("stacked series share one axis")
        if self.stacked and self.draw != "line":
            raise ValueError("stacked series are drawn as lines")
        if self.scale == "log" and self.stacked:
            raise ValueError("stacked series can't have a logarithmic axis")
        _check_ends(self)
        return self

    def side(self, of: int) -> Side:
        """Return the axis of the query `of`; expressions count on behind the queries."""
        sides = self._sides()
        return sides[of] if of < len(sides) else "left"

    def _sides(self) -> list[Side]:
        return [one.axis for one in self.queries] + [one.axis for one in self.expressions]


def _check_ends(axis: "LineConfig | RightAxis") -> None:
    """Raise ValueError, whose text completes a sentence, for an axis that can't be drawn."""
    if axis.fixed and (axis.min is None or axis.max is None or axis.min >= axis.max):
        raise ValueError("a fixed axis needs min, and a max that is more")
    if axis.scale == "log" and any(end is not None and end <= 0 for end in (axis.min, axis.max)):
        raise ValueError("a logarithmic axis is more than zero from min to max")
    if axis.min is not None and axis.max is not None and not 0 < axis.max - axis.min < math.inf:
        raise ValueError("an axis needs a max that is more than its min, and not endlessly more")
