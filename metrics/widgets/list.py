"""A list: the newest changes of values, or annotations, the newest first."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from django.utils.timezone import get_current_timezone
from pydantic import Field, model_validator

from metrics.series.read import Function, Point
from metrics.widgets import links, room, thresholds, units
from metrics.widgets.annotated import CHOSEN_MOST, Annotates, Noted, Tag, cut
from metrics.widgets.base import Named, QueryConfig, Rows, WidgetKind
from metrics.widgets.ranges import DAY_S, Window
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

ROWS_MOST = 30
BYTES_MOST = 5000
"""Of the texts and tags of all annotations together, so that a widget stays below 12 kB."""
MINUTE_S = 60


class ListConfig(Annotates, Rows):
    """Config of a list."""

    queries: list[QueryConfig] = Field(
        default_factory=list, max_length=20, description="The series whose changes to show."
    )
    annotations: list[Tag] = Field(
        default_factory=list,
        max_length=CHOSEN_MOST,
        description="Tags of the annotations that it shows: all that have one of them; incident for incidents, * "
        "for all.",
    )
    rows: int = Field(
        default=20, ge=1, le=ROWS_MOST, title="Rows at most", description="How many to show, the newest first."
    )
    thresholds: Thresholds | None = Field(default=None, description="Where a value becomes a warning, or critical.")
    levels_only: bool = Field(
        default=False,
        title="Only changes of level",
        description="Whether only changes from one level to another are shown, by the thresholds.",
    )

    def noted_in(self, window: Window) -> list[Noted]:
        """Return the annotations of a time."""
        return [one for one in self.noted if window.start <= (one.until or one.at) and one.at < window.end]

    def shows_without_series(self, window: Window) -> bool:
        return super().shows_without_series(window) or bool(self.noted_in(window))

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if not self.queries and not self.annotations:
            raise ValueError("a list needs queries, or tags of annotations")
        return self

    @model_validator(mode="after")
    def _has_levels(self) -> Self:
        if self.levels_only and self.thresholds is None:
            raise ValueError("levels_only needs thresholds")
        return self


@dataclass(frozen=True, slots=True)
class Change:
    """A change: `time` says when, `name` of which series, to which `value`, and what it `was` (None: it began then).

    `level` is None without thresholds. `link` is where it leads, empty for nowhere. An annotation has its text as its
    name, its `tags` with how long it was, and no value.
    """

    time: str
    name: str
    value: Shown | None
    was: Shown | None
    level: Level | None
    link: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class ListView:
    """View-model of `templates/widgets/list.html`: the `changes`, the newest first, and how many `more` there are.

    `ems` is how wide their widest value is, in halves of the height of its letters. It may be `of_annotations` as well.
    `level` is the worst that a series changed to last.
    """

    changes: tuple[Change, ...]
    more: int
    ems: int
    of_annotations: bool = False
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A change of a series to what it is at `point`, from the value it `was`."""

    one: Named
    point: Point
    was: float | None


class ListKind(WidgetKind[ListConfig]):
    """The newest changes of values: when, of what, from what to what; or annotations, such as deploys."""

    kind = "list"
    config_class = ListConfig
    size = (4, 3)
    function = Function("last")
    example: ClassVar = {"queries": [{"metric": "example"}], "thresholds": {"critical": 0, "direction": "below"}}

    def example_at(self, place: int, at: float) -> float:
        return float(int(at // (700 + 200 * place)) % 3 > 0)

    def view(self, config: ListConfig, series: list[Named], window: Window) -> ListView:
        of_each = [list(_changes(one, config, window)) for one in series]
        found = [change for of_one in of_each for change in of_one]
        rows = [(-one.at, one.text, one) for one in config.noted_in(window)] + [
            (-one.point.at, one.one.name, one) for one in found
        ]
        rows.sort(key=lambda row: row[:2])
        most_bytes = BYTES_MOST // max(1, min(len(rows), config.rows))
        shown = tuple(
            _of_annotation(one, window, most_bytes) if isinstance(one, Noted) else _shown(one, config, window)
            for *_, one in rows[: config.rows]
        )
        return ListView(
            changes=shown,
            more=len(rows) - len(shown),
            ems=room.ems(one.value for one in shown if one.value),
            of_annotations=bool(config.annotations),
            level=thresholds.worst(_level(of_one[-1].point.value, config) for of_one in of_each if of_one),
        )


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


def _of_annotation(one: Noted, window: Window, most_bytes: int) -> Change:
    tags_bytes = most_bytes // 3
    lasts = [] if one.until is None else ["open" if math.isinf(one.until) else units.lasted(one.until - one.at)]
    return Change(
        time=_time(one.at, window),
        name=cut(one.text, most_bytes - tags_bytes),
        value=None,
        was=None,
        level=None,
        link=one.link,
        tags=cut(" · ".join([*lasts, *([", ".join(one.tags)] if one.tags else [])]), tags_bytes),
    )


def _time(at: float, window: Window) -> str:
    local = datetime.fromtimestamp(at, get_current_timezone())
    if window.length_s > 7 * DAY_S:
        return f"{local:%-d %b %H:%M}"
    if window.length_s > DAY_S:
        return f"{local:%a %H:%M}"
    return f"{local:%H:%M:%S}" if window.step_s < MINUTE_S else f"{local:%H:%M}"
