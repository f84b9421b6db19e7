"""Tiles of every kind, size and filling on one page, as the real templates and stylesheets draw them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from metrics.series.read import Point
from metrics.widgets import freshness
from metrics.widgets.base import Named
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView
from tests.widgets.make import AT, config, named, steps, window

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
FILLINGS = ("nothing", "little", "usual", "much", "absurd")
SERIES = ("number", "line", "bars", "status", "gauge", "progress", "table", "history", "list", "slo", "heatmap", "late")
"""Kinds that show series; each kind has its test here."""
OWN_POINTS = ("history", "list", "slo", "heatmap")
"""Kinds that have points as in their examples."""
STILL: dict[str, dict[str, dict[str, Any]]] = {
    "text": {
        "little": {"text": "Call **Ada**."},
        "usual": {
            "text": "# On call\n\n* Ada until Friday\n* [the plan](https://example.org/plan)\n\n`make restart` first."
        },
        "much": {"text": "\n\n".join(f"Paragraph {n}, which says what there is to say about it." for n in range(40))},
        "absurd": {
            "text": "x" * 300 + "\n\n| a | b |\n|---|---|\n" + "| c | " * 40 + "\n\n```\n" + "y" * 400 + "\n```"
        },
    },
    "clock": {
        "little": {"places": [{"zone": "UTC"}]},
        "usual": {"places": [{"zone": "Europe/Berlin"}, {"zone": "America/New_York"}], "seconds": True},
        "much": {"places": [{"zone": zone} for zone in ("UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York")]},
        "absurd": {
            "places": [{"zone": "Pacific/Chatham", "name": "A name as long as it may be, and no longer than it"}] * 6
        },
    },
    "image": {
        "little": {"picture": "0" * 64},
        "usual": {"picture": "0" * 64, "fit": "cover", "alt": "The yard"},
        "much": {"picture": "0" * 64, "alt": "The yard from the west, with the gate, the ramp and the lorries " * 4},
        "absurd": {"picture": "0" * 64, "link": "/d/yard/", "alt": "x" * 300},
    },
    "countdown": {
        "little": {"until": "2026-11-20T12:00:09Z"},
        "usual": {"until": "2026-12-24T18:00:00+01:00"},
        "much": {"until": "2036-12-24T18:00:00+01:00"},
        "absurd": {
            "until": "2020-01-01T00:00:00Z",
            "reached": "It is over, and has been for so long that nobody remembers why",
        },
    },
}
LONG = "eu-central-1/production/checkout-service-with-a-very-long-name/instance-"
HIGH = {"warn": 80, "critical": 95}


def series(kind: str, filling: str) -> tuple[str, list[Named], dict[str, Any]]:
    """Return a title, the series and the fields of the config."""
    if kind in STILL:
        return "Berlin and elsewhere", [], STILL[kind][filling]
    points = steps(42, window(), 2)
    needed: dict[str, Any] = {"progress": {"goal": 100}, "slo": {"days": 1}}.get(kind, {})
    title, found, fields = _series(kind, filling, points)
    if kind in OWN_POINTS:
        found = [_long(kind, place, one, needed | fields) for place, one in enumerate(found)]
    return title, found, needed | fields


def _long(kind: str, place: int, one: Named, fields: dict[str, Any]) -> Named:
    """Return `one` with points over the window of its kind, some of which are missing."""
    made = kinds()[kind]
    own = made.window(made.config_class.model_validate(config(**fields)), window())
    times = (own.start + own.step_s * number for number in range(round(own.length_s / own.step_s)))
    points = [
        Point(at, (made.example_at(place, at) or 0.0) * (place + 1 if kind == "heatmap" else 1))
        for number, at in enumerate(times)
        if at <= AT and number % 97 > 5 * (place % 3)
    ]
    labels = {**one.track.labels, "le": f"{place + 1}e{place}"}
    return replace(one, track=replace(one.track, points=tuple(points), unit="", labels=labels))


def _series(kind: str, filling: str, points: list[Point]) -> tuple[str, list[Named], dict[str, Any]]:
    match filling:
        case "nothing":
            return "Orders open", [], {"hint": "Push the metric orders_open and it appears here at once. " * 5}
        case "little":
            return "CPU", [named("web", 1, points)], {}
        case "usual":
            names = ("Web process", "Database", "Fails on purpose", "Queue")
            found = [named(name, 93.4 - 93.4 * (i == 2), points, unit="percent") for i, name in enumerate(names)]
            limits: dict[str, Any] = {
                "number": HIGH,
                "bars": HIGH,
                "gauge": HIGH,
                "list": HIGH,
                "table": [HIGH],
            }
            more = {"since": "2026-11-01T00:00:00Z", "by": "2026-12-01T00:00:00Z"} if kind == "progress" else {}
            return "In use", labelled(found), {"thresholds": limits[kind]} if kind in limits else more
        case "much":
            found = [
                named(f"web-{i:02}.example.org", 1e5 * (i > 1), points, unit="bytes_per_second") for i in range(30)
            ]
            also: dict[str, dict[str, Any]] = {"bars": {"top": 10}, "heatmap": {"of": "buckets", "unit": "seconds"}}
            return "Requests by server", labelled(found), also.get(kind, {})
    found = [
        named(f"{LONG}{i:03}", -1.2345678e15 * (i + 1), points, unit="wonderful things/s", age_s=2 + 900 * (i % 3 == 2))
        for i in range(90)
    ]
    absurd: dict[str, dict[str, Any]] = {
        "number": {"decimals": 6, "better": "lower", "thresholds": {"warn": 1, "direction": "below"}},
        "bars": {"top": 30, "thresholds": {"critical": 0, "direction": "below"}},
        "gauge": {"decimals": 6, "thresholds": {"warn": 1, "direction": "below"}},
        "progress": {"by": "2026-11-21T00:00:00Z", "goal": -7e99},
        "late": {"rows": 30, "every_s": 1},
        "slo": {"objective": 99.999999},
        "list": {"rows": 30, "thresholds": {"critical": 0, "direction": "below"}},
        "table": {"rows": 50, "thresholds": [{"critical": 0, "direction": "below"}]},
    }
    return (
        "A title that nobody would ever write upon a tile of any wall, were it not to see whether it fits",
        labelled(found),
        absurd.get(kind, {}),
    )


def labelled(found: list[Named]) -> list[Named]:
    """Return series whose label `name` is their name, as tables show it."""
    return [replace(one, track=replace(one.track, labels={"name": one.name})) for one in found]


def tile(kind: str, filling: str, element: str) -> str:
    title, found, fields = series(kind, filling)
    made = kinds()[kind]
    late = {"usual": 30.0, "absurd": 900.0}.get(filling, 0.0)
    current = freshness.of_tracks([one.track for one in found], None, AT + late)
    is_still = kind in STILL
    current = freshness.STILL if is_still else current
    checked = made.config_class.model_validate(fields if is_still else config(**fields))
    view = WidgetView(
        element=element,
        kind=kind,
        title=title,
        x=0,
        y=0,
        w=3,
        h=1,
        freshness=current,
        template=f"widgets/{kind}.html",
        view=made.view(checked, found, made.window(checked, window())) if found or is_still else None,
        hint=fields.get("hint", ""),
    )
    text = render_to_string("widgets/widget.html", {"widget": view})
    words = {"fresh": "12 s ago", "late": "late · 99 min", "stale": "stale · 99 min", "nodata": "no data"}
    return (
        text if is_still else text.replace(f"data-freshness>{current.state}", f"data-freshness>{words[current.state]}")
    )


def combinations() -> Iterator[tuple[str, tuple[int, int], str]]:
    yield from product(SERIES, SIZES, FILLINGS)
    yield from product(STILL, SIZES, FILLINGS[1:])


def page(theme: str = "dark") -> str:
    """Return all of them, each in a box of its size with the id kind-width-filling."""
    root = Path(settings.BASE_DIR) / "static/css"
    css = "\n".join((root / f"{name}.css").read_text() for name in SHEETS)
    boxes = "".join(
        f'<div class="box" id="{kind}-{width}-{filling}" style="width:{width}px;height:{height}px">'
        f"{tile(kind, filling, f'w-{index}')}</div>"
        for index, (kind, (width, height), filling) in enumerate(combinations())
    )
    return (
        f'<!doctype html><html data-theme="{theme}"><style>{css} .box{{display:grid;margin:8px}}'
        f".box>.widget{{grid-area:1/1}}</style><body>{boxes}"
    )
