"""The numbers of a widget: a row for each series, and all points as CSV."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from statistics import fmean

from metrics.series.read import Track
from metrics.widgets import chart, units
from metrics.widgets.base import Named, QueryConfig
from metrics.widgets.units import Shown

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of cells that a spreadsheet would calculate."""


@dataclass(frozen=True, slots=True)
class Row:
    """A series over a range: its `name`, its newest value `last`, the `mean`, and its `least` and `greatest` sample.

    Each is None where there is nothing.
    """

    name: str
    last: Shown | None
    mean: Shown | None
    least: Shown | None
    greatest: Shown | None


def rows(series: Sequence[Named], unit: str | None) -> list[Row]:
    """Return a row for each of `series`, in `unit` if it is given."""
    return [_row(one.name, one.track, one.track.unit if unit is None else unit) for one in series]


def _row(name: str, track: Track, word: str) -> Row:
    last = units.show(track.latest.value, word) if track.latest else None
    points = [one for one in track.points if isfinite(one.value)]
    if not points:
        return Row(name, last, None, None, None)
    found = (fmean(one.value for one in points), min(map(chart.low, points)), max(map(chart.high, points)))
    return Row(name, last, *(units.show(value, word) for value in found))


def lines(series: Sequence[Named]) -> Iterator[str]:
    """Return lines of CSV (RFC 4180): a column of times (ISO 8601, UTC), when steps begin, and one for each series."""
    writer = csv.writer(_Line())
    yield writer.writerow(["time", *(_text(_heading(one)) for one in series)])
    columns = [{point.at: repr(point.value) for point in one.track.points} for one in series]
    for at in sorted({at for column in columns for at in column}):
        time = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        yield writer.writerow([time, *(column.get(at, "") for column in columns)])


def said(query: QueryConfig) -> str:
    """Return `query` as people write it: rate(requests_total{host="web-1"}); a live one begins with its source."""
    labels = ", ".join(_matcher(name, value) for name, value in query.labels.items())
    text = f"{query.metric}{{{labels}}}" if labels else query.metric
    text = f"{query.function}({text})" if query.function else text
    text = f"{query.source}: {query.promql}" if query.is_live else text
    if query.group_by is not None:
        text = f"{query.aggregate} by ({', '.join(query.group_by)}) ({text})"
    return f"topk({query.top}, {text})" if query.top else text


def _matcher(name: str, value: str | list[str]) -> str:
    return f'{name}="{value}"' if isinstance(value, str) else f'{name}=~"{"|".join(value)}"'


def _heading(one: Named) -> str:
    return f"{one.name} ({one.track.unit})" if one.track.unit else one.name


def _text(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


class _Line:
    """A file whose `write` returns what it is given, and so `writerow` does too."""

    def write(self, line: str) -> str:
        return line
