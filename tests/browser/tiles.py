"""Tiles of every kind, size and state on one page, as the real templates and stylesheets draw them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from metrics.models import Widget
from metrics.series.read import Point, Track
from metrics.widgets import freshness, gallery
from metrics.widgets.registry import kinds
from metrics.widgets.render import view_of_tracks
from tests.widgets.make import AT, EVERY_S

SHEETS = ("theme", "live", "widget", "kinds", "counts")
SIZES = [
    (120, 60),
    (160, 90),
    (240, 70),
    (300, 168),
    (200, 420),
    (620, 340),
    (760, 110),
    (1880, 500),
    (3800, 2000),
]
STATES = ("nodata", "one", "late", "maintenance", "many", "long")
"""States of the gallery that differ in how much there is to fit in."""
WITH_BANDS = {"heatmap", "history", "line", "number"}
"""Kinds that are tried in maintenance: those that draw it, and one for the frame, which is the same for all."""
WORDS = {"fresh": "12 s ago", "late": "late · 99 min", "stale": "stale · 99 min", "nodata": "no data"}
"""The longest ones that the page writes, by how current a tile is."""


ELEMENT = "w-any"
"""Stands for the id of a tile's element."""


def tile(kind: str, state: str, element: str) -> str:
    return _drawn(kind, state).replace(ELEMENT, element)


@cache
def _drawn(kind: str, state: str) -> str:
    view = replace(gallery.tile(kind, state), element=ELEMENT)
    if state == "long" and view.freshness.at:
        view = replace(view, freshness=freshness.freshness(view.freshness.at, gallery.EVERY_S, gallery.AT + 900))
    text = render_to_string("widgets/widget.html", {"widget": view})
    said = view.freshness.state
    return text.replace(f"data-freshness>{said}", f"data-freshness>{WORDS[said]}") if said in WORDS else text


def combinations() -> Iterator[tuple[str, tuple[int, int], str]]:
    for kind in sorted(kinds().keys() - {"section"}):  # which is a heading, and no tile
        states = [state for state in STATES if state in gallery.states(kind)]
        if kind not in WITH_BANDS:
            states = [state for state in states if state != "maintenance"]
        yield from product([kind], SIZES, states)


def page(theme: str = "dark", kinds: Iterable[str] = (), body: str = "") -> str:
    """Return all of them, or of some `kinds`, each in a box of its size with the id kind-width-state.

    The page's body has the class `body`.
    """
    boxes = "".join(
        f'<div class="box" id="{kind}-{width}-{state}" style="width:{width}px;height:{height}px">'
        f"{tile(kind, state, f'w-{index}')}</div>"
        for index, (kind, (width, height), state) in enumerate(combinations())
        if not kinds or kind in kinds
    )
    return _styled(theme, boxes, body)


def some(kinds: Iterable[str], states: Iterable[str]) -> str:
    """Return tiles of these kinds in these states, in the theme that the system prefers."""
    return _styled(
        "auto",
        "".join(
            f'<div class="box" style="width:300px;height:168px">{tile(kind, state, f"w-{kind}-{state}")}</div>'
            for kind, state in product(kinds, states)
        ),
    )


def descending(kind: str, heights: Iterable[int], bad: int) -> str:
    """Return tiles of 20 series on a wall, a tile of each height: row-00 has the largest value, the last are `bad`."""
    below = {"critical": 1, "direction": "below"}
    configs: dict[str, dict[str, Any]] = {
        "table": {"thresholds": [below]},
        "bars": {"thresholds": below, "top": 20},
        "history": {"days": 0},
    }
    widget = Widget(key="w", kind=kind, title="T", x=0, y=0, w=6, h=2)
    widget.config = {"queries": [{"metric": "m"}], **configs[kind]}
    tracks = [
        Track(
            "m",
            {"name": f"row-{place:02}"},
            "",
            EVERY_S,
            point := Point(AT - 2, 20 - place if place < 20 - bad else 0.5),
            (point,),
        )
        for place in range(20)
    ]
    html = render_to_string("widgets/widget.html", {"widget": view_of_tracks(widget, [tracks], "1h", AT)})
    return _styled(
        "dark",
        "".join(f'<div class="box" style="width:900px;height:{height}px">{html}</div>' for height in heights),
        "wall",
    )


def on_paper(body: str) -> str:
    """Return a page of a dashboard with a table and a text that are longer than their tiles."""
    tracks = [Track("m", {"host": f"row-{place:02}"}, "", EVERY_S, Point(AT - 2, place), ()) for place in range(20)]
    table = Widget(key="w", kind="table", title="T", x=0, y=0, w=6, h=2, config={"queries": [{"metric": "m"}]})
    html = render_to_string("widgets/widget.html", {"widget": view_of_tracks(table, [tracks], "1h", AT)})
    tiles = html + tile("text", "many", "w-many") + tile("text", "long", "w-long") + tile("number", "one", "w-one")
    return _styled("dark", f'<main id="widgets" class="grid">{tiles}</main>', body)


def headed(headings: Sequence[str], width: int, body: str) -> str:
    """Return a page with a table `width` pixels wide, whose columns of figures have `headings`, with 42 in each."""
    tracks = [[Track("m", {"host": "web-1"}, "", EVERY_S, Point(AT - 2, 42), ())] for _ in headings]
    queries = [{"metric": "m", "legend": one} for one in headings]
    table = Widget(key="w", kind="table", title="T", x=0, y=0, w=6, h=2, config={"queries": queries})
    html = render_to_string("widgets/widget.html", {"widget": view_of_tracks(table, tracks, "1h", AT)})
    return _styled("dark", f'<div class="box" style="width:{width}px;height:300px">{html}</div>', body)


def _styled(theme: str, boxes: str, body: str = "") -> str:
    root = Path(settings.BASE_DIR) / "static/css"
    css = "\n".join((root / f"{name}.css").read_text() for name in SHEETS)
    css += f"@media print {{{(root / 'print.css').read_text()}}}"
    return (
        f'<!doctype html><html data-theme="{theme}"><style>{css} .box{{display:grid;flex:none;margin:8px}}'
        f'.box>.widget{{grid-area:1/1}}</style><body class="{body}">{boxes}'
    )
