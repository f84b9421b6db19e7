"""Examples of each kind, with made-up values, for whoever chooses one."""

import math
from typing import Any

from metrics.series.read import Point, Track
from metrics.widgets import freshness, ranges
from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.made_up import facts_at
from metrics.widgets.ranges import Window
from metrics.widgets.render import WidgetView

RANGE = "1h"
EVERY_S = 60.0
NAMES = ("Database", "Web", "Queue")
MIDDLES, SWINGS = (82.0, 46.0, 21.0), (9.0, 14.0, 6.0)


def example(kind: WidgetKind[Any], at: float) -> WidgetView:
    """Return a widget of `kind` as it would be drawn at `at` (Unix seconds)."""
    config = kind.config_class.model_validate(kind.example)
    window = kind.window(config, ranges.window(RANGE, at))
    is_still = isinstance(config, Still)
    facts_at(at).give(config)
    series = [] if is_still else [_series(place, kind, window) for place in range(kind.example_series)]
    return WidgetView(
        element=f"example-{kind.kind}",
        kind=kind.kind,
        title=kind.kind.replace("_", " ").capitalize(),
        x=0,
        y=0,
        w=3,
        h=2,
        freshness=freshness.STILL if is_still else freshness.of_tracks([one.track for one in series], None, at),
        template=f"widgets/{kind.kind}.html",
        view=kind.view(config, series, window),
    )


def _series(place: int, kind: WidgetKind[Any], window: Window) -> Named:
    steps = int(kind.windows_back * window.length_s // window.step_s)
    times = [window.end - window.step_s * (steps - number) for number in range(steps)]
    own = kind.example_at(place, window.at)
    points = tuple(
        Point(at, _value(place, at) if (value := kind.example_at(place, at)) is None else value)
        for at in times
        if at <= window.at
    )
    usual = _value(place, window.at) if own is None else own
    made_up = usual if kind.example_values is None else kind.example_values[place]
    unit = "percent" if kind.example_values is None and own is None else ""
    name = NAMES[place]
    age_s = 2.0 if kind.example_ages_s is None else kind.example_ages_s[place]
    return Named(name, Track("example", {"name": name}, unit, EVERY_S, Point(window.at - age_s, made_up), points))


def _value(place: int, at: float) -> float:
    return MIDDLES[place] + SWINGS[place] * (0.7 * math.sin(at / 600 + place) + 0.3 * math.sin(at / 97 + 2 * place))
