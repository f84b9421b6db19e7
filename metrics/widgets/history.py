"""A history: how much of each day things were up, as status pages show it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, pairwise
from typing import ClassVar, Self

from django.utils.timezone import get_current_timezone
from pydantic import Field, model_validator

from metrics.series.read import Track, longest_step
from metrics.widgets import annotated, freshness, maintained, ranges, room, thresholds, units
from metrics.widgets.annotated import NO_MARKS, Annotates, Marks
from metrics.widgets.base import Config, Named, WidgetKind
from metrics.widgets.ranges import DAY_S, Window
from metrics.widgets.room import NO_CUT, Cut
from metrics.widgets.thresholds import CRITICAL, OK, WARN, Level
from metrics.widgets.units import Shown

BARS_MOST = 90
ROWS_MOST = 30
SAID_MOST = 3
DECIMALS = 2
PARTS = 24
"""Of a day, where it is counted which of them were up."""
LEVELS = ("ok", "warn", "critical", "nodata")
NOW = {"down": CRITICAL, "stale": WARN, "nodata": WARN, "up": OK}
"""How bad a row is in each state."""
WORDS = {"up": "up", "down": "down", "stale": "stale", "nodata": "no data"}

Share = float | None
"""How much of a time was up, from 0 to 1; None where nothing is known of it."""


class HistoryConfig(Annotates, Config):
    """Config of a history."""

    needs_stored: ClassVar = True

    days: int = Field(
        default=90, ge=0, le=366, description="How many days, today included; 0 for the range of the dashboard."
    )
    up_at_least: float | None = Field(
        default=None,
        title="Up from",
        description="From this mean of an hour on, it was up; else the values are the share of time up, from 0 to 1.",
    )
    warn_below: float = Field(
        default=99.9,
        ge=0,
        le=100,
        title="Warning below, percent",
        description="Below this per cent of time up, a bar is a warning.",
    )
    critical_below: float = Field(
        default=95,
        ge=0,
        le=100,
        title="Critical below, percent",
        description="Below this per cent of time up, a bar is critical.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.critical_below > self.warn_below:
            raise ValueError("critical_below has to be at most warn_below")
        return self


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one `level` (ok, warn, critical or nodata): their runs as SVG path data, a bar being 1 wide."""

    level: str
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """One series: its `name`, its `state` now (up, down, stale or nodata) and the `word` that says it.

    `share` is how much of all time it was up, None where nothing is known; `bars` are drawn, and `said` is what they
    show, in a sentence. `maintenance` is when it is in maintenance, as SVG path data in a box of 1000 by 400. `cut` is
    when it is left out.
    """

    name: str
    state: str
    word: str
    share: Shown | None
    bars: tuple[Bars, ...]
    said: str
    maintenance: str = ""
    cut: Cut = NO_CUT


@dataclass(frozen=True, slots=True)
class HistoryView:
    """View-model of `templates/widgets/history.html`: the `rows`, down ones first, and how many `more`.

    `worse` says how many of these are down.
    `count` is the number of bars in a row, `since` when the first one begins, in words; `ems` is how wide the widest
    share is, in halves of the height of its letters. `annotations` are the marks of what happened when.
    """

    rows: tuple[Row, ...]
    more: int
    worse: str
    count: int
    since: str
    ems: int
    annotations: Marks = NO_MARKS


class History(WidgetKind[HistoryConfig]):
    """A bar for each of the last 90 days: how much of it things were up, and how much of all."""

    kind = "history"
    config_class = HistoryConfig
    size = (12, 1)
    example_values = (1.0, 1.0, 1.0)
    marks_maintenance = True

    def example_at(self, place: int, at: float) -> float:
        day = int(at // DAY_S)
        return 0.6 if (7 * day + 3 * place) % 41 == 0 else 0.98 if (5 * day + place) % 29 == 0 else 1.0

    def window(self, config: HistoryConfig, window: Window) -> Window:
        if not config.days:
            return window
        step_s = DAY_S if config.up_at_least is None else DAY_S // PARTS
        return ranges.days(config.days, step_s, window.at, get_current_timezone())

    def axis(self, config: HistoryConfig, window: Window) -> tuple[float, float]:
        """Return the time of its bars, which are all as long: the first may begin before the window."""
        per_bar, count = _bars(config, window)
        return window.end - count * per_bar * window.step_s, window.end

    def view(self, config: HistoryConfig, series: list[Named], window: Window) -> HistoryView:
        per_bar, count = _bars(config, window)
        axis = self.axis(config, window)
        bands = {
            times: maintained.band(maintained.inside(times, *axis), *axis)
            for times in {one.maintained for one in series}
        }
        rows = [_row(one, per_bar, bands[one.maintained], config, window) for one in series]
        rows.sort(key=lambda row: row.state != "down")
        down = [CRITICAL if row.state == "down" else None for row in rows]
        cuts = room.cuts(down[:ROWS_MOST], down[ROWS_MOST:], "down")
        shown = tuple(replace(row, cut=cut) for row, cut in zip(rows, cuts, strict=False))
        return HistoryView(
            rows=shown,
            more=len(rows) - len(shown),
            worse=room.worse(down[ROWS_MOST:], "down"),
            count=count,
            since=f"{config.days} days ago" if config.days else _moment(window.start, window),
            ems=room.ems(row.share for row in shown if row.share),
            annotations=annotated.marks(config.noted, *axis, window.at),
        )

    def level(self, view: HistoryView) -> Level | None:
        return thresholds.worst(NOW[row.state] for row in view.rows)


def _bars(config: HistoryConfig, window: Window) -> tuple[int, int]:
    """Return of how many steps a bar is, and how many bars there are."""
    steps = round(window.length_s / window.step_s)
    unit = round(DAY_S / window.step_s) if config.days else 1
    per_bar = unit * math.ceil(steps / unit / BARS_MOST)
    return per_bar, math.ceil(steps / per_bar)


def _row(one: Named, per_bar: int, band: str, config: HistoryConfig, window: Window) -> Row:
    shares = _shares(one.track, config, window)
    weights = [1.0] * len(shares)
    last = int((window.at - window.start) // window.step_s)
    if 0 <= last < len(weights):  # what has just begun counts as much as is over of it
        weights[last] = max(1e-6, (window.at - window.start) / window.step_s - last)
    first = len(shares) % per_bar or per_bar
    edges = [0, *range(first, len(shares) + 1, per_bar)]
    bars = [_mean(shares[a:b], weights[a:b]) for a, b in pairwise(edges)]
    overall = _mean(shares, weights)
    state = _state(one.track, config, window)
    starts = [window.start + window.step_s * edge for edge in edges[:-1]]
    shown = None if overall is None else units.show(100 * overall, "percent", DECIMALS)
    return Row(
        name=one.name,
        state=state,
        word=WORDS[state],
        share=shown,
        bars=_drawn([_level(bar, config) for bar in bars]),
        said=_said(shown, list(zip(starts, bars, strict=True)), config, window),
        maintenance=band,
    )


def _shares(track: Track, config: HistoryConfig, window: Window) -> list[Share]:
    """Return the share of time up in each step of `window`.

    A step without a sample where none was expected is no gap: it keeps what was before it.
    """
    shares: list[Share] = [None] * round(window.length_s / window.step_s)
    held = int(longest_step(0.0, config.every_s or track.every_s) // window.step_s)
    factor = 0.01 if track.unit == "percent" and config.up_at_least is None else 1.0
    before: int | None = None
    for point in track.points:
        place = int((point.at - window.start) // window.step_s)
        if not (0 <= place < len(shares) and math.isfinite(point.value)):
            continue
        if before is not None and place - before <= held:
            shares[before + 1 : place] = [shares[before]] * (place - before - 1)
        if config.up_at_least is None:
            shares[place] = min(1.0, max(0.0, factor * point.value))
        else:
            shares[place] = float(point.value >= config.up_at_least)
        before = place
    return shares


def _mean(shares: Sequence[Share], weights: Sequence[float]) -> Share:
    known = [(share, weight) for share, weight in zip(shares, weights, strict=True) if share is not None]
    return (
        math.fsum(share * weight for share, weight in known) / math.fsum(weight for _, weight in known)
        if known
        else None
    )


def _level(share: Share, config: HistoryConfig) -> str:
    if share is None:
        return "nodata"
    per_cent = 100 * share
    return "critical" if per_cent < config.critical_below else "warn" if per_cent < config.warn_below else "ok"


def _drawn(levels: Sequence[str]) -> tuple[Bars, ...]:
    paths: dict[str, str] = {}
    at = 0
    for level, run in groupby(levels):
        length = len(list(run))
        paths[level] = f"{paths.get(level, '')}M{at} 0h{length}"
        at += length
    return tuple(Bars(level, paths[level]) for level in LEVELS if level in paths)


def _state(track: Track, config: HistoryConfig, window: Window) -> str:
    if track.latest is None:
        return "nodata"
    if freshness.of_tracks([track], config.every_s, window.at).state == "stale":
        return "stale"
    least = config.up_at_least
    if least is None:
        least = 100 if track.unit == "percent" else 1
    return "up" if track.latest.value >= least else "down"


def _said(shown: Shown | None, bars: Sequence[tuple[float, Share]], config: HistoryConfig, window: Window) -> str:
    if shown is None:
        return "No data"
    worst = sorted((share, at) for at, share in bars if share is not None and _level(share, config) != "ok")
    named = ", ".join(
        f"{_moment(at, window)} {units.show(100 * share, 'percent', DECIMALS)}" for share, at in worst[:SAID_MOST]
    )
    more = f" and {len(worst) - SAID_MOST} more" if len(worst) > SAID_MOST else ""
    unknown = sum(share is None for _, share in bars)
    gaps = f"; no data in {unknown} of {len(bars)} bars" if unknown else ""
    return f"{shown} up{f'; least {named}{more}' if worst else ''}{gaps}"


def _moment(at: float, window: Window) -> str:
    local = datetime.fromtimestamp(at, get_current_timezone())
    return f"{local:%-d %b}" if window.length_s > 7 * DAY_S else f"{local:%a %H:%M}"
