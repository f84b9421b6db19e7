"""Series without a dashboard: the widget that draws a query, and the numbers beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from metrics.models import Widget
from metrics.widgets import units
from metrics.widgets.base import Config, Named
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, detailed_series, widget_views
from metrics.widgets.units import Shown

ROWS_MOST = 50


@dataclass(frozen=True, slots=True)
class Numbers:
    """One series over the range: its `name`, its newest value (`last`), `mean`, `least` and `greatest`.

    Each is None where there is nothing to tell.
    """

    name: str
    last: Shown | None
    mean: Shown | None
    least: Shown | None
    greatest: Shown | None


@dataclass(frozen=True, slots=True)
class Explored:
    """A query as it stands: the `widget` that draws it, the `numbers` of its series, and how many `more` there are."""

    widget: WidgetView
    numbers: tuple[Numbers, ...]
    more: int


@cache
def kinds_of_queries() -> list[str]:
    """Return the kinds of widgets that show a query and need nothing else."""
    return sorted(name for name, kind in kinds().items() if _needs_only_queries(kind.config_class))


def size_of(kind: str) -> tuple[int, int]:
    """Return columns and rows of a new widget."""
    return kinds()[kind].size


def explored(query: Mapping[str, Any], kind: str, range: str, at: float, hidden: Collection[int]) -> Explored:
    """Return the series of `query`, a query of a widget's config, over `range` as seen at `at` (Unix seconds).

    Series of the sources `hidden` (ids) are left out.
    """
    config = {"queries": [dict(query)]}
    widget = Widget(key="explored", kind=kind, title=str(query.get("metric", "")), config=config, x=0, y=0, w=12, h=3)
    (view,) = widget_views([widget], range, at, hidden)
    series = detailed_series(widget, range, at, hidden)
    numbers = tuple(_numbers(one) for one in series[:ROWS_MOST])
    return Explored(view, numbers, len(series) - len(numbers))


def _needs_only_queries(config_class: type[Any]) -> bool:
    try:
        return isinstance(config_class.model_validate({"queries": [{"metric": "any"}]}), Config)
    except ValidationError:
        return False


def _numbers(one: Named) -> Numbers:
    track = one.track

    def show(values: list[float]) -> Shown | None:
        return units.show(values[0], track.unit) if values else None

    points = track.points
    return Numbers(
        name=one.name,
        last=show([track.latest.value] if track.latest else []),
        mean=show([sum(point.value for point in points) / len(points)] if points else []),
        least=show([min(point.value if point.low is None else point.low for point in points)] if points else []),
        greatest=show([max(point.value if point.high is None else point.high for point in points)] if points else []),
    )
