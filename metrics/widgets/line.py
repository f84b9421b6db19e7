"""A line: several series over the window, with axes and a legend that holds the current values."""

import json
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean
from typing import Annotated, Literal, Self

from django.utils.timezone import get_current_timezone
from pydantic import BaseModel, ConfigDict, Field, model_validator

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import annotated, axis, chart, combine, freshness, ranges, units
from metrics.widgets.annotated import NO_MARKS, Annotates, Marks
from metrics.widgets.axis import Tick, ValueAxis
from metrics.widgets.base import Config, ExpressionConfig, Named, QueryConfig, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.thresholds import Thresholds
from metrics.widgets.units import Shown

LINES_MOST = 8
POINTS_MOST = 1_900
"""Of all series together: each is 4 to 6 bytes of a path, and a widget stays below 12 kB."""
POINT_BYTES = 5
BANDS_MOST = 5
"""Of more series the least and the greatest are drawn as the curve itself."""
DRAWN_AS = {"line": 1.0, "steps": 1.8, "points": 2.6}
"""How much longer a path is than one of lines."""
TABLE_SHARE = 0.8
"""A table in the legend leaves so much of the bytes to the paths."""
SAID_MOST = 4
LABELS_APART = 0.3
"""Share of the height; labels of limits that are nearer to each other could overlap in a small chart."""
BAND_STEPS = 3
"""A step of a band is as long as so many of a curve, or else its two edges would be most of what is sent."""


class Goal(BaseModel):
    """A line at a value that matters: a goal, a capacity, what was agreed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    value: float = Field(description="Where it lies.")
    name: str = Field(default="", max_length=60, description="What is written at it, besides the value.")


Side = Literal["left", "right", "unit"]
OfSide = Annotated[
    Side,
    Field(
        description="The axis of its series; the right one has a scale of its own. "
        "unit: the right one for those with another unit than the first."
    ),
]


class LineQuery(QueryConfig):
    """A query of a line."""

    axis: OfSide = "left"


class LineExpression(ExpressionConfig):
    """A calculation of a line."""

    axis: OfSide = "left"


class RightAxis(BaseModel):
    """The axis on the right."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    unit: str | None = Field(default=None, max_length=20, description="Unit to show; else the series' own.")
    min: float | None = Field(default=None, description="Where it begins; lower if a value is.")
    max: float | None = Field(default=None, description="Where it ends; higher if a value is.")
    fixed: bool = Field(default=False, description="End it at min and max even if values go beyond.")
    scale: Literal["linear", "log"] = Field(default="linear", description="Logarithmic: each tenfold is as high.")

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        _check_ends(self)
        return self


class LineConfig(Annotates, Config):
    """Config of a line."""

    queries: list[LineQuery] = Field(  # type: ignore[assignment]  # nobody adds to it what is no query of a line
        min_length=1, max_length=20, description="What to show."
    )
    expressions: list[LineExpression] = Field(  # type: ignore[assignment]
        default_factory=list, max_length=20, description="What to calculate with the queries, and show."
    )
    stacked: bool = Field(default=False, description="Stack the series as areas on each other.")
    draw: Literal["line", "steps", "points"] = Field(
        default="line", description="Lines from point to point, steps that hold each value, or points alone."
    )
    fill: bool = Field(default=False, description="Fill the area under each line.")
    min: float | None = Field(default=None, description="Where the axis begins; lower if a value is.")
    max: float | None = Field(default=None, description="Where the axis ends; higher if a value is.")
    fixed: bool = Field(default=False, description="End the axis at min and max even if values go beyond.")
    scale: Literal["linear", "log"] = Field(
        default="linear", description="Logarithmic: each tenfold is as high; what is not more than zero is not drawn."
    )
    right: RightAxis = Field(
        default_factory=RightAxis, description="The axis on the right, for the queries that say that it is theirs."
    )
    thresholds: Thresholds | None = Field(default=None, description="Lines from which on values are bad.")
    goals: list[Goal] = Field(default_factory=list, max_length=4, description="Lines at other values that matter.")
    legend: Literal["list", "table", "none"] = Field(
        default="list", description="Names with newest values; a table with mean, least and greatest too; or none."
    )
    colours: Literal["order", "labels"] = Field(
        default="order", description="Colours in the order of the series, or by their labels: the same on every chart."
    )

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if self.stacked and set(self._sides()) != {"left"}:
            raise ValueError("stacked series share one axis")
        if self.stacked and self.draw != "line":
            raise ValueError("stacked series are drawn as lines")
        if self.scale == "log" and self.stacked:
            raise ValueError("stacked series can't have a logarithmic axis")
        _check_ends(self)
        return self

    def side(self, of: int) -> Side:
        """Return the axis of the query `of`; expressions count on behind the queries."""
        sides = self._sides()
        return sides[of] if of < len(sides) else "left"

    def _sides(self) -> list[Side]:
        return [one.axis for one in self.queries] + [one.axis for one in self.expressions]


def _check_ends(axis: "LineConfig | RightAxis") -> None:
    """Raise ValueError, whose text completes a sentence, for an axis that can't be drawn."""
    if axis.fixed and (axis.min is None or axis.max is None or axis.min >= axis.max):
        raise ValueError("a fixed axis needs min, and a max that is more")
    if axis.scale == "log" and any(end is not None and end <= 0 for end in (axis.min, axis.max)):
        raise ValueError("a logarithmic axis is more than zero from min to max")
    if axis.min is not None and axis.max is not None and not 0 < axis.max - axis.min < math.inf:
        raise ValueError("an axis needs a max that is more than its min, and not endlessly more")


@dataclass(frozen=True, slots=True)
class Summary:
    """A row of the legend's table: the `mean` over the range, and its `least` and `greatest` sample."""

    mean: Shown
    least: Shown
    greatest: Shown


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across the chart: `level` is warn, critical or goal, `place` where it is as a tick's, `text` its label.

    The label is above the line, or `below` it where another line is near above.
    """

    level: str
    place: str
    text: str
    below: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its `name`, its newest `value` (None without one), and the number of its `colour`, from 1.

    `path`, the `dots` that stand alone, the `area` of a stack or under a line, and the `band` between the least and the
    greatest sample of each step are SVG path data in a box of 1000 by 400, empty where there is nothing to draw. A
    `stale` series has ended some time ago, whatever the others do. `summary` is given where a table shows it. What is
    measured on the `right` says so.
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

    def axis(self, config: LineConfig, window: Window) -> tuple[float, float]:
        return window.start, window.end

    def view(self, config: LineConfig, series: list[Named], window: Window) -> LineView:
        drawn = [replace(one, track=_inside(one.track, window)) for one in series[:LINES_MOST]]
        marks = annotated.marks(config.noted, window.start, window.end, window.at)
        step_s = _step_s(drawn, config, window, marks)
        fewer = chart.coarse if config.stacked or len(drawn) <= BANDS_MOST else chart.extremes
        drawn = [replace(one, track=_in_steps(one.track, step_s, fewer)) for one in drawn]
        rights = _rights(drawn, config)
        hows = [config.right if right else config for right in rights]
        if all(rights):  # then there is one axis, and it is where people look first
            rights = [False] * len(drawn)
        words = [one.track.unit if how.unit is None else how.unit for one, how in zip(drawn, hows, strict=True)]
        summaries = [_summary(one.track, word, config) for one, word in zip(drawn, words, strict=True)]
        drawn = [
            replace(one, track=_logarithms(one.track)) if how.scale == "log" else one
            for one, how in zip(drawn, hows, strict=True)
        ]
        curves = (_stacked if config.stacked else _separate)([one.track for one in drawn], step_s, config.every_s)
        scales = {
            side: _axis(_ends(of_side), words[first], hows[first], config, has_limits=not side)
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
            limits=_limits(scales[False], words[rights.index(False)] if words else config.unit or "", config),
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


def _ends(curves: Sequence[Curve]) -> list[float]:
    """Return the least and the greatest value of `curves`, none without points."""
    return chart.ends(point for curve in curves for piece in curve.pieces for point in piece)


def _axis(
    values: list[float], word: str, how: LineConfig | RightAxis, config: LineConfig, *, has_limits: bool
) -> ValueAxis:
    """Return the axis for `values`, which are logarithms where it is logarithmic; limits may lie on it as well."""
    limits = [value for _, value, _ in _marked(config)] if has_limits else []
    if how.scale == "log":
        values = [10**value for value in values] + [value for value in limits if value > 0]
        return axis.log_axis(values, word, how.min, how.max, fixed=how.fixed)
    floor = [0.0] if config.stacked or config.fill else []
    return axis.value_axis(values + limits + floor, word, how.min, how.max, fixed=how.fixed)


def _marked(config: LineConfig) -> list[tuple[str, float, str]]:
    """Return level, value and name of everything that has a line across the chart."""
    limits = config.thresholds or Thresholds()
    named = [("warn", limits.warn, "Warning"), ("critical", limits.critical, "Critical")]
    found = [(level, value, name) for level, value, name in named if value is not None]
    return [*found, *(("goal", goal.value, goal.name) for goal in config.goals)]


def _limits(scale: ValueAxis, word: str, config: LineConfig) -> tuple[Limit, ...]:
    placed = [
        (level, scale.place(value), f"{name} {units.show(value, word)}") for level, value, name in _marked(config)
    ]
    places = [_share(place) for _, place, _ in placed if place]
    return tuple(
        Limit(level, place, text.strip(), any(0 < _share(place) - other < LABELS_APART for other in places))
        for level, place, text in placed
        if place
    )


def _share(place: str) -> float:
    return float(place.removesuffix("%")) / 100


def _summary(track: Track, word: str, config: LineConfig) -> Summary | None:
    if config.legend != "table" or not track.points:
        return None
    mean = fmean(point.value for point in track.points)
    least, greatest = chart.ends(track.points)
    return Summary(units.show(mean, word), units.show(least, word), units.show(greatest, word))


def _logarithms(track: Track) -> Track:
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


def _step_s(series: Sequence[Named], config: LineConfig, window: Window, marks: Marks) -> float:
    """Return the step to draw in: the window's, or a multiple of it where many series would make much to send.

    An area of a stack costs more than three curves: its line, and its upper and its lower edge. A band has two edges
    in longer steps. What `marks` take is left to them.
    """
    points = sum(len(one.track.points) for one in series)
    each = DRAWN_AS[config.draw] + (config.fill and DRAWN_AS[config.draw])
    drawn = points * (3.4 if config.stacked else each)
    if not config.stacked and len(series) <= BANDS_MOST:
        drawn += sum(chart.count_apart(one.track.points) for one in series) * 2 / BAND_STEPS
    most = POINTS_MOST * (TABLE_SHARE if config.legend == "table" else 1) - marks.size_bytes / POINT_BYTES
    return window.step_s * max(1, math.ceil(drawn / most))


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
