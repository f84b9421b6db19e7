"""A list: the newest changes of values, the newest first."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from django.utils.timezone import get_current_timezone
from pydantic import Field, model_validator

from metrics.series.read import Function, Point
from metrics.widgets import links, room, thresholds, units
from metrics.widgets.base import Named, Rows, WidgetKind
from metrics.widgets.ranges import DAY_S, Window
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

ROWS_MOST = 30
MINUTE_S = 60


class ListConfig(Rows):
    """Config of a list."""

    rows: int = Field(default=20, ge=1, le=ROWS_MOST, description="How many to show, the newest first.")
    thresholds: Thresholds | None = Field(default=None, description="Where a value becomes a warning, or critical.")
    levels_only: bool = Field(
        default=False, description="Whether only changes from one level to another are shown, by the thresholds."
    )

    @model_validator(mode="after")
    def _has_levels(self) -> Self:
        if self.levels_only and self.thresholds is None:
            raise ValueError("levels_only needs thresholds")
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """A change: `time` says when, `name` of which series, to which `value`, and what it `was` (None: it began then).

    `level` is None without thresholds. `link` is where it leads, empty for nowhere.
    """

    time: str
    name: str
    value: Shown
    was: Shown | None
    level: Level | None
    link: str = ""


@dataclass(frozen=True, slots=True)
class ListView:
    """View-model of `templates/widgets/list.html`: the `changes`, the newest first, and how many `more` there are.

    `ems` is how wide their widest value is, in halves of the height of its letters.
    """

    changes: tuple[Change, ...]
    more: int
    ems: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A change of a series to what it is at `point`, from the value it `was`."""

    one: Named
    point: Point
    was: float | None


class ListKind(WidgetKind[ListConfig]):
    """The newest changes of values: when, of what, from what to what."""

    kind = "list"
    config_class = ListConfig
    size = (4, 3)
    function = Function("last")
    example: ClassVar = {"queries": [{"metric": "example"}], "thresholds": {"critical": 0, "direction": "below"}}

    def example_at(self, place: int, at: float) -> float:
        return float(int(at // (700 + 200 * place)) % 3 > 0)

    def view(self, config: ListConfig, series: list[Named], window: Window) -> ListView:
        found = [change for one in series for change in _changes(one, config, window)]
        found.sort(key=lambda change: (-change.point.at, change.one.name))
        shown = tuple(_shown(change, config, window) for change in found[: config.rows])
        return ListView(shown, len(found) - len(shown), room.ems(change.value for change in shown))


def _changes(one: Named, config: ListConfig, window: Window) -> Iterator[_Found]:
    """Yield the changes of a series in `window`; what comes first in it is one, unless it is known from before it."""
    track = one.track
    was = track.before.value if track.before and math.isfinite(track.before.value) else None
    for point in track.points:
        if not (window.start <= point.at < window.end and math.isfinite(point.value)):
            continue
        if was is None or (
            _level(point.value, config) != _level(was, config) if config.levels_only else point.value != was
        ):
            yield _Found(one, point, was)
        was = point.value


def _level(value: float, config: ListConfig) -> Level | None:
    return thresholds.level(value, config.thresholds)


def _shown(change: _Found, config: ListConfig, window: Window) -> Change:
    word = change.one.track.unit if config.unit is None else config.unit
    return Change(
        time=_time(change.point.at, window),
        name=change.one.name,
        value=units.show(change.point.value, word),
        was=None if change.was is None else units.show(change.was, word),
        level=_level(change.point.value, config),
        link=links.of_row(config.row_link, change.one.track.labels, window.range),
    )


def _time(at: float, window: Window) -> str:
    local = datetime.fromtimestamp(at, get_current_timezone())
    if window.length_s > 7 * DAY_S:
        return f"{local:%-d %b %H:%M}"
    if window.length_s > DAY_S:
        return f"{local:%a %H:%M}"
    return f"{local:%H:%M:%S}" if window.step_s < MINUTE_S else f"{local:%H:%M}"
