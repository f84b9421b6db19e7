"""Every minute that is still held, whether in rows or in chunks.

Rows are read before chunks, as in `raw`: packing moves minutes from rows to chunks, and whoever reads in this order
sees a minute twice at worst, never not at all. Of two of one minute the one of more samples counts, as everywhere.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

from metrics.models import MinuteChunk, MinuteRollup
from metrics.series import codec
from metrics.series.buckets import Bucket
from metrics.series.tiers import HOUR_MS, MINUTES_SPAN_MS

COLUMNS = ("at_ms", "count", "sum", "min", "max", "last", "last_after_ms")
MEAN = 3
"""So many of the columns are needed for means."""

Columns = list[list[Any]]
"""As many of COLUMNS as were asked for, side by side, by their times."""


def columns(ids: Sequence[int], start_ms: int, end_ms: int, width: int = len(COLUMNS)) -> dict[int, Columns]:
    """Return the first `width` columns of the minutes with start ≤ t < end, of those of the series `ids` with any."""
    rows: dict[int, list[Sequence[Any]]] = {}
    held = MinuteRollup.objects.filter(series__in=ids, at_ms__gte=start_ms, at_ms__lt=end_ms)
    for series, *row in held.values_list("series_id", *COLUMNS[:width]):
        rows.setdefault(series, []).append(row)
    found: dict[int, Columns] = {}
    chunks = MinuteChunk.objects.filter(series__in=ids, start_ms__gt=start_ms - MINUTES_SPAN_MS, start_ms__lt=end_ms)
    for series, data in chunks.order_by("pk").values_list("series_id", "data"):
        unpacked: Columns = _within(codec.decode(bytes(data), width - 1), start_ms, end_ms)
        if series in found:
            for column, more in zip(found[series], unpacked, strict=True):
                column.extend(more)
        else:
            found[series] = unpacked
    for series, some in rows.items():
        found[series] = _merged(found[series], some) if series in found else _columns(some)
    return {series: minutes for series, minutes in found.items() if minutes[0]}


def told(minutes: Columns, begin: int, end: int) -> tuple[Any, ...]:
    """Return what the minutes from the place `begin` to `end` amount to.

    Count and sum; if all columns are there also min, max, last, and when that was, in Unix milliseconds.
    """
    if len(minutes) == MEAN:
        return sum(minutes[1][begin:end]), sum(minutes[2][begin:end])
    times, counts, sums, lows, highs, lasts, afters = minutes
    last = end - 1
    return (
        sum(counts[begin:end]),
        sum(sums[begin:end]),
        min(lows[begin:end]),
        max(highs[begin:end]),
        lasts[last],
        times[last] + afters[last],
    )


def hours(ids: Sequence[int], hour_ms: int) -> list[Bucket]:
    """Return what the hour that begins at `hour_ms` amounts to, for those of the series `ids` with minutes in it."""
    found = []
    for series, minutes in columns(ids, hour_ms, hour_ms + HOUR_MS).items():
        count, total, low, high, last, last_at_ms = told(minutes, 0, len(minutes[0]))
        found.append((series, hour_ms, count, total, low, high, last, last_at_ms - hour_ms))
    return found


def _within(minutes: Columns, start_ms: int, end_ms: int) -> Columns:
    times = minutes[0]
    if times[0] >= start_ms and times[-1] < end_ms:
        return minutes
    begin, end = bisect_left(times, start_ms), bisect_left(times, end_ms)
    return [column[begin:end] for column in minutes]


def _merged(packed: Columns, rows: Iterable[Sequence[Any]]) -> Columns:
    by_time = {row[0]: row for row in zip(*packed, strict=True)}
    for row in rows:
        if row[0] not in by_time or row[1] > by_time[row[0]][1]:
            by_time[row[0]] = tuple(row)
    return _columns(by_time.values())


def _columns(rows: Iterable[Sequence[Any]]) -> Columns:
    return [list(column) for column in zip(*sorted(rows, key=lambda row: row[0]), strict=True)]
