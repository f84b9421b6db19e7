"""Every sample, minute and hour that is still held, whether in rows or in chunks.

Rows are read before chunks: packing moves what is in rows to chunks, and whoever reads in this order sees something
twice at worst, never not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from metrics.models import Chunk, HourChunk, HourRollup, MinuteChunk, MinuteRollup, Sample
from metrics.series import buckets
from metrics.series.tiers import HOURS_SPAN_MS, MINUTES_SPAN_MS, SPAN_MS

if TYPE_CHECKING:
    from metrics.series.columns import Columns
    from metrics.series.vectors import Column

Row = tuple[Any, ...]
"""A series, and columns of its kind."""
Data = bytes | memoryview
Held = tuple[int, int, Data]
"""A series, when its chunk begins (Unix milliseconds), and what is in it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of packed rows: the tables of rows and of chunks, and the columns of both; a chunk covers `span_ms`."""

    rows: type[Sample] | type[MinuteRollup] | type[HourRollup]
    chunks: type[Chunk] | type[MinuteChunk] | type[HourChunk]
    columns: tuple[str, ...]
    span_ms: int


SAMPLES = Kind(Sample, Chunk, ("at_ms", "value"), SPAN_MS)
MINUTES = Kind(MinuteRollup, MinuteChunk, buckets.COLUMNS, MINUTES_SPAN_MS)
HOURS = Kind(HourRollup, HourChunk, buckets.COLUMNS, HOURS_SPAN_MS)
MEAN, EXTREMES, LAST = 3, 5, 6
"""So many columns of buckets are needed for means, with the least and the greatest sample, and with the last."""
_WHOLE = frozenset({"at_ms", "count", "last_after_ms", "first_after_ms"})


def read(kind: Kind, ids: Sequence[int], start_ms: int, end_ms: int, width: int | None = None) -> "Columns | None":
    """Return what is held of start ≤ t < end of the series `ids`, sorted, in the first `width` columns, else in all.

    None if there is nothing. A chunk that can't be unpacked is left out, and the log says so.
    """
    names = kind.columns[:width]
    within = {"series__in": ids, "at_ms__gte": start_ms, "at_ms__lt": end_ms}
    rows = list(kind.rows._default_manager.filter(**within).values_list("series_id", *names))
    chunks = kind.chunks._default_manager.filter(
        series__in=ids, start_ms__gt=start_ms - kind.span_ms, start_ms__lt=end_ms, end_ms__gte=start_ms
    )
    held = list(chunks.order_by("pk").values_list("series_id", "start_ms", "data"))
    if not rows and not held:
        return None
    table = table_of(kind, rows, held, width)
    return None if table is None else _within(table, start_ms, end_ms)


def table_of(kind: Kind, rows: Sequence[Row], chunks: Sequence[Held], width: int | None = None) -> "Columns | None":
    """Return `rows` and what is in `chunks`, (series, start, data) in order, as `read` does."""
    from metrics.series import columns

    names = kind.columns[:width]
    found = [table for table in (_unpacked(kind, chunks, names), _of_rows(rows, names)) if table is not None]
    if len(found) == 2:
        return columns.merged(*found, samples=kind is SAMPLES)
    return found[0] if found else None


def unpacked(kind: Kind, series: int, start_ms: int, data: Data, most: int) -> "list[Column] | None":
    """Return the first `most` columns of a chunk; None if it is damaged, which is said in the log."""
    from metrics.series import codec
    from metrics.series.vectors import np

    try:
        found = codec.decode(bytes(data), most)
    except codec.DamagedError as error:
        table = kind.chunks._meta.db_table
        log.error("a chunk is damaged and is left out", table=table, series=series, start_ms=start_ms, error=str(error))
        return None
    count = len(found[0])
    for name in kind.columns[len(found) : most]:
        found.append(np.zeros(count, np.int64) if name in _WHOLE else np.full(count, np.nan))
    return found


def samples(series: int, start_ms: int, data: Data) -> list[tuple[int, float]]:
    """Return the samples in a chunk, in Unix milliseconds; none if it is damaged, which is said in the log."""
    found = unpacked(SAMPLES, series, start_ms, data, len(SAMPLES.columns))
    return list(zip(*(column.tolist() for column in found), strict=True)) if found else []


def lists(
    kind: Kind, ids: Sequence[int], start_ms: int, end_ms: int, width: int | None = None
) -> dict[int, list[list[Any]]]:
    """Return what `read` finds as lists for each series."""
    table = read(kind, ids, start_ms, end_ms, width)
    if table is None:
        return {}
    from metrics.series import columns

    return columns.split(table)


def _unpacked(kind: Kind, held: Sequence[Held], names: Sequence[str]) -> "Columns | None":
    from metrics.series.columns import Columns, joined
    from metrics.series.vectors import np

    tables = [
        (series, columns)
        for series, start_ms, data in held
        if (columns := unpacked(kind, series, start_ms, data, len(names))) is not None
    ]
    if not tables:
        return None
    ids = np.repeat([series for series, _ in tables], [len(columns[0]) for _, columns in tables])
    side_by_side: list[tuple[Column, ...]] = list(zip(*(columns for _, columns in tables), strict=True))
    return Columns(ids, [joined(some) for some in side_by_side])


def _of_rows(rows: Sequence[Row], names: Sequence[str]) -> "Columns | None":
    from metrics.series.columns import Columns
    from metrics.series.vectors import np

    if not rows:
        return None
    ids, *columns = zip(*sorted(rows, key=lambda row: row[:2]), strict=True)
    types = [np.int64 if name in _WHOLE else np.float64 for name in names]
    arrays: list[Column] = [np.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    return Columns(np.array(ids, np.int64), arrays)


def _within(table: "Columns", start_ms: int, end_ms: int) -> "Columns | None":
    times = table.columns[0]
    inside = (times >= start_ms) & (times < end_ms)
    if not inside.all():
        table = table.where(inside)
    return table if len(table) else None
