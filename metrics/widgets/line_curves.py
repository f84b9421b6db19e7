"""Curves of a line: points in steps that are few enough to send, alone or stacked on each other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import chart, combine
from metrics.widgets.annotated import Marks
from metrics.widgets.base import Named
from metrics.widgets.line_config import LineConfig
from metrics.widgets.ranges import Window

POINTS_MOST = 1_900
"""Of all series together: each is 4 to 6 bytes of a path, and a widget stays below 12 kB."""
POINT_BYTES = 5
BANDS_MOST = 5
"""Of more series the least and the greatest are drawn as the curve itself."""
DRAWN_AS = {"line": 1.0, "steps": 1.8, "points": 2.6}
"""How much longer a path is than one of lines."""
TABLE_SHARE = 0.8
"""A table in the legend leaves so much of the bytes to the paths."""
BAND_STEPS = 3
"""A step of a band is as long as so many of a curve, or else its two edges would be most of what is sent."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as it is drawn: pieces of an upper edge, and for each the lower edge it stands on, if it does."""

    pieces: Sequence[Sequence[Point]]
    floors: Sequence[Sequence[Point]] | None = None


def inside(track: Track, window: Window) -> Track:
    """Leave out what can't be drawn."""
    found = [one for one in track.points if window.start <= one.at < window.end and isfinite(one.value)]
    return replace(track, points=tuple(found))


def in_steps(track: Track, step_s: float, fewer: Callable[[Sequence[Point], float], Sequence[Point]]) -> Track:
    """Have `fewer` make fewer points of those of `track`, and means of what was before."""
    before = chart.coarse([track.before], step_s)[0] if track.before else None
    return replace(track, points=tuple(fewer(track.points, step_s)), before=before)


def separate(tracks: Sequence[Track], step_s: float, every_s: float | None) -> list[Curve]:
    """Return each series as it is."""
    return [Curve(chart.segments(one.points, longest_step(step_s, every_s or one.every_s))) for one in tracks]


def stacked(tracks: Sequence[Track], step_s: float, every_s: float | None) -> list[Curve]:
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


def logarithms(track: Track) -> Track:
    """Return `track` with the logarithms of what is more than zero."""

    def logarithm(value: float | None) -> float | None:
        return math.log10(value) if value is not None and value > 0 else None

    points = [
        Point(
            one.at,
            value,
            None if one.low is None else logarithm(one.low) if one.low > 0 else value,
            logarithm(one.high),
        )
        for one in track.points
        if (value := logarithm(one.value)) is not None
    ]
    return replace(track, points=tuple(points), before=None)


def ends(curves: Sequence[Curve]) -> list[float]:
    """Return the least and the greatest value of `curves`, none without points."""
    return chart.ends(point for curve in curves for piece in curve.pieces for point in piece)


def step_of(series: Sequence[Named], config: LineConfig, window: Window, marks: Marks) -> float:
    """Return the step to draw in: the window's, or a multiple of it where many series would make much to send.

    An area of a stack costs more than three curves: its line, and its upper and its lower edge. A band has two edges in
    longer steps. The bytes that `marks` take are left to them.
    """
    points = sum(len(one.track.points) for one in series)
    each = DRAWN_AS[config.draw] + (config.fill and DRAWN_AS[config.draw])
    drawn = points * (3.4 if config.stacked else each)
    if not config.stacked and len(series) <= BANDS_MOST:
        drawn += sum(chart.count_apart(one.track.points) for one in series) * 2 / BAND_STEPS
    most = POINTS_MOST * (TABLE_SHARE if config.legend == "table" else 1) - marks.size_bytes / POINT_BYTES
    return window.step_s * max(1, math.ceil(drawn / most))
