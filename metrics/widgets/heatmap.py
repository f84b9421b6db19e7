"""A heat map: the hours of the last days, or the buckets of a histogram over time."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Literal

from django.utils.timezone import get_current_timezone
from pydantic import Field

from metrics.series.read import Point, Track
from metrics.widgets import annotated, axis, combine, ranges, units
from metrics.widgets.annotated import NO_MARKS, Annotates, Marks, Spot
from metrics.widgets.axis import Tick
from metrics.widgets.base import Config, Named, WidgetKind
from metrics.widgets.combine import How
from metrics.widgets.ranges import Window

HOUR_S = 3_600
LEVELS = 7
COLUMNS_MOST, BUCKETS_MOST = 48, 20
ROW_LABELS_MOST = 7
HOURS = tuple(range(3, 24, 3))
BOUND = "le"
"""The label that has the upper bound of a bucket, as Prometheus names it."""


class HeatmapConfig(Annotates, Config):
    """Config of a heat map."""

    of: Literal["hours", "buckets"] = Field(
        default="hours",
        title="Cells of",
        description="hours: a row for each day. buckets: a row for each bucket of a histogram, with the label le.",
    )
    days: int = Field(default=7, ge=1, le=31, description="Of hours, how many days, today included.")
    combine: How | None = Field(
        default=None,
        title="Combine series by",
        description="Of hours, how several series become one: sum, avg, max or min; else as in a number.",
    )

    def takes_live(self) -> bool:
        """Whether its queries may be live: buckets are; hours of days are of stored samples."""
        return self.of == "buckets"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one `level`, 0 (least) to 6 (most): runs of them as SVG path data, a cell being 1 wide."""

    level: int
    path: str


@dataclass(frozen=True, slots=True)
class HeatmapView:
    """View-model of `templates/widgets/heatmap.html`.

    `cells` are drawn in a box of `columns` by `rows`; `names` are the marks of the rows, `widest` the longest of them,
    `times` those of the columns. `least` and `most` are the values of the two ends of the scale, and `said` tells when
    they were; all are empty without data. Where `has_gaps`, what is not drawn is not known, else it is zero.
    `annotations` are the marks of what happened when.
    """

    cells: tuple[Cells, ...]
    columns: int
    rows: int
    names: tuple[Tick, ...]
    widest: str
    times: tuple[Tick, ...]
    least: str = ""
    most: str = ""
    said: str = ""
    has_gaps: bool = True
    annotations: Marks = NO_MARKS


Place = tuple[int, int]
"""Row and column, from the left top."""


@dataclass(frozen=True, slots=True)
class Map:
    """Values by their place, and the names of `rows` and `columns`: of what stands at a place, in words."""

    values: Mapping[Place, float]
    rows: Sequence[str]
    columns: Sequence[str]
    times: tuple[Tick, ...]
    word: str
    is_of_buckets: bool


class Heatmap(WidgetKind[HeatmapConfig]):
    """When it is much and when little: hours of days, or buckets of a histogram, by colour."""

    kind = "heatmap"
    config_class = HeatmapConfig
    size = (6, 2)
    example_series = 1

    def example_at(self, place: int, at: float) -> float:
        return 40 - 30 * math.cos(2 * math.pi * (at / ranges.DAY_S - 0.1)) + 12 * math.sin(at / 50_000)

    def window(self, config: HeatmapConfig, window: Window) -> Window:
        if config.of == "buckets":
            return window
        return ranges.days(config.days, HOUR_S, window.at, get_current_timezone())

    def axis(self, config: HeatmapConfig, window: Window) -> tuple[float, float] | None:
        if config.of != "buckets":
            return None
        columns, width_s = _columns(window)
        return window.start, window.start + columns * width_s

    def view(self, config: HeatmapConfig, series: list[Named], window: Window) -> HeatmapView:
        found = (_buckets if config.of == "buckets" else _hours)(config, [one.track for one in series], window)
        names = _ticks(found.rows)
        drawn = HeatmapView(
            cells=(),
            columns=len(found.columns),
            rows=len(found.rows),
            names=names,
            widest=max((one.text for one in names), key=len, default=""),
            times=found.times,
            has_gaps=not found.is_of_buckets,
            annotations=_marks(config, window),
        )
        if not found.values:
            return drawn
        low = 0.0 if found.is_of_buckets else min(found.values.values())
        high = max(found.values.values())
        least, most = str(units.show(low, found.word)), str(units.show(high, found.word))
        first, last = (_named(found, limit) for limit in (low, high))
        said = f"most {most} at {last}"
        return replace(
            drawn,
            cells=_cells(found, low, high),
            least=least,
            most=most,
            said=said if found.is_of_buckets else f"least {least} at {first}, {said}",
        )


def _hours(config: HeatmapConfig, tracks: Sequence[Track], window: Window) -> Map:
    zone = get_current_timezone()
    word = (tracks[0].unit if tracks else "") if config.unit is None else config.unit
    how = config.combine or combine.usual(word)
    points = combine.combined(tracks, how, window.step_s, config.every_s) if tracks else ()
    today = datetime.fromtimestamp(window.at, zone).date()
    found: dict[Place, list[float]] = defaultdict(list)
    for point in points:
        local = datetime.fromtimestamp(point.at, zone)
        row = config.days - 1 - (today - local.date()).days
        if 0 <= row < config.days and math.isfinite(point.value):
            found[row, local.hour].append(point.value)  # the hour that comes twice in autumn has two
    days = [date.fromordinal(today.toordinal() - back) for back in reversed(range(config.days))]
    return Map(
        values={place: _mean(values) for place, values in found.items()},
        rows=[f"{day:%a %-d}" for day in days],
        columns=[f"{hour:02}:00" for hour in range(24)],
        times=tuple(Tick(f"{100 * hour / 24:.1f}%", f"{hour:02}:00") for hour in HOURS),
        word=word,
        is_of_buckets=False,
    )


def _buckets(config: HeatmapConfig, tracks: Sequence[Track], window: Window) -> Map:
    """Return how much came into each bucket in each of at most 48 columns; the largest bound is the top row."""
    zone = get_current_timezone()
    by_bound: dict[float, list[Track]] = defaultdict(list)
    for track in tracks:
        if (bound := _bound(track)) is not None:
            by_bound[bound].append(track)
    bounds = sorted(by_bound)
    # Buckets are cumulative, so fewer bounds make wider ones, and nothing is lost.
    bounds = bounds[:: -max(1, math.ceil(len(bounds) / BUCKETS_MOST))]
    columns, width_s = _columns(window)
    below = [
        _by_column(combine.combined(by_bound[bound], "sum", window.step_s, config.every_s), width_s, window)
        for bound in bounds
    ]
    values: dict[Place, float] = {}
    for row, (upper, lower) in enumerate(pairwise([*below, None])):
        for column, value in (upper or {}).items():
            under = 0.0 if lower is None else lower.get(column, math.nan)
            if value > under and math.isfinite(value - under):
                values[row, column] = value - under
    begins = [datetime.fromtimestamp(window.start + width_s * column, zone) for column in range(columns)]
    word = tracks[0].unit if tracks else ""
    return Map(
        values=values,
        rows=[_upto(bound, config.unit or "") for bound in bounds],
        columns=[f"{begin:%a %H:%M}" for begin in begins],
        times=axis.time_ticks(window.start, window.start + columns * width_s, zone),
        word=word,
        is_of_buckets=True,
    )


def _marks(config: HeatmapConfig, window: Window) -> Marks:
    """Return the marks of annotations: of hours in the cell in which each begins, of buckets over the time."""
    if config.of == "buckets":
        columns, width_s = _columns(window)
        return annotated.marks(config.noted, window.start, window.start + columns * width_s, window.at)
    zone = get_current_timezone()
    today = datetime.fromtimestamp(window.at, zone).date()

    def place(at: float) -> Spot | None:
        local = datetime.fromtimestamp(at, zone)
        row = config.days - 1 - (today - local.date()).days
        return ((local.hour + 0.5) / 24, (row + 0.5) / config.days) if 0 <= row < config.days else None

    return annotated.spots(config.noted, place, window.at)


def _columns(window: Window) -> tuple[int, float]:
    """Return how many columns there are, and how long each is, in seconds."""
    width_s = math.ceil(window.length_s / window.step_s / COLUMNS_MOST) * window.step_s
    return math.ceil(window.length_s / width_s), width_s


def _bound(track: Track) -> float | None:
    try:
        bound = float(track.labels[BOUND])
    except (KeyError, ValueError):
        return None
    return None if math.isnan(bound) else bound


def _upto(bound: float, word: str) -> str:
    return "more" if bound == math.inf else f"\u2264\u202f{units.show(bound, word)}"


def _by_column(points: Sequence[Point], width_s: float, window: Window) -> dict[int, float]:
    found: dict[int, list[float]] = defaultdict(list)
    for point in points:
        if window.start <= point.at < window.end and math.isfinite(point.value):
            found[int((point.at - window.start) // width_s)].append(point.value)
    return {column: _mean(values) for column, values in found.items()}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(value / len(values) for value in values)


def _cells(found: Map, low: float, high: float) -> tuple[Cells, ...]:
    paths: dict[int, str] = defaultdict(str)
    for row in range(len(found.rows)):
        levels = [_level(found.values.get((row, column)), low, high) for column in range(len(found.columns))]
        at = 0
        for level, run in groupby(levels):
            length = len(list(run))
            if level is not None:
                paths[level] += f"M{at} {row}h{length}"
            at += length
    return tuple(Cells(level, path) for level, path in sorted(paths.items()))


def _level(value: float | None, low: float, high: float) -> int | None:
    if value is None:
        return None
    span = high / 2 - low / 2
    return min(LEVELS - 1, int(LEVELS * ((value / 2 - low / 2) / span))) if span > 0 else LEVELS // 2


def _named(found: Map, limit: float) -> str:
    """Return where a value first is, in words."""
    row, column = min((place for place, value in found.values.items() if value == limit), default=(0, 0))
    name, time = found.rows[row], found.columns[column]
    return f"{time}, {name}" if found.is_of_buckets else f"{name} {time}"


def _ticks(names: Sequence[str]) -> tuple[Tick, ...]:
    """Return the marks of at most so many rows, each in the middle of its row."""
    step = math.ceil(len(names) / ROW_LABELS_MOST) or 1
    return tuple(Tick(f"{100 * (place + 0.5) / len(names):.1f}%", names[place]) for place in range(0, len(names), step))
