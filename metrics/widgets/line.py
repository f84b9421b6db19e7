"""A line: several series over the window, with axes and a legend that holds the current values."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from django.utils.timezone import get_current_timezone
from pydantic import Field

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import axis, chart, combine, freshness, ranges, units
from metrics.widgets.axis import Tick, ValueAxis
from metrics.widgets.base import Config, Named, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.units import Shown

LINES_MOST = 8
POINTS_MOST = 1_900
"""Of all series together: each is 4 to 6 bytes of a path, and a widget stays below 12 kB."""
BANDS_MOST = 5
"""Of more series the least and the greatest are drawn as the curve itself."""
BAND_STEPS = 3
"""A step of a band is as long as so many of a curve, or else its two edges would be most of what is sent."""


class LineConfig(Config):
    """Config of a line."""

    stacked: bool = Field(default=False, description="Stack the series as areas on each other.")
    min: float | None = Field(default=None, description="Where the axis begins; lower if a value is.")
    max: float | None = Field(default=None, description="Where the axis ends; higher if a value is.")


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its `name`, its newest `value` (None without one), and the number of its `colour`, from 1.

    `path`, the `dots` that stand alone, the `area` of a stack, and the `band` between the least and the greatest sample
    of each step are SVG path data in a box of 1000 by 400, empty where there is nothing to draw. A `stale` series has
    ended some time ago, whatever the others do.
    """

    name: str
    value: Shown | None
    colour: int
    path: str
    dots: str
    area: str
    band: str
    stale: bool


@dataclass(frozen=True, slots=True)
class LineView:
    """View-model of `templates/widgets/line.html`.

    `lines` are the series in a fixed order, `more` how many others there are. `values` is the vertical axis,
    `times` the marks of the horizontal one, from `start` to `end` (Unix seconds) in steps of `step_s`. It is `empty`
    when no series has a point in this window.
    """

    lines: tuple[Line, ...]
    more: int
    values: ValueAxis
    times: tuple[Tick, ...]
    start: float
    end: float
    step_s: float
    empty: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as it is drawn: pieces of an upper edge, and for each the lower edge it stands on, if it does."""

    pieces: Sequence[Sequence[Point]]
    floors: Sequence[Sequence[Point]] | None = None


class LineKind(WidgetKind[LineConfig]):
    """Series over the window, as lines or stacked areas."""

    kind = "line"
    config_class = LineConfig
    size = (6, 2)
    extremes = True

    def window(self, config: LineConfig, window: Window) -> Window:
        return ranges.finer(window)

    def view(self, config: LineConfig, series: list[Named], window: Window) -> LineView:
        drawn = [replace(one, track=_inside(one.track, window)) for one in series[:LINES_MOST]]
        step_s = _step_s(drawn, config, window)
        fewer = chart.coarse if config.stacked or len(drawn) <= BANDS_MOST else chart.extremes
        drawn = [replace(one, track=_in_steps(one.track, step_s, fewer)) for one in drawn]
        word = config.unit if config.unit is not None else drawn[0].track.unit if drawn else ""
        curves = (_stacked if config.stacked else _separate)([one.track for one in drawn], step_s, config.every_s)
        points = [point for curve in curves for piece in curve.pieces for point in piece]
        values = [min([chart.low(one) for one in points]), max([chart.high(one) for one in points])] if points else []
        floor = [0.0] if config.stacked else []
        scale = axis.value_axis(values + floor, word, config.min, config.max)
        plane = chart.Plane(window.start, window.end, scale.low, scale.high, step_s)
        return LineView(
            lines=tuple(
                _line(one, curve, number, step_s, plane, config, window)
                for number, (one, curve) in enumerate(zip(drawn, curves, strict=True), 1)
            ),
            more=len(series) - len(drawn),
            values=scale,
            times=axis.time_ticks(window.start, window.end, get_current_timezone()),
            start=window.start,
            end=window.end,
            step_s=step_s,
            empty=not values,
        )


def _line(
    one: Named, curve: Curve, colour: int, step_s: float, plane: chart.Plane, config: LineConfig, window: Window
) -> Line:
    track = one.track
    word = track.unit if config.unit is None else config.unit
    floors = curve.floors
    return Line(
        name=one.name,
        value=units.show(track.latest.value, word) if track.latest else None,
        colour=colour,
        path=chart.line(curve.pieces, plane),
        dots=chart.dots(curve.pieces, plane),
        area="" if floors is None else chart.bands(list(zip(curve.pieces, floors, strict=True)), plane),
        band=chart.ranges(curve.pieces, plane, step_s * BAND_STEPS),
        stale=freshness.of_tracks([track], config.every_s, window.at).state == "stale",
    )


def _step_s(series: Sequence[Named], config: LineConfig, window: Window) -> float:
    """Return the step to draw in: the window's, or a multiple of it where many series would make much to send.

    An area of a stack costs more than three curves: its line, and its upper and its lower edge. A band has two edges
    in longer steps.
    """
    drawn = float(sum(len(one.track.points) for one in series))
    if config.stacked:
        drawn *= 3.4
    elif len(series) <= BANDS_MOST:
        drawn += sum(chart.spread(point) > 0 for one in series for point in one.track.points) * 2 / BAND_STEPS
    return window.step_s * max(1, math.ceil(drawn / POINTS_MOST))


def _inside(track: Track, window: Window) -> Track:
    """Leave out what can't be drawn."""
    inside = [one for one in track.points if window.start <= one.at < window.end and isfinite(one.value)]
    return replace(track, points=tuple(inside))


def _in_steps(track: Track, step_s: float, fewer: Callable[[Sequence[Point], float], Sequence[Point]]) -> Track:
    """Have `fewer` make fewer points of those of `track`, and means of what was before."""
    before = chart.coarse([track.before], step_s)[0] if track.before else None
    return replace(track, points=tuple(fewer(track.points, step_s)), before=before)


def _separate(tracks: Sequence[Track], step_s: float, every_s: float | None) -> list[Curve]:
    """Return each series as it is."""
    return [Curve(chart.segments(one.points, longest_step(step_s, every_s or one.every_s))) for one in tracks]


def _stacked(tracks: Sequence[Track], step_s: float, every_s: float | None) -> list[Curve]:
    """Return each series on top of the ones before it. In a gap of one, the others close up."""
    at = combine.times(tracks)
    sums = [0.0] * len(at)
    curves = []
    for track in tracks:
        values = combine.aligned(track, at, step_s, every_s)
        places = [i for i, value in enumerate(values) if value is not None]
        lower = {at[i]: Point(at[i], sums[i]) for i in places}
        sums = [below + (value or 0.0) for below, value in zip(sums, values, strict=True)]
        longest_s = longest_step(step_s, every_s or track.every_s)
        pieces = chart.segments([Point(at[i], sums[i]) for i in places], longest_s)
        curves.append(Curve(pieces, [[lower[point.at] for point in piece] for piece in pieces]))
    return curves
