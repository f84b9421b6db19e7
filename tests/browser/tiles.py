"""Tiles of every kind, size and state on one page, as the real templates and stylesheets draw them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from metrics.widgets import freshness, gallery
from metrics.widgets.registry import kinds

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


def tile(kind: str, state: str, element: str) -> str:
    view = replace(gallery.tile(kind, state), element=element)
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


def page(theme: str = "dark") -> str:
    """Return all of them, each in a box of its size with the id kind-width-state."""
    boxes = "".join(
        f'<div class="box" id="{kind}-{width}-{state}" style="width:{width}px;height:{height}px">'
        f"{tile(kind, state, f'w-{index}')}</div>"
        for index, (kind, (width, height), state) in enumerate(combinations())
    )
    return _styled(theme, boxes)


def some(kinds: Iterable[str], states: Iterable[str]) -> str:
    """Return tiles of these kinds in these states, in the theme that the system prefers."""
    return _styled(
        "auto",
        "".join(
            f'<div class="box" style="width:300px;height:168px">{tile(kind, state, f"w-{kind}-{state}")}</div>'
            for kind, state in product(kinds, states)
        ),
    )


def _styled(theme: str, boxes: str) -> str:
    root = Path(settings.BASE_DIR) / "static/css"
    css = "\n".join((root / f"{name}.css").read_text() for name in SHEETS)
    return (
        f'<!doctype html><html data-theme="{theme}"><style>{css} .box{{display:grid;margin:8px}}'
        f".box>.widget{{grid-area:1/1}}</style><body>{boxes}"
    )
