"""A service level objective: how much of the error budget is left, and how fast it burns.

The terms and formulas are those of Google's SRE workbook (https://sre.google/workbook/alerting-on-slos/): the budget
is 1 - objective, and the burn rate of a time is (1 - ratio) / (1 - objective).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from metrics.series.read import Point, Track, longest_step
from metrics.widgets import chart, combine, room, units
from metrics.widgets.base import Config, Named, WidgetKind
from metrics.widgets.number import Spark
from metrics.widgets.ranges import DAY_S, Window
from metrics.widgets.thresholds import OK, Level
from metrics.widgets.units import Shown

HOUR_S = 3_600
STEP_S = 600
FAST_S, SLOW_S = HOUR_S, 6 * HOUR_S
FAST_SHARE, SLOW_SHARE = 0.02, 0.05
"""Of the budget, spent within those times: the workbook pages for either. Of 30 days that are burn rates of 14.4, 6."""
SPARK_POINTS, SPARK_HEIGHT = 60, 200
RATIO_DECIMALS = 3
KNOWN_LEAST = 0.95
"""Below this share of the period with data, it is said."""
SPENT, FAST, SLOW = Level("critical", "Spent"), Level("critical", "Burns fast"), Level("warn", "Burns")


class SloConfig(Config):
    """Config of a service level objective."""

    needs_stored: ClassVar = True

    objective: float = Field(
        default=99.9,
        gt=0,
        lt=100,
        title="Objective, percent",
        description="Per cent that have to be good, less than 100.",
    )
    days: int = Field(default=30, ge=1, le=92, description="Over how many days.")
    of: Literal["ratio", "good", "bad"] = Field(
        default="ratio",
        title="Values are",
        description="ratio: the values are the share of what is good, from 0 to 1. "
        "good, bad: the first query counts good or bad events, the second all.",
    )

    @model_validator(mode="after")
    def _has_both_counts(self) -> Self:
        if self.of != "ratio" and len(self.shown()) != 2:
            raise ValueError(f"of {self.of!r} needs two queries: {self.of} events, and all events")
        return self

    def shown(self) -> list[int]:
        """Return the indexes of the queries and expressions that are not hidden."""
        queries = [index for index, query in enumerate(self.queries) if not query.hidden]
        return [*queries, *range(len(self.queries), len(self.queries) + len(self.expressions))]

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return 1 - self.objective / 100

    @property
    def period_s(self) -> int:
        return self.days * DAY_S


@dataclass(frozen=True, slots=True)
class SloView:
    """View-model of `templates/widgets/slo.html`.

    `left` is how much of the budget is left, below zero if it is overspent, None where nothing is known; `ems` how
    wide that is, in halves of the height of its letters; `level` says how bad it stands. `time` says the same as time
    ("27 min of 43.2 min left"), `burn` how fast it goes in the last hour and six hours, `ratio` what was reached of the
    objective, and `known` of how much of the period there is data if that is not nearly all. `spark` is the budget over
    the period, in a box of 1000 by 200, and `zero` the height in it where nothing is left, empty if that is its bottom.
    """

    left: Shown | None
    ems: int = 1
    level: Level = OK
    time: str = ""
    burn: tuple[str, ...] = ()
    ratio: str = ""
    known: str = ""
    spark: Spark | None = None
    zero: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """From `start` to `end` (Unix seconds), `bad` of `all` happened in each second."""

    start: float
    end: float
    bad: float
    all: float

    def within(self, since: float) -> tuple[float, float]:
        """Return how much was bad, and was, from `since` on."""
        length_s = max(0.0, self.end - max(since, self.start))
        return length_s * self.bad, length_s * self.all


class Slo(WidgetKind[SloConfig]):
    """The rest of an error budget, as a share and as time, and how fast it burns."""

    kind = "slo"
    config_class = SloConfig
    size = (4, 2)
    example_series = 1

    def example_at(self, place: int, at: float) -> float:
        return 0.995 if int(at // DAY_S) % 11 == 0 else 0.9998

    def window(self, config: SloConfig, window: Window) -> Window:
        last = window.at // STEP_S * STEP_S
        return Window(f"{config.days}d", window.at, last - config.period_s, last + STEP_S, STEP_S)

    def view(self, config: SloConfig, series: list[Named], window: Window) -> SloView:
        pieces = _pieces(config, series, window)
        since = window.at - config.period_s
        bad, all_ = _sums(pieces, since)
        if not all_:
            return SloView(None)
        known_s = math.fsum(piece.end - max(since, piece.start) for piece in pieces)
        # Of time, what is not known counts as good; of events, those that come until the end of the period are unknown.
        allowed = config.budget * (config.period_s if config.of == "ratio" else all_)
        left = 1 - bad / allowed
        shown = units.show(100 * left, "percent", 1 if left > -1 else 0)
        fast, slow = (_burn(pieces, window.at - length_s, config) for length_s in (FAST_S, SLOW_S))
        spark, zero = _spark(pieces, allowed, since, window)
        return SloView(
            left=shown,
            ems=room.ems([shown]),
            level=_level(left, fast, slow, config.period_s),
            time=_time(left, config.budget * config.period_s),
            burn=tuple(
                f"{_times(rate)} in {length}" for rate, length in ((fast, "1 h"), (slow, "6 h")) if rate is not None
            ),
            ratio=f"{_ratio(bad, all_)} of {units.show(config.objective, 'percent')}",
            known="" if known_s >= KNOWN_LEAST * config.period_s else f"data of {units.show(known_s, 'seconds')} only",
            spark=spark,
            zero=zero,
        )


def _pieces(config: SloConfig, series: Sequence[Named], window: Window) -> list[Piece]:
    if config.of == "ratio":
        tracks = [one.track for one in series]
        factor = 0.01 if tracks and tracks[0].unit == "percent" else 1.0
        points = combine.combined(tracks, "avg", window.step_s, config.every_s) if tracks else ()
        found = [(point.at, 1 - min(1.0, max(0.0, factor * point.value)), 1.0) for point in points]
        return _spans(found, tracks, config, window)
    first, second = ([one.track for one in series if one.of == index] for index in config.shown())
    counted, all_ = (
        {point.at: max(0.0, point.value) for point in combine.combined(tracks, "sum", window.step_s, config.every_s)}
        if tracks
        else {}
        for tracks in (first, second)
    )
    found = [
        (at, min(total, counted.get(at, 0.0) if config.of == "bad" else total - counted[at]), total)
        for at, total in all_.items()
        if config.of == "bad" or at in counted
    ]
    return _spans([(at, max(0.0, bad), total) for at, bad, total in found], second, config, window)


def _spans(
    found: Sequence[tuple[float, float, float]], tracks: Sequence[Track], config: SloConfig, window: Window
) -> list[Piece]:
    """Return pieces from what was (when, bad, all); each goes on until the next, but not over a long pause.

    An hour is none: where only the rollups of hours are kept, there is one point in each.
    """
    inside = [one for one in found if window.start <= one[0] <= window.at and all(map(math.isfinite, one))]
    every_s = config.every_s or max((track.every_s or 0.0 for track in tracks), default=None)
    longest_s = longest_step(window.step_s, every_s)
    ends = [*(at for at, *_ in inside[1:]), window.at][: len(inside)]
    return [
        Piece(at, end if end - at <= max(longest_s, HOUR_S) else at + window.step_s, bad, all_)
        for (at, bad, all_), end in zip(inside, ends, strict=True)
    ]


def _sums(pieces: Sequence[Piece], since: float) -> tuple[float, float]:
    """Return how much was bad, and was, from `since` on."""
    within = [piece.within(since) for piece in pieces]
    return math.fsum(bad for bad, _ in within), math.fsum(all_ for _, all_ in within)


def _burn(pieces: Sequence[Piece], since: float, config: SloConfig) -> float | None:
    bad, all_ = _sums(pieces, since)
    return bad / all_ / config.budget if all_ else None


def _level(left: float, fast: float | None, slow: float | None, period_s: float) -> Level:
    if left <= 0:
        return SPENT
    if (fast or 0.0) >= FAST_SHARE * period_s / FAST_S:
        return FAST
    return SLOW if (slow or 0.0) >= SLOW_SHARE * period_s / SLOW_S else OK


def _time(left: float, budget_s: float) -> str:
    budget = units.show(budget_s, "seconds")
    if left < 0:
        return f"{units.show(-left * budget_s, 'seconds')} over {budget}"
    return f"{units.show(left * budget_s, 'seconds')} of {budget} left"


def _ratio(bad: float, all_: float) -> Shown:
    return units.show(100 * (1 - bad / all_), "percent", RATIO_DECIMALS if bad else None)


def _times(rate: float) -> str:
    rounded = round(rate, 1)
    if rate and not rounded:
        return "<0.1\u00d7"
    return f"{units.digits(rate, 0 if rounded >= 100 else 1)}\u00d7"


def _spark(pieces: Sequence[Piece], allowed: float, since: float, window: Window) -> tuple[Spark, str]:
    spent = accumulate(piece.within(since)[0] for piece in pieces)
    curve = [Point(piece.end, 1 - done / allowed) for piece, done in zip(pieces, spent, strict=True)]
    points = [Point(pieces[0].start, 1.0), *curve[:: math.ceil(len(curve) / SPARK_POINTS)], curve[-1]]
    low = min(0.0, points[-1].value)
    plane = chart.Plane(since, window.at, low, 1.0, height=SPARK_HEIGHT)
    zero = "" if low == 0 else str(round(SPARK_HEIGHT / (1 - low)))
    return Spark(chart.line([points], plane), chart.area([points], plane)), zero
