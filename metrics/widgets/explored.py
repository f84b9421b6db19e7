"""Series without a dashboard: the widget that draws a query, and the numbers beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError

from metrics.kind_groups import WIDGETS
from metrics.models import Widget
from metrics.widgets.base import Config
from metrics.widgets.export import Row, rows
from metrics.widgets.facts import Facts
from metrics.widgets.live_queries import short
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, detailed_series, widget_views

ROWS_MOST = 50


@dataclass(frozen=True, slots=True)
class Explored:
    """A query as it stands: the `widget` that draws it, the `numbers` of its series, and how many `more` there are."""

    widget: WidgetView
    numbers: tuple[Row, ...]
    more: int


@cache
def kinds_of_queries() -> list[str]:
    """Return the kinds of widgets that show a query and need nothing else, the most used first."""
    return [one.kind for one in WIDGETS.in_order(kinds().values()) if _needs_only_queries(one.config_class)]


def size_of(kind: str) -> tuple[int, int]:
    """Return columns and rows of a new widget."""
    return kinds()[kind].size


def widget_of(query: Mapping[str, Any], kind: str, fields: Mapping[str, Any] | None = None) -> Widget:
    """Return a widget that draws `query`, as a config has it, as `kind`, with other `fields` of its config."""
    config = {"queries": [dict(query)], **(fields or {})}
    title = str(query.get("metric") or short(str(query.get("promql", ""))))
    return Widget(key="explored", kind=kind, title=title, config=config, x=0, y=0, w=12, h=3)


def explored(widget: Widget, range: str, at: float, hidden: Collection[int], known: Facts) -> Explored:
    """Return the series of `widget` over `range` as seen at `at` (Unix seconds), with the facts that are `known`.

    Series of the sources `hidden` (ids) are left out.
    """
    (view,) = widget_views([widget], range, at, hidden, known=known)
    series = detailed_series(widget, range, at, hidden)
    numbers = tuple(rows(series[:ROWS_MOST], None))
    return Explored(view, numbers, len(series) - len(numbers))


def drawn(
    query: Mapping[str, Any],
    kind: str,
    fields: Mapping[str, Any],
    range: str,
    at: float,
    hidden: Collection[int],
    known: Facts,
) -> WidgetView:
    """Return the widget alone, with other `fields` of its config."""
    (view,) = widget_views([widget_of(query, kind, fields)], range, at, hidden, known=known)
    return view


def _needs_only_queries(config_class: type[Any]) -> bool:
    try:
        return isinstance(config_class.model_validate({"queries": [{"metric": "any"}]}), Config)
    except ValidationError:
        return False
