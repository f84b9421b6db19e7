"""The newer form of Grafana's dashboards, with `elements` and a `layout`, in the classic one, with places.

The schema: https://grafana.com/docs/grafana/latest/as-code/observability-as-code/schema-v2/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from metrics.grafana.raw import mapping, mappings

COLUMNS = 24
USUAL_HEIGHT = 9
HEIGHTS = {"short": 5, "standard": USUAL_HEIGHT, "tall": 14}
"""Of panels that are laid out by themselves, in rows of Grafana's."""
DEPTH_MOST = 10
VARIABLES = {"QueryVariable": "query", "CustomVariable": "custom", "IntervalVariable": "interval"}

Raw = Mapping[str, Any]


def classic(spec: Raw) -> dict[str, Any]:
    """Return a dashboard of the newer form, its `spec`, in the classic one."""
    elements = mapping(spec.get("elements"))
    panels, _ = _laid_out(mapping(spec.get("layout")), elements, 0, DEPTH_MOST)
    time = mapping(spec.get("timeSettings"))
    return {
        "title": spec.get("title"),
        "description": spec.get("description"),
        "links": spec.get("links"),
        "time": {"from": time.get("from")},
        "templating": {"list": [_variable(one) for one in mappings(spec.get("variables"))]},
        "panels": panels,
    }


def _laid_out(layout: Raw, elements: Raw, y: int, depth: int) -> tuple[list[dict[str, Any]], int]:
    """Return the panels of `layout`, which begins at the row `y`, and the row behind them."""
    kind, spec = str(layout.get("kind", "")), mapping(layout.get("spec"))
    found: list[dict[str, Any]] = []
    if not depth:
        return found, y
    if kind in ("RowsLayout", "TabsLayout"):
        for one in mappings(spec.get("rows") or spec.get("tabs")):
            part = mapping(one.get("spec"))
            if not part.get("hideHeader"):
                found.append(_row(part.get("title"), y, is_folded=bool(part.get("collapse"))))
                y += 1
            inside, y = _laid_out(mapping(part.get("layout")), elements, y, depth - 1)
            found += inside
    elif kind == "AutoGridLayout":
        items = [mapping(one.get("spec")) for one in mappings(spec.get("items"))]
        most = spec.get("maxColumnCount")
        columns = min(COLUMNS, max(1, most)) if isinstance(most, int) else 3
        w, h = COLUMNS // columns, HEIGHTS.get(str(spec.get("rowHeightMode")), USUAL_HEIGHT)
        for place, item in enumerate(items):
            at = {"x": place % columns * w, "y": y + place // columns * h, "w": w, "h": h}
            found += _panels(item, elements, at)
        y += -(-len(items) // columns) * h
    else:
        below = y
        for item in mappings(spec.get("items")):
            inside, end = _in_grid(str(item.get("kind", "")), mapping(item.get("spec")), elements, y)
            found += inside
            below = max(below, end)
        y = below
    return found, y


def _in_grid(kind: str, spec: Raw, elements: Raw, y: int) -> tuple[list[dict[str, Any]], int]:
    """Return the panels of one item of a grid, and the row behind them; a row has those that stand in it."""
    top = y + _whole(spec.get("y"))
    if kind != "GridLayoutRow":
        at = {"x": spec.get("x"), "y": top, "w": spec.get("width"), "h": spec.get("height")}
        return list(_panels(spec, elements, at)), top + _whole(spec.get("height"))
    found, below = [_row(spec.get("title"), top, is_folded=bool(spec.get("collapsed")))], top + 1
    for one in mappings(spec.get("elements")):
        inside, end = _in_grid("", mapping(one.get("spec")), elements, top + 1)
        found += inside
        below = max(below, end)
    return found, below


def _panels(item: Raw, elements: Raw, at: Raw) -> Iterator[dict[str, Any]]:
    """Yield the panel that `item` refers to, at its place, if there is one."""
    element = mapping(elements.get(str(mapping(item.get("element")).get("name"))))
    if element:
        repeat = mapping(item.get("repeat")).get("value")
        yield {**_panel(str(element.get("kind", "")), mapping(element.get("spec"))), "gridPos": at, "repeat": repeat}


def _panel(kind: str, spec: Raw) -> dict[str, Any]:
    drawing, data = mapping(spec.get("vizConfig")), mapping(mapping(spec.get("data")).get("spec"))
    drawn = mapping(drawing.get("spec"))
    type = "a library" if kind == "LibraryPanel" else drawing.get("group") or drawing.get("kind")
    return {
        "title": spec.get("title"),
        "type": type,
        "links": spec.get("links"),
        "options": drawn.get("options"),
        "fieldConfig": drawn.get("fieldConfig"),
        "targets": [_target(mapping(one.get("spec"))) for one in mappings(data.get("queries"))],
        "transformations": data.get("transformations"),
    }


def _target(spec: Raw) -> dict[str, Any]:
    query = mapping(mapping(spec.get("query")).get("spec"))
    return {**query, "refId": spec.get("refId"), "hide": spec.get("hidden")}


def _variable(raw: Raw) -> dict[str, Any]:
    spec = mapping(raw.get("spec"))
    query = spec.get("query")
    if isinstance(query, Mapping):
        asked = mapping(query.get("spec"))
        query = next((asked[name] for name in ("query", "__legacyStringValue", "expr") if name in asked), "")
    return {**spec, "type": VARIABLES.get(str(raw.get("kind", "")), ""), "query": query}


def _row(title: Any, y: int, *, is_folded: bool) -> dict[str, Any]:
    return {"type": "row", "title": title, "collapsed": is_folded, "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}}


def _whole(value: Any) -> int:
    return max(0, min(100_000, int(value))) if isinstance(value, int | float) else 0
