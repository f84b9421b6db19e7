"""A gauge: the newest value on an arc from the least to the most, with its thresholds."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import Field, model_validator

from metrics.widgets import axis, room, thresholds, units
from metrics.widgets.bars import FULL
from metrics.widgets.base import Named, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.single import SingleConfig, single
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

LEAST_SPAN = 1e-300


class GaugeConfig(SingleConfig):
    """Config of a gauge."""

    min: float = Field(default=0, title="Arc begins at", description="The value at the beginning of the arc.")
    max: float | None = Field(
        default=None,
        title="Arc ends at",
        description="The value at its end; else 100 % for shares, and a round one above the largest.",
    )

    thresholds: Thresholds | None = Field(default=None, description="Where the value becomes a warning, or critical.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.max <= self.min:
            raise ValueError("max has to be more than min")
        return self


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the arc where the value would be of a level (warn or critical): `dash` is its SVG stroke-dasharray."""

    level: str
    dash: str


@dataclass(frozen=True, slots=True)
class GaugeView:
    """View-model of `templates/widgets/gauge.html`; the arc is 100 long.

    `value` is the newest value, None without one, and `ems` how wide it is, in halves of the height of its letters.
    `fill` is how much of the arc it covers, `low` and `high` what stands at its ends. `level` is None without
    thresholds, and `bands` are parts of the arc with a level. `outside` says that the value is beyond an end.
    """

    value: Shown | None
    ems: int = 1
    fill: str = "0"
    low: str = ""
    high: str = ""
    level: Level | None = None
    bands: tuple[Band, ...] = ()
    outside: str = ""


class Gauge(WidgetKind[GaugeConfig]):
    """The newest value on an arc with two ends, and where it becomes a warning or critical."""

    kind = "gauge"
    config_class = GaugeConfig
    group = "usual"
    size = (3, 2)
    windows_back = 0
    example: ClassVar = {"queries": [{"metric": "example"}], "thresholds": {"warn": 80, "critical": 90}}
    example_series = 1

    def view(self, config: GaugeConfig, series: list[Named], window: Window) -> GaugeView:
        newest = single(config, series, window)
        if newest is None:
            return GaugeView(None)
        low, high = config.min, _high(config, newest.value, newest.word)
        value = newest.show(config)
        return GaugeView(
            value=value,
            ems=room.ems([value]),
            fill=f"{100 * _share(newest.value, low, high):.1f}",
            low=str(units.show(low, newest.word)),
            high=str(units.show(high, newest.word)),
            level=thresholds.level(newest.value, config.thresholds),
            bands=_bands(config.thresholds, low, high),
            outside="below the scale" if newest.value < low else "above the scale" if newest.value > high else "",
        )


def _high(config: GaugeConfig, newest: float, word: str) -> float:
    """Return the value at the end of the arc: the same until a value, or a threshold, is beyond it."""
    if config.max is not None:
        return config.max
    if (full := FULL.get(word)) and full > config.min:
        return full
    limits = [config.thresholds.warn, config.thresholds.critical] if config.thresholds else []
    most = max([newest, 0.0, *(1.2 * one for one in limits if one is not None)])
    span = most - config.min
    return config.min + (axis.nice_step(span, 1) if LEAST_SPAN < span < math.inf else 1 + abs(config.min))


def _share(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low))) if not math.isnan(value) else 0.0


def _bands(limits: Thresholds | None, low: float, high: float) -> tuple[Band, ...]:
    if limits is None:
        return ()
    above = limits.direction == "above"
    ends = {"warn": limits.warn, "critical": limits.critical}
    at = {name: 100 * _share(value, low, high) for name, value in ends.items() if value is not None}
    bands = []
    for name, begin in at.items():
        inner = at.get("critical") if name == "warn" else None
        if above:
            bands.append(Band(name, _dash(begin, 100 if inner is None else max(begin, inner))))
        else:
            bands.append(Band(name, _dash(0 if inner is None else min(begin, inner), begin)))
    return tuple(bands)


def _dash(begin: float, end: float) -> str:
    """Return the pattern that draws the arc from `begin` to `end` (of 100) and nothing else."""
    return f"0 {begin:.1f} {end - begin:.1f} 200"
