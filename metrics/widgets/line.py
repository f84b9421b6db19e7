"""A line: several series over the window, with axes and a legend that holds the current values."""

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from django.utils.timezone import get_current_timezone

from metrics.series.read import Track
from metrics.widgets import annotated, axis, chart, freshness, ranges, units
from metrics.widgets.annotated import NO_MARKS, Marks
from metrics.widgets.axis import Tick, ValueAxis
from metrics.widgets.base import Named, WidgetKind
from metrics.widgets.line_config import LineConfig, RightAxis
from metrics.widgets.line_curves import (
    BAND_STEPS,
    BANDS_MOST,
    Curve,
    ends,
    in_steps,
    inside,
    logarithms,
    separate,
    stacked,
    step_of,
)
from metrics.widgets.line_limits import Limit, limits_on, marked
from metrics.widgets.ranges import Window
from metrics.widgets.units import Shown

LINES_MOST = 8
SAID_MOST = 4


@dataclass(frozen=True, slots=True)
class Summary:
    """A row of the legend's table: the `mean` over the range, and its `least` and `greatest` sample."""

    mean: Shown
    least: Shown
    greatest: Shown


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its `name`, its newest `value` (None without one), and the number of its `colour`, from 1.

    `path`, the `dots` that stand alone, the `area` of a stack or under a line, and the `band` between the least and the
    greatest sample of each step are SVG path data in a box of 1000 by 400, empty where there is nothing to draw. A
    `stale` series has ended some time ago, whatever the others do. `summary` is given where a table shows it. A series
    that is measured on the `right` says so.
    """

    name: str
    value: Shown | None
    colour: int
    path: str
    dots: str
    area: str
    band: str
    stale: bool
    summary: Summary | None = None
    right: bool = False


@dataclass(frozen=True, slots=True)
class LineView:
    """View-model of `templates/widgets/line.html`.

    `lines` are the series in a fixed order, `more` how many others there are. `values` is the vertical axis, `right`
    another one on the right, None without series of its own. `times` are the marks of the horizontal one, from `start`
    to `end` (Unix seconds) in steps of `step_s`. It is `empty` when no series has a point in this window. `limits` are
    thresholds and goals that lie on the axis. `is_stacked` says what areas mean, and `legend` how it is to be: list,
    table or none. `said` is what the chart shows now, in words. `annotations` are the marks of what happened when.
    """

    lines: tuple[Line, ...]
    more: int
    values: ValueAxis
    times: tuple[Tick, ...]
    start: float
    end: float
    step_s: float
    empty: bool
    limits: tuple[Limit, ...] = ()
    is_stacked: bool = False
    legend: str = "list"
    right: ValueAxis | None = None
    said: str = ""
    annotations: Marks = NO_MARKS


class LineKind(WidgetKind[LineConfig]):
    """Series over the window, as lines or stacked areas."""

    kind = "line"
    config_class = LineConfig
    group = "usual"
    size = (6, 2)
    extremes = True

    def window(self, config: LineConfig, window: Window) -> Window:
        return ranges.finer(window)

    def axis(self, config: LineConfig, window: Window) -> tuple[float, float]:
        return window.start, window.end

    def view(self, config: LineConfig, series: list[Named], window: Window) -> LineView:
        drawn = [replace(one, track=inside(one.track, window)) for one in series[:LINES_MOST]]
        marks = annotated.marks(config.noted, window.start, window.end, window.at)
        step_s = step_of(drawn, config, window, marks)
        fewer = chart.coarse if config.stacked or len(drawn) <= BANDS_MOST else chart.extremes
        drawn = [replace(one, track=in_steps(one.track, step_s, fewer)) for one in drawn]
        rights = _rights(drawn, config)
        hows = [config.right if right else config for right in rights]
        if all(rights):  # then there is one axis, and it is where people look first
            rights = [False] * len(drawn)
        words = [one.track.unit if how.unit is None else how.unit for one, how in zip(drawn, hows, strict=True)]
        summaries = [_summary(one.track, word, config) for one, word in zip(drawn, words, strict=True)]
        drawn = [
            replace(one, track=logarithms(one.track)) if how.scale == "log" else one
            for one, how in zip(drawn, hows, strict=True)
        ]
        curves = (stacked if config.stacked else separate)([one.track for one in drawn], step_s, config.every_s)
        scales = {
            side: _axis(ends(of_side), words[first], hows[first], config, has_limits=not side)
            for side in (False, True)
            if (of_side := [curve for curve, right in zip(curves, rights, strict=True) if right is side])
            and (first := rights.index(side)) >= 0
        } or {False: _axis([], config.unit or "", config, config, has_limits=True)}
        planes = {
            side: chart.Plane(window.start, window.end, scale.height(scale.low), scale.height(scale.high), step_s)
            for side, scale in scales.items()
        }
        colours = _by_labels(drawn) if config.colours == "labels" else range(1, len(drawn) + 1)
        lines = tuple(
            _line(one, curve, colour, summary, planes[right], config, window, word, how.scale == "log", right)
            for one, curve, colour, summary, word, how, right in zip(
                drawn, curves, colours, summaries, words, hows, rights, strict=True
            )
        )
        is_empty = not any(piece for curve in curves for piece in curve.pieces)
        return LineView(
            lines=lines,
            more=len(series) - len(drawn),
            values=scales[False],
            times=axis.time_ticks(window.start, window.end, get_current_timezone()),
            start=window.start,
            end=window.end,
            step_s=step_s,
            empty=is_empty,
            limits=limits_on(scales[False], words[rights.index(False)] if words else config.unit or "", config),
            is_stacked=config.stacked,
            legend=config.legend,
            right=scales.get(True),
            said=_said(lines, len(series), is_empty=is_empty),
            annotations=marks,
        )


def _rights(series: Sequence[Named], config: LineConfig) -> list[bool]:
    """Return whether each of `series` is measured on the right."""
    sides = [config.side(one.of) for one in series]
    units_left = [one.track.unit for one, side in zip(series, sides, strict=True) if side == "left"]
    by_unit = [one.track.unit for one, side in zip(series, sides, strict=True) if side == "unit"]
    first = next(iter([*units_left, *by_unit]), "")
    return [
        side == "right" or (side == "unit" and one.track.unit != first) for one, side in zip(series, sides, strict=True)
    ]


def _said(lines: Sequence[Line], count: int, *, is_empty: bool) -> str:
    """Return the newest values in words, those of the first series by name."""
    named = [f"{one.name} {one.value}{' stale' * one.stale}" for one in lines[:SAID_MOST] if one.value]
    rest = [f"{count - len(named)} more"] if len(named) < count else []
    return ", ".join([*named, *rest, *["no samples in this range"] * is_empty])


def _axis(
    values: list[float], word: str, how: LineConfig | RightAxis, config: LineConfig, *, has_limits: bool
) -> ValueAxis:
    """Return the axis for `values`, which are logarithms where it is logarithmic; limits may lie on it as well."""
    limits = [value for _, value, _ in marked(config)] if has_limits else []
    if how.scale == "log":
        values = [10**value for value in values] + [value for value in limits if value > 0]
        return axis.log_axis(values, word, how.min, how.max, fixed=how.fixed)
    floor = [0.0] if config.stacked or config.fill else []
    return axis.value_axis(values + limits + floor, word, how.min, how.max, fixed=how.fixed)


def _summary(track: Track, word: str, config: LineConfig) -> Summary | None:
    if config.legend != "table" or not track.points:
        return None
    mean = fmean(point.value for point in track.points)
    least, greatest = chart.ends(track.points)
    return Summary(units.show(mean, word), units.show(least, word), units.show(greatest, word))


def _by_labels(series: Sequence[Named]) -> list[int]:
    """Return the colour of each of `series` by its labels, or its name where it has none; no two have the same.

    Of two that would, the one whose labels come first in the alphabet has it, and the other the next that is free.
    """
    wanted = {place: json.dumps(sorted(one.track.labels.items()) or one.name) for place, one in enumerate(series)}
    found: dict[int, int] = {}
    for place, text in sorted(wanted.items(), key=lambda item: (item[1], item[0])):
        first = zlib.crc32(text.encode()) % LINES_MOST
        taken = set(found.values())
        found[place] = next(
            colour for colour in ((first + more) % LINES_MOST + 1 for more in range(LINES_MOST)) if colour not in taken
        )
    return [found[place] for place in range(len(series))]


def _line(
    one: Named,
    curve: Curve,
    colour: int,
    summary: Summary | None,
    plane: chart.Plane,
    config: LineConfig,
    window: Window,
    word: str,
    is_log: bool,
    right: bool,
) -> Line:
    track = one.track
    pieces = curve.pieces
    if config.draw == "points":
        pieces = [[point] for piece in pieces for point in piece]
    elif config.draw == "steps":
        pieces = [chart.stairs(piece, plane.step_s) for piece in pieces]
    if curve.floors is not None:
        area = chart.bands(list(zip(curve.pieces, curve.floors, strict=True)), plane)
    else:
        area = chart.area(pieces, plane, -math.inf if is_log else 0.0) if config.fill else ""
    return Line(
        name=one.name,
        value=units.show(track.latest.value, word) if track.latest else None,
        colour=colour,
        path=chart.line(pieces, plane),
        dots=chart.dots(pieces, plane),
        area=area,
        band=chart.ranges(curve.pieces, plane, plane.step_s * BAND_STEPS),
        stale=freshness.of_tracks([track], config.every_s, window.at).state == "stale",
        summary=summary,
        right=right,
    )
