"""Several series on one scale of time: step by step, and made into one."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import units

How = Literal["sum", "avg", "max", "min"]
WAYS: dict[str, Callable[[Sequence[float]], float]] = {"sum": sum, "avg": statistics.fmean, "max": max, "min": min}
AVERAGED = frozenset({"percent", "ratio", "seconds", "milliseconds", "days", "celsius"})
"""Units whose sum over several series means nothing: two CPUs at 60 % are not one at 120 %."""


def usual(word: str) -> How:
    """Return how series of the unit `word` are combined when nobody says."""
    return "avg" if units.word_of(word) in AVERAGED else "sum"


def times(tracks: Sequence[Track]) -> list[float]:
    """Return the times at which any of `tracks` has a point."""
    return sorted({point.at for track in tracks for point in track.points})


def aligned(track: Track, at: Sequence[float], step_s: float, every_s: float | None = None) -> list[float | None]:
    """Return the value of `track` at each of the times, None in its gaps.

    A step without a sample between two that have one keeps the value before, or a sum of series that come
    every 15 s and every 20 s would jump in every step. So does the first one: it keeps what was before the window.
    Of what is `per_step`, it has 0 instead: an increase that is kept would be counted twice.
    """
    if len(track.points) == len(at) and all(point.at == moment for point, moment in zip(track.points, at, strict=True)):
        return [point.value for point in track.points]
    longest_s = longest_step(step_s, every_s or track.every_s)
    values: list[float | None] = []
    left = list(reversed(track.points))
    newest = track.before
    for moment in at:
        while left and left[-1].at <= moment:
            newest = left.pop()
        if newest is None or moment - newest.at > longest_s:
            values.append(None)
        else:
            values.append(0.0 if track.per_step and newest.at < moment else newest.value)
    return values


def opened(tracks: Sequence[Track]) -> list[Track]:
    """Return `tracks` with what was before their window as their first points, to be combined like the others."""
    return [replace(one, points=(one.before, *one.points), before=None) if one.before else one for one in tracks]


def closed(points: Sequence[Point], tracks: Sequence[Track]) -> tuple[Point | None, tuple[Point, ...]]:
    """Return the newest of `points` from before the window of `tracks`, and those in it; made of them, opened."""
    edge = max((one.before.at for one in tracks if one.before), default=-math.inf)
    begin = bisect_right(points, edge, key=lambda point: point.at)
    return points[begin - 1] if begin else None, tuple(points[begin:])


def combined(tracks: Sequence[Track], how: How, step_s: float, every_s: float | None = None) -> tuple[Point, ...]:
    """Return the points of all `tracks` made into one series."""
    if len(tracks) == 1:
        return tuple(point for point in tracks[0].points if math.isfinite(point.value))
    at = times(tracks)
    rows = zip(at, *(aligned(track, at, step_s, every_s) for track in tracks), strict=True)
    present = ((moment, [value for value in row if value is not None]) for moment, *row in rows)
    return tuple(Point(moment, WAYS[how](values)) for moment, values in present if values)
