"""The kinds of widgets that panels become, by their types."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.grafana import thresholds
from metrics.grafana.panel import Panel
from metrics.grafana.raw import mapping

DECIMALS_MOST = 6
BUCKET = "le"
"""The label that has the upper bound of a bucket of a histogram."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The `kind` of a widget, `more` of its config, and a sentence about what is `lost`, if something is."""

    kind: str
    more: Mapping[str, Any]
    lost: str = ""


Shown = list[dict[str, Any]]
"""The queries and expressions that a widget shows."""


def is_chart(panel: Panel) -> bool:
    return panel.type in CHARTS


def is_stacked(panel: Panel) -> bool:
    stacking = mapping(mapping(panel.defaults.get("custom")).get("stacking")).get("mode", "none")
    return is_chart(panel) and (stacking != "none" or panel.raw.get("stack") is True)


def unit(panel: Panel) -> str:
    """Return the name of the unit of a panel, of a new or an old form."""
    if panel.type == "heatmap":
        axis = mapping(panel.options.get("yAxis")) or mapping(panel.raw.get("yAxis"))
        return str(axis.get("unit") or axis.get("format") or "")
    first = mapping((axes(panel) or [{}])[0])
    return str(panel.defaults.get("unit") or panel.raw.get("format") or first.get("format") or "")


def axes(panel: Panel) -> list[Any]:
    """Return the two axes of an old graph."""
    found = panel.raw.get("yaxes")
    return found if isinstance(found, list) else []


def bounds(of: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ends of an axis as they are set in a new form, `of`, or an `old` one."""
    found = {}
    for name, other in (("min", "minValue"), ("max", "maxValue")):
        value = next((one for one in (of.get(name), old.get(name), old.get(other)) if one is not None), None)
        try:
            found[name] = float(value) if value not in (None, "") else None
        except (TypeError, ValueError):
            found[name] = None
    if None not in found.values() and found["min"] >= found["max"]:  # type: ignore[operator]
        return {}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _number(panel: Panel, shown: Shown) -> Kind:
    """Return a number, or bars for several values, which a number would make one of."""
    if len(shown) > 1:
        return _bars(panel, shown)
    colored = panel.options.get("colorMode") not in ("none",) if panel.type == "stat" else True
    return Kind("number", {**(_limits(panel) if colored else {}), **_decimals(panel)})


def _gauge(panel: Panel, shown: Shown) -> Kind:
    if len(shown) > 1:
        return _bars(panel, shown)
    return Kind("gauge", {**_bounds(panel), **_limits(panel), **_decimals(panel)})


def _bars(panel: Panel, shown: Shown) -> Kind:
    most = {name: value for name, value in _bounds(panel).items() if name == "max" and value > 0}
    return Kind("bars", {**most, **_limits(panel)})


def _pie(panel: Panel, shown: Shown) -> Kind:
    return Kind("bars", {}, "Its pie is bars here.")


def _line(panel: Panel, shown: Shown) -> Kind:
    draw = {"points": "points", "bars": "steps"}.get(mapping(panel.defaults.get("custom")).get("drawStyle", "line"))
    stacked = is_stacked(panel)
    drawn = {"draw": draw} if draw and not stacked else {}
    ends = _bounds(panel)
    fixed = {"fixed": True} if len(ends) == 2 else {}  # Grafana draws nothing beyond them
    return Kind("line", {**({"stacked": True} if stacked else {}), **drawn, **ends, **fixed})


def _table(panel: Panel, shown: Shown) -> Kind:
    return Kind("table", {})


def _states(panel: Panel, shown: Shown) -> Kind:
    """Return the past of what is up from a value on; a chart for what is bad from a value on.

    A live query has no days to count, so its states are those of now.
    """
    limits = thresholds.of_field(panel.defaults) or {}
    up = limits.get("warn", limits.get("critical"))
    if limits and limits.get("direction") != "below":
        return Kind("line", {"draw": "steps", **_limits(panel)}, "Its states are a chart of their values here.")
    from_on = {"up_at_least": _plain(up)} if up is not None else {}
    if _is_live(shown):
        return Kind("status", from_on, "Its past: states of live queries are those of now.")
    return Kind("history", {"days": 0, "up_at_least": 1, **from_on})


def _heatmap(panel: Panel, shown: Shown) -> Kind:
    """Return a heat map of the buckets of a histogram; other series have no rows there, and are a chart."""
    if all(BUCKET in one.get("group_by", ()) or _names_buckets(one) for one in shown):
        return Kind("heatmap", {"of": "buckets"})
    return Kind("line", {}, "Its heat map is no histogram with the label le, so it is a chart here.")


def _names_buckets(one: Mapping[str, Any]) -> bool:
    is_metric = str(one.get("metric", "")).endswith("_bucket") and "group_by" not in one
    return is_metric or bool(re.search(rf"\b{BUCKET}\b", one.get("promql", "")))


def _is_live(shown: Shown) -> bool:
    return any("promql" in one for one in shown)


def _bounds(panel: Panel) -> dict[str, Any]:
    old = mapping(axes(panel)[0]) if axes(panel) else mapping(panel.raw.get("gauge"))
    return bounds(panel.defaults, old)


def _limits(panel: Panel) -> dict[str, Any]:
    raw = panel.raw
    old = (
        thresholds.of_text(raw.get("thresholds"), raw.get("colors"))
        if raw.get("colorBackground") or raw.get("colorValue")
        else None
    )
    found = thresholds.of_field(panel.defaults) or old
    return {"thresholds": {name: _plain(one) for name, one in found.items()}} if found else {}


def _decimals(panel: Panel) -> dict[str, Any]:
    value = panel.defaults.get("decimals", panel.raw.get("decimals"))
    return {"decimals": min(DECIMALS_MOST, max(0, value))} if isinstance(value, int) else {}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


CHARTS = ("timeseries", "graph")
WITH_ROWS = ("bars", "table", "status")

KINDS: dict[str, Callable[[Panel, Shown], Kind]] = {
    "stat": _number,
    "singlestat": _number,
    "gauge": _gauge,
    "bargauge": _bars,
    "piechart": _pie,
    "grafana-piechart-panel": _pie,
    "timeseries": _line,
    "graph": _line,
    "table": _table,
    "table-old": _table,
    "state-timeline": _states,
    "status-history": _states,
    "heatmap": _heatmap,
}
"""The kind of widget that panels of a type become."""
