"""A panel of Grafana's as a widget of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics.grafana import kinds, links, overrides
from metrics.grafana.kinds import KINDS
from metrics.grafana.overrides import NEGATIVE, Overrides
from metrics.grafana.panel import Panel
from metrics.grafana.promql import Binary, Number, Query, Term, Translator, Untranslatable, queries, written
from metrics.grafana.raw import mapping, mappings
from metrics.grafana.units import unit
from metrics.widgets.repeated import SECTION

QUERIES_MOST = 20
NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXT_MOST = 4000
NAMED = ("displayName",)
BELOW = (*NAMED, "transform")
ON_AXES = (*BELOW, "unit", "min", "max", "axisPlacement")
"""Settings of single series that come along: anywhere, on stacked charts, and on others."""


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
    single = overrides.of_panel(panel.raw)
    config, left_out = _series(panel, translator, single)
    if not config:
        return Made(None, left_out or ["It has no queries."])
    repeat = str(panel.raw.get("repeat") or "")
    if repeat in translator.known:
        translator.used.add(repeat)
    elif repeat:
        left_out.append(f"It is repeated for each value of {repeat}; here it is there once.")
    if panel.raw.get("transformations"):
        left_out.append("Its transformations.")
    if names := single.left_out():
        left_out.append(f"Overrides of single series: {', '.join(names)}.")
    made = KINDS[panel.type](panel, _shown(config))
    left_out += [made.lost] if made.lost else []
    if (shown := unit(kinds.unit(panel))) is not None:
        config["unit"] = shown
    linked, unlinked = links.of_panel(panel.raw, panel.defaults, has_rows=made.kind in kinds.WITH_ROWS)
    left_out += unlinked
    title = panel.title or _named(config)
    return Made(
        Widget(made.kind, title, {**config, **made.more, **linked}, repeat if repeat in translator.known else ""),
        left_out,
    )


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


def _series(panel: Panel, translator: Translator, single: Overrides) -> tuple[dict[str, Any], list[str]]:
    """Return the queries and expressions of `panel`, empty if there are none, and what was left out.

    Those of a chart have what is set for a `single` one; with some of them on the right, the axis there.
    """
    found, left_out, right = _Config(), list[str](), dict[str, Any]()
    taken = (BELOW if kinds.is_stacked(panel) else ON_AXES) if kinds.is_chart(panel) else NAMED
    for index, target in enumerate(mappings(panel.raw.get("targets"))):
        if target.get("hide"):
            continue
        name = str(target.get("refId") or NAMES[index % 26])
        text = target.get("expr")
        if not isinstance(text, str) or not text.strip():
            left_out.append(f"Query {name}: it is not PromQL.")
            continue
        legend = _legend(target.get("legendFormat"), translator)
        settings = single.of(name, legend, *taken)
        axis = _right(panel, settings) if taken is ON_AXES else None
        right = axis or right
        if called := settings.get("displayName"):
            legend = _legend(called, translator)
        shown = {**({"legend": legend} if legend else {}), **({"axis": "right"} if axis is not None else {})}
        is_below = settings.get("transform") == NEGATIVE
        try:
            found.add(_term(text, translator, is_below=is_below), shown)
        except Untranslatable as problem:
            left_out.append(f"Query {name}: {problem}.")
    config = found.config()
    return {**config, **({"right": right} if config and right else {})}, left_out


def _term(text: str, translator: Translator, *, is_below: bool) -> Term:
    """Return what `text` asks, below zero if it is drawn there. Raises Untranslatable."""
    if translator.source:
        return translator.live(f"-({text.strip()}\n)" if is_below else text)
    term = translator.term(text)
    return Binary("-", Number(0), term) if is_below else term


def _right(panel: Panel, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the axis on the right of a chart for a query with such `settings`; None if it is on the left.

    Values with a unit of their own have an axis of their own in Grafana, too.
    """
    own, whole = unit(str(settings.get("unit") or "")), unit(kinds.unit(panel))
    place = settings.get("axisPlacement", "right" if "unit" in settings and own != whole else "left")
    if place != "right":
        return None
    old = mapping(kinds.axes(panel)[1]) if len(kinds.axes(panel)) > 1 else {}
    word = own or unit(str(old.get("format") or "")) or whole
    ends = kinds.bounds(settings, old)
    return {**({"unit": word} if word else {}), **ends}


class _Config:
    """Queries and expressions of a widget; what several expressions use is there once."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self.hidden: dict[str, dict[str, Any]] = {}
        self.expressions: list[dict[str, Any]] = []

    def add(self, term: Term, named: Mapping[str, Any]) -> None:
        """Add what `term` shows, with its legend and its axis. Raises Untranslatable if there is no room for it."""
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
    query = config["queries"][0]
    return str(first.get("legend") or query.get("metric") or query["promql"])[:100]


def _legend(text: Any, translator: Translator) -> str:
    """Return a legend with `{x}` for `{{x}}`; empty for one that Grafana makes up."""
    if not isinstance(text, str) or text == "__auto":
        return ""
    text = re.sub(r"\{\{(.*?)\}\}", lambda found: f"{{{found[1].strip()}}}", translator.text(text))
    return " ".join(text.split())[:100]
