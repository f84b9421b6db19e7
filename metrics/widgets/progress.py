"""Progress to a goal: how far it is, and the pace that is needed to reach it in time."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import AwareDatetime, Field, model_validator

from metrics.widgets import room, units
from metrics.widgets.base import Named, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.single import SingleConfig, single
from metrics.widgets.thresholds import OK, WARN, Level
from metrics.widgets.units import Shown

PERIODS = ((86_400.0, "a day"), (3_600.0, "an hour"), (60.0, "a minute"))
"""In which a pace is told: the longest of which there are two left, else the shortest."""
DONE = Level("ok", "Reached")


class ProgressConfig(SingleConfig):
    """Config of progress."""

    goal: float = Field(description="The value to reach.")
    start: float = Field(default=0, title="Starting value", description="The value it began with.")
    since: AwareDatetime | None = Field(
        default=None, title="Began at", description="When it began, such as 2026-12-01T00:00:00+01:00."
    )
    by: AwareDatetime | None = Field(
        default=None, title="To be reached by", description="When the goal is to be reached, written alike."
    )

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.goal == self.start:
            raise ValueError("goal has to differ from start")
        if self.since and self.by and self.by <= self.since:
            raise ValueError("by has to be later than since")
        return self


@dataclass(frozen=True, slots=True)
class ProgressView:
    """View-model of `templates/widgets/progress.html`.

    `value` is the newest value, None without one, and `ems` how wide it is, in halves of the height of its letters.
    `share` is how far it has come ("42 %"), `fill` the same for the bar; `due` is where it should be by now, empty
    without dates. `goal` and `left` are in words, and `pace` says what is needed from now on ("120 a day").
    `level` tells whether it is reached, on time or behind; None without dates.
    """

    value: Shown | None
    ems: int = 1
    share: str = ""
    fill: str = "0%"
    due: str = ""
    goal: str = ""
    left: str = ""
    pace: str = ""
    level: Level | None = None


class Progress(WidgetKind[ProgressConfig]):
    """The newest value on its way to a goal, and the pace that is needed."""

    kind = "progress"
    config_class = ProgressConfig
    windows_back = 0
    example: ClassVar = {"queries": [{"metric": "example"}], "goal": 100}
    example_series = 1

    def view(self, config: ProgressConfig, series: list[Named], window: Window) -> ProgressView:
        newest = single(config, series, window)
        if newest is None:
            return ProgressView(None)
        way = config.goal - config.start
        done = (newest.value - config.start) / way
        if not math.isfinite(done):
            return ProgressView(newest.show(config), goal=str(units.show(config.goal, newest.word)))
        value, due = newest.show(config), _due(config, window.at)
        left_s = config.by.timestamp() - window.at if config.by else None
        left = abs(config.goal - newest.value)
        return ProgressView(
            value=value,
            ems=room.ems([value]),
            share=str(units.show(100 * done, "percent")),
            fill=_percent(done),
            due="" if due is None or done >= 1 else _percent(due),
            goal=str(units.show(config.goal, newest.word)),
            left="" if done >= 1 else f"{units.show(left, newest.word)} to go",
            pace="" if done >= 1 or left_s is None else _pace(left, left_s, newest.word),
            level=_level(done, due, left_s),
        )


def _due(config: ProgressConfig, at: float) -> float | None:
    """Return the share that should be done at `at`, at a steady pace."""
    if config.since is None or config.by is None:
        return None
    begin, end = config.since.timestamp(), config.by.timestamp()
    return min(1.0, max(0.0, (at - begin) / (end - begin)))


def _pace(left: float, left_s: float, word: str) -> str:
    if left_s <= 0:
        return "its time is over"
    period_s, name = next((one for one in PERIODS if left_s >= 2 * one[0]), PERIODS[-1])
    return f"{units.show(left / max(left_s / period_s, 1.0), word)} {name} needed"


def _level(done: float, due: float | None, left_s: float | None) -> Level | None:
    if done >= 1:
        return DONE
    if left_s is not None and left_s <= 0:
        return Level("critical", "Missed")
    if due is None:
        return None
    return Level(OK.name, "On time") if done >= due else Level(WARN.name, "Behind")


def _percent(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.1f}%"
