"""A dashboard of Grafana as a document of ours, with a list of what it has and this does not.

The JSON model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify
from pydantic import ValidationError

from metrics.grafana import links
from metrics.grafana.newer import classic
from metrics.grafana.panel import Panel
from metrics.grafana.panels import TEXT_MOST, Widget, widget_of
from metrics.grafana.promql import Translator
from metrics.grafana.raw import mapping, mappings
from metrics.widgets.ranges import DEFAULT, RANGES_S
from metrics.widgets.spec import COLUMNS, HEIGHT_MOST, ROWS, WIDGETS_MOST
from metrics.widgets.variables import NAME, VARIABLES_MOST, VariableSpec

GRAFANAS_COLUMNS = 24
QUERY_CHARACTERS = 2000
"""Of a variable's query; more are not read."""
ROW_HEIGHT = 4.5
"""So many of Grafana's rows are as high as one of ours."""
_NO_WORD = re.compile(r"[^\w .,:/-]")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A panel, or a part of it, that has no counterpart: its `title`, and a sentence why."""

    title: str
    reason: str


class NoDashboard(ValueError):
    """JSON that is no dashboard of Grafana's as it is read here; the message is a sentence."""


def is_grafanas(value: Any) -> bool:
    """Return whether `value`, read from JSON, looks like a dashboard of Grafana's."""
    return isinstance(value, Mapping) and bool({"panels", "rows", "dashboard", "elements", "spec"} & value.keys())


def converted(value: Mapping[str, Any], source: str = "") -> tuple[dict[str, Any], list[LeftOut]]:
    """Return a dashboard as a document of ours, and what was left out. Raises NoDashboard.

    With the name of a `source` its queries are asked of the server of that, live; else they are of stored series.
    """
    found = value.get("dashboard", value)
    if not isinstance(found, Mapping):
        raise NoDashboard("It is no dashboard of Grafana's.")
    found = mapping(found.get("spec")) or found  # as its API wraps it
    if "elements" in found:
        found = classic(found)
    variables = _variables(found, source)
    translator, left_out, widgets = Translator(variables.keys(), source), list[LeftOut](), list[tuple[Panel, Widget]]()
    panels = list(_panels(found, translator))
    if not panels:
        raise NoDashboard("It has no panels.")
    for panel in panels:
        made = widget_of(panel, translator)
        left_out += [LeftOut(panel.title, reason) for reason in made.left_out]
        if made.widget:
            widgets.append((panel, made.widget))
    linked, unlinked = links.of_dashboard(found)
    if linked:
        text, too_many = _links(linked)
        unlinked += too_many
        widgets.append(_below(panels, Widget("text", "Links", {"text": text})))
    placed, unplaced = _placed(widgets)
    left_out += [LeftOut("Links", reason) for reason in unlinked]
    left_out += unplaced
    left_out += [
        LeftOut(f"${name}", "It is no variable that there can be here; series of all its values are shown.")
        for name in sorted(translator.dropped)
    ]
    title = str(found.get("title") or "").strip()[:100] or "Dashboard of Grafana"
    description = " ".join(str(found.get("description") or "").split())[:300]
    document = {
        "slug": slugify(title)[:50].strip("-") or "dashboard",
        "title": title,
        **({"description": description} if description else {}),
        "range": _range(found.get("time")),
        **({"variables": used} if (used := [variables[name] for name in variables if name in translator.used]) else {}),
        "widgets": placed,
    }
    return document, left_out


def _links(linked: list[dict[str, str]]) -> tuple[str, list[str]]:
    """Return a text with the links of the dashboard, and sentences about those that it has no room for."""
    text, left_out = "", []
    for one in linked:
        line = f"* [{_NO_WORD.sub(' ', one['title'])}](<{one['url']}>)"
        if len(text) + len(line) < TEXT_MOST:
            text += f"{line}\n"
        else:
            left_out.append(f"Its link {one['title']!r}: a text has at most {TEXT_MOST} characters.")
    return text.rstrip(), left_out


def _below(panels: list[Panel], widget: Widget) -> tuple[Panel, Widget]:
    """Return `widget` in a place of its own below all `panels`."""
    return Panel({}, "text", widget.title, 0, max(one.y + one.h for one in panels), GRAFANAS_COLUMNS, 4), widget


def _variables(found: Mapping[str, Any], source: str) -> dict[str, dict[str, Any]]:
    """Return variables as ours, by name: those that are the values of a label, or a list of values."""
    made: dict[str, dict[str, Any]] = {}
    listed = ("custom", "interval") if source else ("custom",)
    for raw in mappings(mapping(found.get("templating")).get("list")):
        name, query = str(raw.get("name") or ""), raw.get("query")
        text = (str(query.get("query") or "") if isinstance(query, Mapping) else str(query or ""))[:QUERY_CHARACTERS]
        of = re.fullmatch(r"\s*label_values\(\s*(?:([a-zA-Z_:][\w:]*)\s*(?:\{.*\})?\s*,)?\s*(\w+)\s*\)\s*", text)
        if not re.fullmatch(NAME, name) or len(name) > 30 or len(made) == VARIABLES_MOST:
            continue
        if raw.get("type") == "query" and of:
            choice: dict[str, Any] = {"label": of[2], **({"metric": of[1]} if of[1] else {})}
            choice |= {"source": source} if source else {}
        elif raw.get("type") in listed and (values := list(dict.fromkeys(one.strip() for one in text.split(",")))):
            choice = {"values": [one for one in values if one]}
        else:
            continue
        several, every = bool(raw.get("multi")), bool(raw.get("includeAll"))
        title = str(raw.get("label") or "")[:50]
        variable = {
            "name": name,
            **({"title": title} if title else {}),
            **choice,
            **({"several": True} if several else {}),
            **({"all": True} if every else {}),
        }
        with suppress(ValidationError):  # one that there can't be here is left out, and said to be
            VariableSpec.model_validate(variable)
            made[name] = variable
    return made


def _panels(found: Mapping[str, Any], translator: Translator) -> Iterator[Panel]:
    """Yield the panels with their places, from top to bottom; those of folded rows as well."""
    if isinstance(found.get("rows"), list) and not found.get("panels"):
        yield from _old_rows(found["rows"], translator)
        return
    flat = []
    for raw in mappings(found.get("panels")):
        flat.append(raw)
        flat += mappings(raw.get("panels"))
    yield from sorted((_panel(one, translator) for one in flat), key=lambda one: (one.y, one.x))


def _old_rows(rows: Any, translator: Translator) -> Iterator[Panel]:
    """Yield the panels of a dashboard before Grafana 5: rows of panels, each a span of 12 wide."""
    y = 0
    for row in mappings(rows):
        if row.get("title") and row.get("showTitle"):
            yield _panel(
                {"type": "row", "title": row["title"], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}, translator
            )
            y += 1
        height = _height(row.get("height"))
        x = 0
        for raw in mappings(row.get("panels")):
            span = raw.get("span")
            span = span if isinstance(span, int | float) else 12
            width = max(1, min(GRAFANAS_COLUMNS, round(span * 2)))
            if x + width > GRAFANAS_COLUMNS:
                x, y = 0, y + height
            yield _panel({**raw, "gridPos": {"x": x, "y": y, "w": width, "h": height}}, translator)
            x += width
        y += height


def _height(text: Any) -> int:
    pixels = re.match(r"\d+", str(text or ""))
    return max(1, round(int(pixels[0]) / 38)) if pixels else 7


def _panel(raw: Mapping[str, Any], translator: Translator) -> Panel:
    place = mapping(raw.get("gridPos"))
    x, y, w, h = (
        _whole(place, name, least, usual)
        for name, least, usual in (("x", 0, 0), ("y", 0, 0), ("w", 1, 12), ("h", 1, 8))
    )
    w = min(w, GRAFANAS_COLUMNS)
    title = " ".join(translator.text(str(raw.get("title") or "")).split()).strip(" -:")[:100]
    type = str(raw.get("type") or "")
    if type == "row":
        x, w, h = 0, GRAFANAS_COLUMNS, 1
    return Panel(raw, type, title, min(x, GRAFANAS_COLUMNS - w), y, w, h)


def _whole(place: Mapping[str, Any], name: str, least: int, usual: int) -> int:
    value = place.get(name)
    return max(least, min(100_000, int(value))) if isinstance(value, int | float) else usual


def _placed(widgets: list[tuple[Panel, Widget]]) -> tuple[list[dict[str, Any]], list[LeftOut]]:
    """Return the widgets with their places, and what finds none.

    Each falls as far up as it can. If that needs too many rows, all are one row high, and then without headings.
    """
    found, rest = _fallen(widgets)
    if rest:
        found, rest = _fallen(widgets, height=1)
    if rest:
        rows = [panel.title for panel, _ in widgets if panel.type == "row"]
        found, rest = _fallen([(panel, widget) for panel, widget in widgets if panel.type != "row"], height=1)
        rest = [*([LeftOut("Rows", f"There is no room for headings: {', '.join(rows)}.")] if rows else []), *rest]
    return found, rest


def _fallen(widgets: list[tuple[Panel, Widget]], height: int = 0) -> tuple[list[dict[str, Any]], list[LeftOut]]:
    floor, found, left_out = [0] * COLUMNS, list[dict[str, Any]](), list[LeftOut]()
    for panel, widget in widgets:
        x, end = panel.x // 2, max(panel.x // 2 + 1, (panel.x + panel.w) // 2)
        h = height or min(HEIGHT_MOST, max(1, round(panel.h / ROW_HEIGHT)))
        y = max(floor[x:end])
        if y + h > ROWS or len(found) == WIDGETS_MOST:
            left_out.append(LeftOut(panel.title, f"A dashboard has at most {WIDGETS_MOST} widgets in {ROWS} rows."))
            continue
        floor[x:end] = [y + h] * (end - x)
        place = {"x": x, "y": y, "w": end - x, "h": h}
        repeat = {"repeat": widget.repeat} if widget.repeat else {}
        found.append({"kind": widget.kind, "title": widget.title, **place, **repeat, "config": widget.config})
    return found, left_out


def _range(time: Any) -> str:
    """Return the range that is nearest to the one of `{"from": "now-24h"}`."""
    text = str(time.get("from", "")) if isinstance(time, Mapping) else ""
    match = re.fullmatch(r"now-(\d{1,6})([smhdwMy])(?:/\w)?", text)
    if not match:
        return DEFAULT
    seconds = int(match[1]) * SECONDS[match[2]]
    return min(RANGES_S, key=lambda name: abs(RANGES_S[name][0] - seconds))
