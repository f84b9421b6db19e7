"""Builders for what widget kinds are given, with a moment that makes round times of everything."""

from collections.abc import Mapping, Sequence
from typing import Any

from metrics.series.read import Point, Track
from metrics.widgets import ranges
from metrics.widgets.base import Named
from metrics.widgets.ranges import Window

AT = 1_795_176_000.0
"""Friday 2026-11-20 12:00 UTC, the moment everything is seen from."""

EVERY_S = 10.0


def window(range: str = "1h", at: float = AT) -> Window:
    return ranges.window(range, at)


def config(**fields: Any) -> dict[str, Any]:
    """Return a widget's config with one query, and `fields`."""
    return {"queries": [{"metric": "m"}], **fields}


def track(
    latest: float | None = None,
    points: Mapping[float, float] | Sequence[Point] = (),
    *,
    unit: str = "",
    age_s: float = 2.0,
    every_s: float | None = EVERY_S,
) -> Track:
    """Return a series whose newest sample is `latest`, `age_s` old; `points` may be given as seconds before AT."""
    if isinstance(points, Mapping):
        points = [Point(AT - before, value) for before, value in sorted(points.items(), reverse=True)]
    newest = None if latest is None else Point(AT - age_s, latest)
    return Track("m", {}, unit, every_s, newest, tuple(points))


def named(name: str, *args: Any, **fields: Any) -> Named:
    return Named(name, track(*args, **fields))


def steps(value: float, window: Window, windows_back: int = 1, of: int = 0) -> list[Point]:
    """Return a point of `value` for each step of the window that lies `of` windows back, and those before it."""
    end = window.end - of * window.length_s
    count = round((windows_back - of) * window.length_s / window.step_s)
    return [Point(end - (count - i) * window.step_s, value) for i in range(count)]
