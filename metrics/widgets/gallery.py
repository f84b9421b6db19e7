"""The gallery: every kind of widget in every state that it can be in, out of made-up series. Nothing is stored."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metrics.models import Widget
from metrics.series.read import Point, Track
from metrics.widgets import made_up, ranges
from metrics.widgets.base import WidgetKind
from metrics.widgets.facts import UNKNOWN, Facts, annotating
from metrics.widgets.ranges import Window
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, view_of_tracks

AT = 1_795_176_000.0
"""Friday 2026-11-20 12:00 UTC: the moment that all of them are seen from, so that they are always the same."""
RANGE = "1h"
EVERY_S = 10.0
FRESH_S, LATE_S, STALE_S = 2.0, 32.0, 902.0
"""Ages of the newest samples."""
LONG = "eu-central-1/production/checkout-service-with-a-very-long-name/instance-"
HIGH, LOW = {"warn": 80, "critical": 95}, {"critical": 0, "direction": "below"}
LIMITS: dict[str, dict[str, Any]] = {kind: {"thresholds": HIGH} for kind in ("number", "line", "bars", "gauge", "list")}
LIMITS["table"] = {"thresholds": [HIGH]}
MONTH = {"since": "2026-11-01T00:00:00Z", "by": "2026-12-01T00:00:00Z"}
NEEDED: dict[str, dict[str, Any]] = {"progress": {"goal": 100}, "slo": {"days": 1}}
"""Fields that a kind needs, or that make it quicker to draw."""
NAMES = ("Web process", "Database", "Fails on purpose", "Queue")
SERVERS = tuple(f"web-{number:02}.example.org" for number in range(30))


@dataclass(frozen=True, slots=True)
class State:
    """A state of the kinds that show series: `about` says what it is, `title` is that of the widget.

    There is a series for each of `names`. The newest value of the first is `value`, in `unit`, those of the others are
    less, or multiples of it where they are `growing`; for places in `zero` it is zero. It is `age_s` old, that of each
    third `STALE_S` if `some_stale`; points go up to it, if there are any. `fields` are part of the config of every
    kind, those of `by_kind` of one.
    """

    about: str
    title: str = "In use"
    names: tuple[str, ...] = NAMES
    value: float = 93.4
    unit: str = "percent"
    zero: tuple[int, ...] = (2,)
    age_s: float = FRESH_S
    growing: bool = False
    some_stale: bool = False
    has_points: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
    by_kind: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


USUAL = {**LIMITS, "progress": MONTH}
STATES: dict[str, State] = {
    "fresh": State("Fresh", by_kind=USUAL),
    "late": State("Late", age_s=LATE_S, by_kind=USUAL),
    "stale": State("Stale", age_s=STALE_S, by_kind=USUAL),
    "nodata": State(
        "No data yet",
        "Orders open",
        names=(),
        fields={"hint": "Push the metric orders_open and it appears here at once. " * 5},
    ),
    "empty": State("Nothing in the range", "CPU", names=("web",), value=1, age_s=7200, has_points=False),
    "maintenance": State("In maintenance", by_kind=USUAL | {"heatmap": {"of": "buckets", "unit": "seconds"}}),
    "annotated": State(
        "With annotations",
        by_kind=USUAL | {"list": {**LIMITS["list"], "annotations": ["*"]}},
    ),
    "error": State("Can't be drawn", "CPU", fields={"colour": "red"}),
    "one": State("One series", "CPU", names=("web",), value=1, unit="", zero=()),
    "huge": State("Huge values", "Bytes", value=1.2345678e21, unit="bytes", zero=(), growing=True),
    "tiny": State("Tiny values", "Share", value=1.2345678e-9, unit="ratio", zero=(), growing=True),
    "negative": State("Negative values", "Temperature", value=-18.5, unit="°C", zero=(), growing=True),
    "many": State(
        "30 series",
        "Requests by server",
        names=SERVERS,
        value=1e5,
        unit="bytes_per_second",
        zero=(0, 1),
        by_kind={"bars": {"top": 10}, "heatmap": {"of": "buckets", "unit": "seconds"}},
    ),
    "long": State(
        "Long names, absurd values, 90 series",
        "A title that nobody would ever write upon a tile of any wall, were it not to see whether it fits",
        names=tuple(f"{LONG}{number:03}" for number in range(90)),
        value=-1.2345678e15,
        unit="wonderful things/s",
        zero=(),
        growing=True,
        some_stale=True,
        by_kind={
            "number": {"decimals": 6, "better": "lower", "thresholds": {"warn": 1, "direction": "below"}},
            "bars": {"top": 30, "thresholds": LOW},
            "gauge": {"decimals": 6, "thresholds": {"warn": 1, "direction": "below"}},
            "progress": {"by": "2026-11-21T00:00:00Z", "goal": -7e99},
            "late": {"rows": 30, "every_s": 1},
            "slo": {"objective": 99.999999},
            "list": {"rows": 30, "thresholds": LOW},
            "table": {"rows": 50, "thresholds": [LOW]},
        },
    ),
}
"""The states of the kinds that show series, by name."""

STILL: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "text": {
        "fresh": (
            "On call",
            {"text": "# On call\n\n* Ada until Friday\n* [the plan](https://example.org/plan)\n\n`make restart` it."},
        ),
        "one": ("On call", {"text": "Call **Ada**."}),
        "many": (
            "House rules",
            {"text": "\n\n".join(f"Paragraph {n}, which says what there is to say about it." for n in range(40))},
        ),
        "long": (
            STATES["long"].title,
            {"text": "x" * 300 + "\n\n| a | b |\n|---|---|\n" + "| c | " * 40 + "\n\n```\n" + "y" * 400 + "\n```"},
        ),
    },
    "clock": {
        "fresh": (
            "Offices",
            {"places": [{"zone": "Europe/Berlin"}, {"zone": "America/New_York"}], "seconds": True},
        ),
        "one": ("UTC", {"places": [{"zone": "UTC"}]}),
        "many": (
            "Offices",
            {"places": [{"zone": zone} for zone in ("UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York")]},
        ),
        "long": (
            STATES["long"].title,
            {"places": [{"zone": "Pacific/Chatham", "name": "A name as long as it may be, and no longer than it"}] * 6},
        ),
    },
    "countdown": {
        "fresh": ("The sale begins", {"until": "2026-12-24T18:00:00+01:00"}),
        "one": ("Freeze", {"until": "2026-11-20T12:00:09Z"}),
        "many": ("Ten years", {"until": "2036-12-24T18:00:00+01:00"}),
        "long": (
            STATES["long"].title,
            {
                "until": "2020-01-01T00:00:00Z",
                "reached": "It is over, and has been for so long that nobody remembers why",
            },
        ),
    },
    "image": {
        "fresh": ("The yard", {"picture": "0" * 64, "fit": "cover", "alt": "The yard"}),
        "one": ("The yard", {"picture": "0" * 64}),
        "many": (
            "The yard",
            {"picture": "0" * 64, "alt": "The yard from the west, with the gate, the ramp and the lorries " * 4},
        ),
        "long": (STATES["long"].title, {"picture": "0" * 64, "link": "/d/yard/", "alt": "x" * 300}),
    },
    "alerts": {
        "fresh": ("Alerts", {}),
        "one": ("Alerts", {}),
        "many": ("Alerts", {}),
        "long": (STATES["long"].title, {}),
    },
    "on_call": {
        "fresh": ("On call", {}),
        "one": ("On call", {}),
        "many": ("On call", {"rows": 30}),
        "long": (STATES["long"].title, {"rows": 30}),
    },
    "untold": {
        "fresh": ("Not told", {}),
        "one": ("Not told", {}),
        "many": ("Not told", {"rows": 60}),
        "long": (STATES["long"].title, {"rows": 60}),
    },
    "section": {"fresh": ("Databases", {}), "long": (STATES["long"].title, {})},
}
"""Title and config of the kinds that show no series, by the states that they can be in; all can be in `error`."""


KNOWN: dict[str, Facts] = {
    "fresh": made_up.facts_at(AT),
    "one": made_up.little(AT),
    "many": made_up.much(AT, SERVERS),
    "long": made_up.absurd(AT, LONG),
    "maintenance": made_up.maintenance(AT),
    "annotated": made_up.annotations(AT),
}
"""Facts in the states of the kinds that show them; the maintenance that series are in, and annotations."""
OF_SERIES = ("maintenance", "annotated")
"""States in which a kind that shows series shows facts as well."""
STILL_ABOUT = {"fresh": "Usual", "one": "Little", "many": "Much", "long": "Long and absurd"}


def about(kind: str, state: str) -> str:
    """Return what the state of a kind is called."""
    return STILL_ABOUT.get(state, STATES[state].about) if kind in STILL else STATES[state].about


def states(kind: str) -> list[str]:
    """Return the names of the states that widgets of `kind` can be in."""
    own = STILL.get(kind)
    return [
        state
        for state in STATES
        if (own is None or state in own or state == "error") and (state != "annotated" or kind in annotating())
    ]


def tile(kind: str, state: str) -> WidgetView:
    """Return the view-model of a widget of `kind` in a state, seen at `AT`. Raises KeyError for what there is not."""
    if kind in STILL:
        title, config = STILL[kind].get(state, (STATES[state].title, STATES[state].fields))
        return view_of_tracks(_widget(kind, state, title, config), [], RANGE, AT, KNOWN.get(state, UNKNOWN))
    shown = STATES[state]
    config = NEEDED.get(kind, {}) | dict(shown.fields) | dict(shown.by_kind.get(kind, {}))
    config = {"queries": [{"metric": "example"}], **config}
    made = kinds()[kind]
    tracks = [] if state == "error" else _tracks(made, shown, config)
    known = KNOWN[state] if state in OF_SERIES else UNKNOWN
    return view_of_tracks(_widget(kind, state, shown.title, config), [tracks], RANGE, AT, known)


def _widget(kind: str, state: str, title: str, config: Mapping[str, Any]) -> Widget:
    width, height = kinds()[kind].size
    return Widget(key=f"{kind}-{state}", kind=kind, title=title, x=0, y=0, w=width, h=height, config=dict(config))


def _tracks(kind: WidgetKind[Any], state: State, config: Mapping[str, Any]) -> list[Track]:
    checked = kind.config_class.model_validate(config)
    window = kind.window(checked, ranges.window(RANGE, AT))
    return [_track(kind, state, window, place) for place in range(len(state.names))]


def _track(kind: WidgetKind[Any], state: State, window: Window, place: int) -> Track:
    name = state.names[place]
    newest = 0.0 if place in state.zero else state.value * _factor(state, place)
    at = AT - (STALE_S if state.some_stale and place % 3 == 2 else state.age_s)
    is_of_shares = kind.example_at(place, AT) is not None
    return Track(
        "example",
        {"name": name, "le": f"{0.001 * 1.4**place:.3g}"} if kind.kind == "heatmap" else {"name": name},
        "" if is_of_shares else state.unit,
        EVERY_S,
        Point(at, newest),
        tuple(_points(kind, state, window, place, newest, at)) if state.has_points else (),
    )


def _factor(state: State, place: int) -> float:
    return place + 1 if state.growing else 1 - place / (len(state.names) + 2)


def _points(
    kind: WidgetKind[Any], state: State, window: Window, place: int, newest: float, last: float
) -> Iterator[Point]:
    """Yield points up to `last`, some of them missing, as long before as `kind` looks back."""
    steps = round(kind.windows_back * window.length_s / window.step_s)
    factor = _factor(state, place) * (state.value if state.growing else 1) if kind.kind == "heatmap" else 1
    for number in range(steps):
        at = window.end - (steps - number) * window.step_s
        own = kind.example_at(place, at)
        if at > last or (own is not None and number % 97 <= 5 * (place % 3)):
            continue
        wave = 0.9 + 0.07 * math.sin(at / 400 + place) + 0.03 * math.sin(at / 97 + 2 * place)
        yield Point(at, newest * wave if own is None else own * factor)
