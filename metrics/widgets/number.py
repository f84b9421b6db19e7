"""A number: the newest value, how it changed, and its way there."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import axis, chart, combine, room, thresholds, units
from metrics.widgets.base import Named, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.single import Single, SingleConfig, single
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

SPARK_STEPS = 2
SPARK_HEIGHT = 200
PREVIOUS = {
    "15m": "previous 15 min",
    "1h": "previous hour",
    "6h": "previous 6 h",
    "24h": "previous day",
    "7d": "previous week",
    "30d": "previous 30 days",
}
LEAST_SHARE, LEAST_POINTS = 0.1, 0.01
"""Changes below this are called flat, but not unchanged. Points are finer: availabilities differ by hundredths."""
SAME = "no change"
LITTLE = f"under {LEAST_SHARE}{units.NARROW_SPACE}%"
LITTLE_POINTS = f"under {LEAST_POINTS}{units.NARROW_SPACE}pts"
POINTS = frozenset({"percent", "ratio"})


class NumberConfig(SingleConfig):
    """Config of a number."""

    thresholds: Thresholds | None = Field(default=None, description="Where the value becomes a warning, or critical.")
    better: Literal["lower", "higher"] | None = Field(
        default=None, title="Better is", description="Which way is good, by colour."
    )


@dataclass(frozen=True, slots=True)
class Change:
    """This window's mean against the one before.

    `way` is up, down, or flat for next to nothing; `amount` says by how much ("12 %"), `than` against what ("previous
    hour"); `tone` is good, bad or plain.
    """

    way: str
    amount: str
    than: str
    tone: str


@dataclass(frozen=True, slots=True)
class Spark:
    """The curve of this window, as SVG path data in a box of 1000 by 200: the `line`, and the `area` under it."""

    line: str
    area: str


@dataclass(frozen=True, slots=True)
class NumberView:
    """View-model of `templates/widgets/number.html`.

    `value` is the newest value, None without one. `level`, `change` and `spark` are None where there is
    nothing to say. `note` tells of how many series the value is made, and is empty for one. `ems` is how wide
    the value is, in halves of the height of its letters, so that it can be drawn as large as there is room.
    """

    value: Shown | None
    ems: int = 1
    level: Level | None = None
    change: Change | None = None
    spark: Spark | None = None
    note: str = ""


class Number(WidgetKind[NumberConfig]):
    """The newest value, large, with the change against the window before and a sparkline."""

    kind = "number"
    config_class = NumberConfig
    group = "usual"
    windows_back = 2
    example_series = 1

    def view(self, config: NumberConfig, series: list[Named], window: Window) -> NumberView:
        newest = single(config, series, window)
        if newest is None:
            return NumberView(None)
        value = newest.show(config)
        points = combine.combined(newest.tracks, newest.how, window.step_s, config.every_s)
        return NumberView(
            value=value,
            ems=room.ems([value]),
            level=thresholds.level(newest.value, config.thresholds),
            change=_change(points, newest.word, config, window),
            spark=_spark(points, longest_step(window.step_s * SPARK_STEPS, _every_s(newest.tracks, config)), window),
            note=_note(newest),
        )


def _every_s(tracks: Sequence[Track], config: NumberConfig) -> float | None:
    return config.every_s or max((track.every_s or 0.0 for track in tracks), default=None)


def _note(newest: Single) -> str:
    counted, known = len(newest.tracks), newest.known
    left_out = f", {known - counted} stale left out" if known > counted else ""
    return f"{newest.how} of {counted}{left_out}" if known > 1 else ""


def _change(points: Sequence[Point], word: str, config: NumberConfig, window: Window) -> Change | None:
    now = [point.value for point in points if point.at >= window.start]
    before = [point.value for point in points if window.start - window.length_s <= point.at < window.start]
    if not now or 2 * len(before) < len(now):  # the mean of a few first minutes says nothing about an hour
        return None
    mean, was = statistics.fmean(now), statistics.fmean(before)
    amount = _amount(mean, was, word)
    way = "flat" if amount in (SAME, LITTLE_POINTS, LITTLE) else "up" if mean > was else "down"
    good = None if way == "flat" or config.better is None else (way == "up") == (config.better == "higher")
    tone = "plain" if good is None else "good" if good else "bad"
    return Change(way, amount, PREVIOUS.get(window.range, f"previous {window.range}"), tone)


def _amount(mean: float, was: float, word: str) -> str:
    """Return the size of the change: in points for what is per cent itself, as a value from zero, else in per cent."""
    change = abs(mean - was)
    if math.isclose(mean, was, rel_tol=units.NOISE):
        return SAME
    if word in POINTS:
        points = change * units.unit_of(word).factor
        if points < LEAST_POINTS:
            return LITTLE_POINTS
        return f"{units.digits(points, 1 if points >= LEAST_SHARE else 2)}{units.NARROW_SPACE}pts"
    if not was:
        return str(units.show(change, word))
    share = 100 * change / abs(was)
    return LITTLE if share < LEAST_SHARE else str(units.show(share, "percent", 1 if round(share, 1) < 10 else 0))


def _spark(points: Sequence[Point], longest_s: float, window: Window) -> Spark | None:
    shown = chart.coarse([point for point in points if point.at >= window.start], window.step_s * SPARK_STEPS)
    if len(shown) < 2:
        return None
    low, high = axis.domain([point.value for point in shown])
    plane = chart.Plane(window.start, window.end, low, high, window.step_s * SPARK_STEPS, height=SPARK_HEIGHT)
    pieces = chart.segments(shown, longest_s)
    return Spark(chart.line(pieces, plane), chart.area(pieces, plane))
