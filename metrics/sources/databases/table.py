"""Rows that a query returns, and how they become samples. No database is needed for any of it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from metrics.sample import Sample, number
from metrics.sources.base import Noted, SourceError, left_out

VALUE = "value"
AT = "at"
READS = ("select", "with", "values", "table")
BEFORE_THE_FIRST_WORD = re.compile(r"(?:\s+|\(|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|/\*(?!M?!).*?\*/)*", re.DOTALL)
"""White space, parentheses and comments, but for those that MySQL executes."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a cell, or for a row, that can't be one; `what` it is completes a sentence."""

    what: str


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, and rows, each as long as `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any] | Unreadable]


def reads(query: str) -> bool:
    """Return whether `query` begins as a statement that reads does. The database itself refuses writes."""
    before = BEFORE_THE_FIRST_WORD.match(query)
    word = re.match(r"[a-zA-Z]*", query[before.end() if before else 0 :])
    return word is not None and word[0].lower() in READS


def check_rows(rows: Sequence[Any], most: int) -> None:
    """Raise SourceError if there are more than `most`; fetch one more than that to know."""
    if len(rows) > most:
        raise SourceError(f"The query returns more than {most} rows.")


def samples(table: Table, metric: str, units: Mapping[str, str]) -> Noted:
    """Return a sample for each value in `table`; the note names the row of the first that can't be one.

    The column `value` is `metric`, `value_x` is `<metric>_x`; `at` is the time; the others are labels. `units` has
    the unit of each column that has one. Of rows with the same labels and time the first is kept. Raises SourceError if
    no value can be a sample, or for columns that make no sense together.
    """
    values = _value_columns(table.columns, units)
    found: list[Sample] = []
    problems: list[SourceError] = []
    places: dict[tuple[Any, ...], int] = {}
    for position, row in enumerate(table.rows, 1):
        if isinstance(row, Unreadable):
            problems.append(SourceError(f"Row {position} is {row.what}."))
            continue
        cells = dict(zip(table.columns, row, strict=True))
        for column in values:
            if cells[column] is None:
                continue
            try:
                labels = _labels(cells, position)
                at = _time(cells[AT], position) if AT in cells else None
                value = _number(cells[column], column, position)
                _take_place(places, (column, at, *_series(labels)), position)
            except SourceError as problem:
                problems.append(problem)
            else:
                found.append(Sample(metric + column.removeprefix(VALUE), value, labels, at, units.get(column)))
    if problems and not found:
        raise problems[0]
    return Noted(found, left_out(problems))


def _value_columns(columns: Sequence[str], units: Mapping[str, str]) -> list[str]:
    twice = next((one for one in columns if columns.count(one) > 1), None)
    if twice is not None:
        raise SourceError(f"The query has two columns {twice}; give one of them another name.")
    values = [column for column in columns if _is_value(column)]
    if not values:
        raise SourceError("The query has no column value, and none whose name begins with value_.")
    strange = next((one for one in units if one not in values), None)
    if strange is not None:
        raise SourceError(f"units names {strange}, and the query has no such column of values.")
    return values


def _is_value(column: str) -> bool:
    return column == VALUE or column.startswith(f"{VALUE}_")


def _labels(cells: Mapping[str, Any], row: int) -> dict[str, str]:
    labels = {}
    for column, cell in cells.items():
        if _is_value(column) or column == AT or cell is None:
            continue
        if not isinstance(cell, str | UUID):
            raise SourceError(f"Column {column} in row {row} is {_name(cell)}, and a label has to be text.")
        labels[column] = str(cell)
    return labels


def _series(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what tells a series from others; a label with an empty value is the same as none."""
    return sorted((name, value) for name, value in labels.items() if value)


def _take_place(places: dict[tuple[Any, ...], int], place: tuple[Any, ...], row: int) -> None:
    """Take `place` for `row`. Raises SourceError if another row has it: the first one is kept."""
    if places.setdefault(place, row) != row:
        raise SourceError(f"Row {row} has the same labels and time as row {places[place]}.")


def _number(cell: Any, column: str, row: int) -> float:
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if not isinstance(cell, int | float | Decimal):
        raise SourceError(f"Column {column} in row {row} is {_name(cell)}, not a number.")
    found = number(cell)
    if not math.isfinite(found):
        is_too_large = math.isinf(found) and cell not in (math.inf, -math.inf)
        shown = "too large" if is_too_large else f"{cell}, which can't be stored"
        raise SourceError(f"Column {column} in row {row} is {shown}.")
    return found


def _time(cell: Any, row: int) -> float:
    """Return Unix seconds; a time without a zone is taken for UTC."""
    if isinstance(cell, str):
        try:
            cell = datetime.fromisoformat(cell)
        except ValueError:
            raise SourceError(f"Column {AT} in row {row} is {cell[:30]!r}, not a time.") from None
    elif isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).timestamp()
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return _number(cell, AT, row)
    raise SourceError(f"Column {AT} in row {row} is {_name(cell)}, not a time.")


def _name(cell: Any) -> str:
    if isinstance(cell, Unreadable):
        return cell.what
    names: dict[type, str] = {
        type(None): "NULL",
        str: "text",
        bytes: "bytes",
        bool: "true or false",
        int: "a number",
        float: "a number",
        Decimal: "a number",
        datetime: "a time",
        date: "a date",
    }
    return names.get(type(cell), f"of the type {type(cell).__name__}")
