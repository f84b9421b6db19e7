"""Bars: the largest of the newest values, side by side."""

import math
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from metrics.widgets import freshness, links, room, thresholds, units
from metrics.widgets.base import Named, Rows, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.room import Cut
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

FULL = {"percent": 100.0, "ratio": 1.0}


class BarsConfig(Rows):
    """Config of bars."""

    top: int = Field(default=10, ge=1, le=30, title="Bars at most", description="How many to show, the largest first.")
    max: float | None = Field(
        default=None,
        gt=0,
        title="Full bar at",
        description="The value of a full bar; else 100 % for shares, and the largest for the rest.",
    )
    thresholds: Thresholds | None = Field(default=None, description="Where a value becomes a warning, or critical.")


@dataclass(frozen=True, slots=True)
class Bar:
    """One series: its `name`, its `value`, and how long its bar is: `fill`, in per cent ("42.0%").

    `level` is None without thresholds. A `stale` one has ended some time ago, whatever the others do. `link` is where
    it leads, empty for nowhere. `cut` is when it is left out.
    """

    name: str
    value: Shown
    fill: str
    level: Level | None
    stale: bool
    cut: Cut
    link: str = ""


@dataclass(frozen=True, slots=True)
class BarsView:
    """View-model of `templates/widgets/bars.html`: the `bars`, the longest first, and how many `more` there are.

    `worse` says how bad these others are, `level` is that of the worst of all. `ems` is how wide their widest value is,
    in halves of the height of its letters.
    """

    bars: tuple[Bar, ...]
    more: int
    worse: str = ""
    level: Level | None = None
    ems: int = 1


class Bars(WidgetKind[BarsConfig]):
    """The largest newest values as horizontal bars."""

    kind = "bars"
    config_class = BarsConfig
    group = "usual"
    size = (4, 2)
    windows_back = 0
    example: ClassVar = {"queries": [{"metric": "example"}], "thresholds": {"warn": 80, "critical": 95}}

    def view(self, config: BarsConfig, series: list[Named], window: Window) -> BarsView:
        known = [(one.track.latest.value, one) for one in series if one.track.latest]
        known = sorted((pair for pair in known if math.isfinite(pair[0])), key=lambda pair: (-pair[0], pair[1].name))
        full = _full(config, known)
        levels = [None if _is_stale(one, config, window) else _level(value, config) for value, one in known]
        beyond = levels[config.top :]
        bars = tuple(
            _bar(value, one, cut, full, config, window)
            for (value, one), cut in zip(known, room.cuts(levels[: config.top], beyond), strict=False)
        )
        return BarsView(
            bars=bars,
            more=len(beyond),
            worse=room.worse(beyond),
            level=thresholds.worst(levels),
            ems=room.ems(bar.value for bar in bars),
        )


def _level(value: float, config: BarsConfig) -> Level | None:
    return thresholds.level(value, config.thresholds)


def _is_stale(one: Named, config: BarsConfig, window: Window) -> bool:
    return freshness.of_tracks([one.track], config.every_s, window.at).state == "stale"


def _full(config: BarsConfig, known: list[tuple[float, Named]]) -> float:
    """Return the value of a full bar."""
    if config.max is not None or not known:
        return config.max or 1.0
    word = known[0][1].track.unit if config.unit is None else config.unit
    return FULL.get(word) or max(abs(value) for value, _ in known) or 1.0


def _bar(value: float, one: Named, cut: Cut, full: float, config: BarsConfig, window: Window) -> Bar:
    return Bar(
        name=one.name,
        value=units.show(value, one.track.unit if config.unit is None else config.unit),
        fill=f"{100 * min(1.0, max(0.0, value / full)):.1f}%",
        level=_level(value, config),
        stale=_is_stale(one, config, window),
        cut=cut,
        link=links.of_row(config.row_link, one.track.labels, window.range),
    )
