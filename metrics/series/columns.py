"""Columns of buckets, side by side as numpy arrays, for many series at once: merged, and put together to steps.

The columns are `buckets.COLUMNS` or the first few of them, as many as are needed. A sample is a bucket of one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metrics.series.buckets import Bucket
from metrics.series.growth import UNSEEN
from metrics.series.vectors import Column, NDArray, Whole, np

_COUNT, _SUM, _MIN, _MAX, _LAST, _LAST_AFTER, _FIRST, _FIRST_AFTER, _GROWTH = range(1, 10)


@dataclass(frozen=True, slots=True)
class Columns:
    """The `columns` of some series, which `ids` names for each row; by series and time, if they are sorted."""

    ids: Whole
    columns: Sequence[Column]

    def __len__(self) -> int:
        return len(self.ids)

    def narrow(self, width: int) -> "Columns":
        """Return the first `width` columns alone."""
        return Columns(self.ids, self.columns[:width])

    def where(self, which: "NDArray[np.bool_] | Whole") -> "Columns":
        """Return some of the rows, or all in another order."""
        return Columns(self.ids[which], [column[which] for column in self.columns])


def stacked(tables: Sequence[Columns]) -> Columns:
    """Return one table of what is in all of `tables`, of which there is one at least."""
    if len(tables) == 1:
        return tables[0]
    columns = zip(*(one.columns for one in tables), strict=True)
    return Columns(np.concatenate([one.ids for one in tables]), [joined(one) for one in columns])


def joined(columns: Sequence[Column]) -> Column:
    """Return columns of one kind, one behind the other."""
    found: Column = np.concatenate(columns)
    return found


def of_samples(samples: Columns, width: int) -> Columns:
    """Return times and values of samples as buckets of one each, in the first `width` columns."""
    times, values = samples.columns
    ones, zeros = np.ones(len(times), np.int64), np.zeros(len(times), np.int64)
    whole = [times, ones, values, values, values, values, zeros, values, zeros, np.zeros(len(times))]
    return Columns(samples.ids, whole[:width])


def merged(first: Columns, second: Columns, *, samples: bool = False) -> Columns:
    """Return both in order. Of two of one time the one of more samples counts, or else the one that knows its growth.

    Of two that are alike, and of two `samples`, the one in `first` counts.
    """
    both = stacked([first, second])
    place = np.arange(len(both))
    keys = [place, both.columns[0], both.ids]
    if not samples:
        unknown = np.isnan(both.columns[_GROWTH]) if len(both.columns) > _GROWTH else np.zeros(len(both))
        keys = [place, unknown, -both.columns[_COUNT], *keys[1:]]
    return _first_of_each(both.where(np.lexsort(keys)))


def _first_of_each(table: Columns) -> Columns:
    times = table.columns[0]
    again = (table.ids[1:] == table.ids[:-1]) & (times[1:] == times[:-1])
    return table.where(np.concatenate([[True], ~again])) if again.any() else table


def guessed(table: Columns) -> Columns:
    """Return buckets with the best guess where first value and growth are not known; see `metrics.series.growth`."""
    unknown = np.isnan(table.columns[_GROWTH])
    if not unknown.any():
        return table
    columns = list(table.columns)
    low, high, last = columns[_MIN], columns[_MAX], columns[_LAST]
    fell = _fell(high, last)
    columns[_FIRST] = np.where(unknown, np.where(fell, high, low), columns[_FIRST])
    columns[_GROWTH] = np.where(unknown, np.where(fell, last, last - low), columns[_GROWTH])
    return Columns(table.ids, columns)


def grouped(table: Columns, start_ms: int, step_ms: int) -> Columns:
    """Return the steps of `step_ms`, numbered from `start_ms`, that a sorted table amounts to.

    The columns are the number of the step, then as in a step that was told: count, sum, min, max, last, when that was
    (Unix milliseconds), first, when that was, growth; as many as the table has.
    """
    columns = table.columns
    number = (columns[0] - start_ms) // step_ms
    same = (table.ids[1:] == table.ids[:-1]) & (number[1:] == number[:-1])
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(begins[1:], len(table)) - 1
    found = [number[begins], np.add.reduceat(columns[_COUNT], begins), np.add.reduceat(columns[_SUM], begins)]
    if len(columns) > _MAX:
        found += [np.minimum.reduceat(columns[_MIN], begins), np.maximum.reduceat(columns[_MAX], begins)]
    if len(columns) > _GROWTH:
        grown = columns[_GROWTH].copy()
        grown[1:] += np.where(same, _rise(columns[_LAST][:-1], columns[_FIRST][1:]), 0.0)
        found += [
            columns[_LAST][ends],
            (columns[0] + columns[_LAST_AFTER])[ends],
            columns[_FIRST][begins],
            (columns[0] + columns[_FIRST_AFTER])[begins],
            np.add.reduceat(grown, begins),
        ]
    return Columns(table.ids[begins], found)


def rolled(table: Columns, step_ms: int) -> Columns:
    """Return the buckets of `step_ms` that a sorted table of all columns amounts to."""
    steps = grouped(table, 0, step_ms)
    number, count, total, low, high, last, last_at_ms, first, first_at_ms, grown = steps.columns
    begin = number * step_ms
    ends = (last, last_at_ms - begin, first, first_at_ms - begin, grown)
    return Columns(steps.ids, [begin, count, total, low, high, *ends])


def rows(table: Columns) -> list[Bucket]:
    """Return the same as rows to be stored."""
    rows = zip(*(one.tolist() for one in (table.ids, *table.columns)), strict=True)
    return [(*row[:8], _known(row[8]), row[9], _known(row[10])) for row in rows]


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _fell(earlier: Column, later: Column) -> "NDArray[np.bool_]":
    """Return what `metrics.series.growth.fell` does, for each."""
    found: NDArray[np.bool_] = later < earlier - UNSEEN * np.abs(earlier)
    return found


def _rise(earlier: Column, later: Column) -> Column:
    """Return what `metrics.series.growth.rise` does, for each."""
    return np.where(_fell(earlier, later), later, np.maximum(later - earlier, 0.0))


def split(table: Columns) -> dict[int, list[list[Any]]]:
    """Return the columns of each series as lists."""
    if not len(table):
        return {}
    begins = np.flatnonzero(np.concatenate([[True], table.ids[1:] != table.ids[:-1]])).tolist()
    columns = [column.tolist() for column in table.columns]
    ends = [*begins[1:], len(table)]
    ids = table.ids[begins].tolist()
    return {pk: [one[begin:end] for one in columns] for pk, begin, end in zip(ids, begins, ends, strict=True)}
