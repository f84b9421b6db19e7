"""A table: a row for each combination of labels, a column for each query."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from metrics.widgets import freshness, links, room, thresholds, units
from metrics.widgets.base import ExpressionConfig, Named, QueryConfig, Rows, WidgetKind
from metrics.widgets.ranges import Window
from metrics.widgets.room import Cut
from metrics.widgets.spark import spark
from metrics.widgets.thresholds import Level, Thresholds
from metrics.widgets.units import Shown

ROWS_MOST = 50
HEADING_MOST = 40
NO_LIMITS = Thresholds()


class TableConfig(Rows):
    """Config of a table."""

    columns: list[str] = Field(
        default_factory=list,
        max_length=6,
        title="Columns of labels",
        description="Labels to show, in this order; else those that differ.",
    )
    sort: int = Field(
        default=1,
        ge=0,
        le=20,
        title="Sort by column",
        description="By which column of values the rows are in order; 0 is by their labels.",
    )
    ascending: bool = Field(
        default=False, title="Smallest first", description="Whether the smallest value comes first."
    )
    rows: int = Field(default=20, ge=1, le=ROWS_MOST, title="Rows at most", description="How many rows to show.")
    thresholds: list[Thresholds] = Field(
        default_factory=list, max_length=20, description="Where a value of each column is a warning, or critical."
    )
    sparkline: bool = Field(
        default=True, title="Sparklines", description="Whether each row has the curve of its first column."
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values, by its `name`; `sorted` is ascending, descending or empty, as HTML's aria-sort says it."""

    name: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value in its cell; `level` is None without thresholds, and a `stale` one has ended some time ago."""

    value: Shown | None
    level: Level | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the values of its `labels`, its `cells`, and the `spark` of the first one as SVG path data, or empty.

    `link` is where it leads, empty for nowhere. `cut` is when it is left out.
    """

    labels: tuple[str, ...]
    cells: tuple[Value, ...]
    cut: Cut
    spark: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """View-model of `templates/widgets/table.html`: the names of `labels`, the `columns`, and the `rows`.

    `more` is how many rows there are besides, `worse` says how bad they are; `level` is that of the worst of all.
    `has_sparks` is whether any row has a curve.
    """

    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    more: int
    worse: str
    level: Level | None
    has_sparks: bool


Key = tuple[tuple[str, str], ...]


class Table(WidgetKind[TableConfig]):
    """A row for each thing, a column for each number about it, coloured by thresholds."""

    kind = "table"
    config_class = TableConfig
    group = "usual"
    size = (6, 2)
    example: ClassVar = {
        "queries": [{"metric": "example", "legend": "used"}],
        "thresholds": [{"warn": 80, "critical": 95}],
    }

    def view(self, config: TableConfig, series: list[Named], window: Window) -> TableView:
        shown: list[QueryConfig | ExpressionConfig] = [*config.queries, *config.expressions]
        columns = [index for index, one in enumerate(shown) if not (isinstance(one, QueryConfig) and one.hidden)]
        of_key: dict[Key, dict[int, Named]] = {}
        for key, one in zip(_keys(series, config.columns), series, strict=True):
            of_key.setdefault(key, {})[one.of] = one
        labels = _shown(list(of_key), config.columns)
        keys = _in_order(of_key, columns, config)
        judged = keys if config.thresholds else keys[: config.rows]
        cells = [_cells(of_key[key], columns, config, window) for key in judged]
        levels = [*map(_level, cells), *[None] * (len(keys) - len(cells))]
        beyond = levels[config.rows :]
        rows = tuple(
            _row(key, of_key[key], own, cut, labels, columns, config, window)
            for key, own, cut in zip(keys, cells, room.cuts(levels[: config.rows], beyond), strict=False)
        )
        order = "ascending" if config.ascending else "descending"
        return TableView(
            labels=labels,
            columns=tuple(
                Column(_heading(shown[index]), order if place == config.sort else "")
                for place, index in enumerate(columns, 1)
            ),
            rows=rows,
            more=len(beyond),
            worse=room.worse(beyond),
            level=thresholds.worst(levels),
            has_sparks=any(row.spark for row in rows),
        )


def _keys(series: Sequence[Named], columns: Sequence[str]) -> list[Key]:
    """Return what makes the row of each series: the labels that are shown; all where these are of several series."""
    chosen = [_labels(one, columns) for one in series]
    counts = Counter((key, one.of) for key, one in zip(chosen, series, strict=True))
    crowded = {key for (key, _), count in counts.items() if count > 1}
    return [
        _labels(one, [*columns, *sorted(one.track.labels.keys() - set(columns))])
        if not columns or key in crowded
        else key
        for key, one in zip(chosen, series, strict=True)
    ]


def _labels(one: Named, names: Sequence[str]) -> Key:
    return tuple((name, one.track.labels.get(name, "")) for name in names)


def _shown(keys: Sequence[Key], columns: Sequence[str]) -> tuple[str, ...]:
    """Return the labels to show: the chosen ones, and those that tell rows from each other besides; of one row, all."""
    names = sorted({name for key in keys for name, _ in key} - set(columns))
    if len(keys) > 1:
        chosen = Counter(tuple(dict(key).get(name) for name in columns) for key in keys)
        alike = [key for key in keys if chosen[tuple(dict(key).get(name) for name in columns)] > 1]
        names = [name for name in names if len({dict(key).get(name) for key in alike}) > 1]
    return (*columns, *names)


def _in_order(of_key: dict[Key, dict[int, Named]], columns: Sequence[int], config: TableConfig) -> list[Key]:
    keys = sorted(of_key)
    if not 1 <= config.sort <= len(columns):
        return keys
    index, sign = columns[config.sort - 1], 1 if config.ascending else -1

    def rank(key: Key) -> tuple[bool, float]:
        latest = one.track.latest if (one := of_key[key].get(index)) else None
        known = latest is not None and not math.isnan(latest.value)
        return not known, sign * latest.value if known and latest else 0.0

    return sorted(keys, key=rank)


def _heading(one: QueryConfig | ExpressionConfig) -> str:
    if one.legend and "{" not in one.legend:
        return one.legend
    asked = one.metric or one.promql if isinstance(one, QueryConfig) else one.expression
    return asked if len(asked) <= HEADING_MOST else f"{asked[: HEADING_MOST - 1]}…"


def _row(
    key: Key,
    found: dict[int, Named],
    cells: tuple[Value, ...],
    cut: Cut,
    labels: Sequence[str],
    columns: Sequence[int],
    config: TableConfig,
    window: Window,
) -> Row:
    values = dict(key)
    first = found.get(columns[0]) if columns else None
    return Row(
        labels=tuple(values.get(name, "") for name in labels),
        cells=cells,
        cut=cut,
        spark=spark(first.track, config.every_s, window) if first and config.sparkline else "",
        link=links.of_row(config.row_link, _common(found.values()), window.range),
    )


def _level(cells: Iterable[Value]) -> Level | None:
    """Return the level of a row: the worst of its cells, of those that are not stale."""
    return thresholds.worst(cell.level for cell in cells if not cell.stale)


def _cells(found: dict[int, Named], columns: Sequence[int], config: TableConfig, window: Window) -> tuple[Value, ...]:
    limits = dict(enumerate(config.thresholds))
    return tuple(_value(found.get(index), limits.get(place), config, window) for place, index in enumerate(columns))


def _common(series: Iterable[Named]) -> dict[str, str]:
    """Return the labels of the series of a row; those of the first column count where they differ."""
    return {name: value for one in reversed(list(series)) for name, value in one.track.labels.items()}


def _value(one: Named | None, limits: Thresholds | None, config: TableConfig, window: Window) -> Value:
    if one is None or one.track.latest is None:
        return Value(None)
    newest = one.track.latest.value
    return Value(
        value=units.show(newest, one.track.unit if config.unit is None else config.unit),
        level=thresholds.level(newest, limits) if limits != NO_LIMITS else None,
        stale=freshness.of_tracks([one.track], config.every_s, window.at).state == "stale",
    )
