"""A small curve of one series beside its value: in a row of a table, in a suggestion."""

import math

from metrics.series.read import Track, longest_step
from metrics.widgets import axis, chart
from metrics.widgets.ranges import Window

POINTS_MOST = 30
HEIGHT = 200
"""Of the SVG viewBox, which is 1000 wide."""


def spark(track: Track, every_s: float | None, window: Window) -> str:
    """Return the curve of `track` over `window` as SVG path data; empty with fewer than two points.

    `every_s` is how often samples are expected, None for what the series says.
    """
    step_s = max(window.step_s, window.length_s / POINTS_MOST)
    points = [point for point in track.points if point.at >= window.start and math.isfinite(point.value)]
    shown = chart.coarse(points, step_s)
    if len(shown) < 2:
        return ""
    low, high = axis.domain([point.value for point in shown])
    plane = chart.Plane(window.start, window.end, low, high, step_s, height=HEIGHT)
    return chart.line(chart.segments(shown, longest_step(step_s, every_s or track.every_s)), plane)
