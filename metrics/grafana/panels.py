"""A panel of Grafana's as a widget of ours."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.grafana import links, thresholds
from metrics.grafana.promql import Query, Term, Translator, Untranslatable, queries, written
from metrics.grafana.raw import mapping, mappings
from metrics.grafana.units import unit
from metrics.widgets.spec import SECTION

QUERIES_MOST = 20
NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXT_MOST = 4000
DECIMALS_MOST = 6
OVERRIDES = {"unit", "decimals", "min", "max", "thresholds", "stacking", "displayName"}
"""Settings of single series that change the numbers, or what they are called."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel as it stands in the JSON (`raw`), with its `type` and `title`; its place counts Grafana's 24 columns."""

    raw: Mapping[str, Any]
    type: str
    title: str
    x: int
    y: int
    w: int
    h: int

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Settings of all fields of the panel."""
        return mapping(mapping(self.raw.get("fieldConfig")).get("defaults"))

    @property
    def options(self) -> Mapping[str, Any]:
        return mapping(self.raw.get("options"))


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget to be made."""

    kind: str
    title: str
    config: dict[str, Any]
    repeat: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """The widget that a panel becomes, if it becomes one, and sentences about what was left out of it."""

    widget: Widget | None
    left_out: list[str]


def widget_of(panel: Panel, translator: Translator) -> Made:
    """Return what becomes of `panel`."""
    if panel.type == "row":
        return Made(
            Widget(SECTION, panel.title or "Section", {"folded": True} if panel.raw.get("collapsed") else {}), []
        )
    if panel.type == "text":
        return _text(panel)
    if panel.type not in KINDS:
        return Made(None, [f"There is no kind of widget for panels of the type {panel.type or 'none'!r}."])
    config, left_out = _series(panel, translator)
    if not config:
        return Made(None, left_out or ["It has no queries."])
    repeat = str(panel.raw.get("repeat") or "")
    if repeat in translator.known:
        translator.used.add(repeat)
    elif repeat:
        left_out.append(f"It is repeated for each value of {repeat}; here it is there once.")
    if panel.raw.get("transformations"):
        left_out.append("Its transformations.")
    if names := _overridden(panel):
        left_out.append(f"What is set for single series: {', '.join(names)}.")
    kind, more = KINDS[panel.type](panel, len(_shown(config)))
    if (shown := unit(_unit(panel))) is not None:
        config["unit"] = shown
    linked, unlinked = links.of_panel(panel.raw, panel.defaults, has_rows=kind in WITH_ROWS)
    left_out += unlinked
    title = panel.title or _named(config)
    return Made(
        Widget(kind, title, {**config, **more, **linked}, repeat if repeat in translator.known else ""), left_out
    )


def _overridden(panel: Panel) -> list[str]:
    """Return the names of settings that single series have, and that would be seen."""
    found = set()
    for override in mappings(mapping(panel.raw.get("fieldConfig")).get("overrides")):
        found |= {str(one.get("id", "")).removeprefix("custom.") for one in mappings(override.get("properties"))}
    return sorted(found & OVERRIDES)


def _text(panel: Panel) -> Made:
    source = panel.options or panel.raw
    text = str(source.get("content") or "").strip()
    if not text:
        return Made(None, ["It is empty."])
    if source.get("mode") == "html":
        return Made(None, ["Texts are Markdown here, and not HTML."])
    linked, left_out = links.of_panel(panel.raw, {}, has_rows=False)
    if len(text) > TEXT_MOST:
        left_out.append(f"Its text behind the first {TEXT_MOST} characters.")
    return Made(Widget("text", panel.title or "Text", {"text": text[:TEXT_MOST], **linked}), left_out)


def _series(panel: Panel, translator: Translator) -> tuple[dict[str, Any], list[str]]:
    """Return the queries and expressions of `panel`, empty if there are none, and what was left out."""
    found, left_out = _Config(), list[str]()
    for index, target in enumerate(mappings(panel.raw.get("targets"))):
        if target.get("hide"):
            continue
        name = str(target.get("refId") or NAMES[index % 26])
        text = target.get("expr")
        if not isinstance(text, str) or not text.strip():
            left_out.append(f"Query {name}: it is not PromQL.")
            continue
        try:
            found.add(translator.term(text), _legend(target.get("legendFormat"), translator))
        except Untranslatable as problem:
            left_out.append(f"Query {name}: {problem}.")
    return found.config(), left_out


class _Config:
    """Queries and expressions of a widget; what several expressions use is there once."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self.hidden: dict[str, dict[str, Any]] = {}
        self.expressions: list[dict[str, Any]] = []

    def add(self, term: Term, legend: str) -> None:
        """Add what `term` shows. Raises Untranslatable if there is no room for it."""
        named = {"legend": legend} if legend else {}
        if isinstance(term, Query):
            self._check(len(self.shown) + len(self.hidden) + 1)
            self.shown.append({**term.config, **named})
            return
        fresh = {repr(one.config): dict(one.config) for one in queries(term)}
        self._check(len(self.shown) + len({*self.hidden, *fresh}), len(self.expressions) + 1)
        before = dict(self.hidden)
        self.hidden |= {key: one for key, one in fresh.items() if key not in self.hidden}
        text = written(term, lambda one: NAMES[list(self.hidden).index(repr(one.config))])
        if len(text) > 200:
            self.hidden = before
            raise Untranslatable("its calculation is too long")
        self.expressions.append({"expression": text, **named})

    def config(self) -> dict[str, Any]:
        hidden = [{**one, "name": NAMES[index], "hidden": True} for index, one in enumerate(self.hidden.values())]
        found: dict[str, Any] = {"queries": [*self.shown, *hidden]} if self.shown or hidden else {}
        return {**found, "expressions": self.expressions} if self.expressions else found

    @staticmethod
    def _check(*counts: int) -> None:
        if max(counts) > QUERIES_MOST:
            raise Untranslatable(f"a widget has at most {QUERIES_MOST} queries")


def _shown(config: Mapping[str, Any]) -> list[Any]:
    return [*(one for one in config["queries"] if not one.get("hidden")), *config.get("expressions", ())]


def _named(config: Mapping[str, Any]) -> str:
    first = _shown(config)[0]
    return str(first.get("legend") or config["queries"][0]["metric"])[:100]


def _legend(text: Any, translator: Translator) -> str:
    """Return a legend with `{x}` for `{{x}}`; empty for one that Grafana makes up."""
    if not isinstance(text, str) or text == "__auto":
        return ""
    text = re.sub(r"\{\{(.*?)\}\}", lambda found: f"{{{found[1].strip()}}}", translator.text(text))
    return " ".join(text.split())[:100]


def _unit(panel: Panel) -> str:
    """Return the name of the unit of a panel, of a new or an old form."""
    axes = panel.raw.get("yaxes")
    first = axes[0] if isinstance(axes, list) and axes else {}
    return str(panel.defaults.get("unit") or panel.raw.get("format") or mapping(first).get("format") or "")


def _number(panel: Panel, shown: int) -> tuple[str, dict[str, Any]]:
    """Return a number, or bars for several values, which a number would make one of."""
    if shown > 1:
        return _bars(panel, shown)
    colored = panel.options.get("colorMode") not in ("none",) if panel.type == "stat" else True
    return "number", {**(_limits(panel) if colored else {}), **_decimals(panel)}


def _gauge(panel: Panel, shown: int) -> tuple[str, dict[str, Any]]:
    if shown > 1:
        return _bars(panel, shown)
    return "gauge", {**_bounds(panel), **_limits(panel), **_decimals(panel)}


def _bars(panel: Panel, shown: int) -> tuple[str, dict[str, Any]]:
    most = {name: value for name, value in _bounds(panel).items() if name == "max" and value > 0}
    return "bars", {**most, **_limits(panel)}


def _line(panel: Panel, shown: int) -> tuple[str, dict[str, Any]]:
    stacking = mapping(mapping(panel.defaults.get("custom")).get("stacking")).get("mode", "none")
    stacked = stacking != "none" or panel.raw.get("stack") is True
    return "line", {**({"stacked": True} if stacked else {}), **_bounds(panel)}


def _table(panel: Panel, shown: int) -> tuple[str, dict[str, Any]]:
    return "table", {}


def _bounds(panel: Panel) -> dict[str, Any]:
    axes = panel.raw.get("yaxes")
    old = mapping(axes[0] if isinstance(axes, list) and axes else panel.raw.get("gauge"))
    found = {}
    for name, other in (("min", "minValue"), ("max", "maxValue")):
        value = next(
            (one for one in (panel.defaults.get(name), old.get(name), old.get(other)) if one is not None), None
        )
        try:
            found[name] = float(value) if value not in (None, "") else None
        except (TypeError, ValueError):
            found[name] = None
    if None not in found.values() and found["min"] >= found["max"]:  # type: ignore[operator]
        return {}
    return {name: _plain(value) for name, value in found.items() if value is not None}


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


WITH_ROWS = ("bars", "table")

KINDS: dict[str, Callable[[Panel, int], tuple[str, dict[str, Any]]]] = {
    "stat": _number,
    "singlestat": _number,
    "gauge": _gauge,
    "bargauge": _bars,
    "timeseries": _line,
    "graph": _line,
    "table": _table,
    "table-old": _table,
}
"""The kind of widget that panels of a type become, and the rest of its config."""
