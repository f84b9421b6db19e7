"""The newest samples of each series as of a moment, from wherever they are by now."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection

from metrics.models import Chunk, Sample
from metrics.series import buckets, packed, progress
from metrics.series.arrays import array
from metrics.series.tiers import HOUR_MS, MINUTE_MS, floor

Until = Mapping[int, int]
"""Series id -> Unix milliseconds; what is later than that does not count."""
Newest = dict[int, list[tuple[int, float]]]
"""Series id -> (Unix milliseconds, value), the newest first."""

_SAMPLES = Sample._meta.db_table
_LAST = buckets.COLUMNS.index("last")


def newest(until: Until, count: int) -> Newest:
    """Return the `count` newest samples of each of the series in `until` that has some, or as many as there are.

    Where every sample is gone, what the last minute or hour ended with stands for one.
    """
    if not until:
        return {}
    found = _rows(_SAMPLES, "value", until, count)
    far = progress.all_until_ms()
    old = {pk: limit for pk, limit in until.items() if _may_be_packed(found.get(pk, []), count, far)}
    if old:
        _add_packed(found, old, count)
    gone_ms = far.get(progress.RAW_PRUNED, 0)
    gone = {pk: limit for pk, limit in until.items() if pk not in found and limit < gone_ms}
    for kind, step_ms in ((packed.MINUTES, MINUTE_MS), (packed.HOURS, HOUR_MS)):
        before = {pk: limit + 1 - step_ms for pk, limit in gone.items() if pk not in found}
        if before:
            found |= {pk: [(at_ms + step_ms - 1, value)] for pk, ((at_ms, value),) in _last(kind, before).items()}
    return found


def _last(kind: packed.Kind, until: Until) -> Newest:
    """Return what the newest minute or hour of each series ended with, whether it is a row or packed."""
    found: Newest = {}
    left = dict(until)
    rows_of, chunks_of = kind.rows._meta.db_table, kind.chunks._meta.db_table
    while left:
        rows, chunks = _rows(rows_of, "at_ms", left, 1), _rows(chunks_of, "start_ms", left, 1, "start_ms")
        begin_ms: dict[int, int] = {}
        for pk, ((at_ms, _),) in chain(rows.items(), chunks.items()):
            begin_ms[pk] = max(begin_ms.get(pk, 0), floor(at_ms, kind.span_ms))
        by_begin: dict[int, list[int]] = defaultdict(list)
        for pk, start_ms in begin_ms.items():
            by_begin[start_ms].append(pk)
        for start_ms, ids in by_begin.items():
            for pk, columns in packed.lists(kind, ids, start_ms, start_ms + kind.span_ms, _LAST + 1).items():
                place = bisect_right(columns[0], left[pk]) - 1
                if place >= 0:
                    found[pk] = [(columns[0][place], columns[_LAST][place])]
        left = {pk: start_ms - 1 for pk, start_ms in begin_ms.items() if pk not in found}
    return found


def _rows(table: str, value: str, until: Until, count: int, at: str = "at_ms") -> Newest:
    """Return the newest rows of a table, going from series to series by their keys."""
    found: Newest = defaultdict(list)
    newest = f"SELECT y.{at}, y.{value} FROM {table} y WHERE y.series_id = w.id AND y.{at} <= w.until_ms"
    if connection.vendor == "postgresql":
        sql = f"""
            SELECT w.id, x.* FROM unnest(%s::bigint[], %s::bigint[]) w(id, until_ms)
            CROSS JOIN LATERAL ({newest} ORDER BY y.{at} DESC LIMIT %s) x"""
        arguments: list[Any] = [array(until), array(until.values()), count]
    else:
        places = ", ".join(["(%s, %s)"] * len(until))
        oldest = newest.replace(f", y.{value} ", " ", 1)
        sql = f"""
            WITH w(id, until_ms) AS (VALUES {places})
            SELECT w.id, x.{at}, x.{value} FROM w CROSS JOIN {table} x WHERE x.series_id = w.id
            AND x.{at} <= w.until_ms AND x.{at} >= COALESCE(({oldest} ORDER BY y.{at} DESC LIMIT 1 OFFSET %s), 0)
            ORDER BY w.id, x.{at} DESC"""
        arguments = [*chain(*until.items()), count - 1]
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        rows = cursor.fetchall()
    for pk, at_ms, number in rows:
        found[pk].append((at_ms, number))
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Chunk:
    start_ms: int
    end_ms: int
    count: int


def _may_be_packed(rows: list[tuple[int, float]], count: int, far: Mapping[str, int]) -> bool:
    oldest_ms = rows[-1][0] if len(rows) == count else 0
    return oldest_ms < far.get(progress.PACKED, 0)


def _add_packed(found: Newest, until: Until, count: int) -> None:
    """Put the samples in chunks that are newer than the rows in `found`, or of the same time, in their places."""
    wanted: list[tuple[int, int]] = []
    for pk, chunks in _chunks(until).items():
        rows, whole = found.get(pk, []), 0
        for chunk in chunks:
            if whole >= count or (len(rows) == count and chunk.end_ms < rows[-1][0]):
                break
            wanted.append((pk, chunk.start_ms))
            whole += chunk.count if chunk.end_ms <= until[pk] else 0
    unpacked: dict[int, dict[int, float]] = defaultdict(dict)
    for pk, start_ms, data in _data(wanted):
        samples = packed.samples(pk, start_ms, data)
        unpacked[pk].update({at_ms: value for at_ms, value in samples if at_ms <= until[pk]})
    for pk, from_chunks in unpacked.items():
        both = dict(found.get(pk, [])) | from_chunks
        if both:
            found[pk] = sorted(both.items(), reverse=True)[:count]


def _chunks(until: Until) -> dict[int, list[_Chunk]]:
    rows = Chunk.objects.filter(series__in=list(until), start_ms__lte=max(until.values()))
    found: dict[int, list[_Chunk]] = defaultdict(list)
    for pk, *rest in rows.order_by("-start_ms").values_list("series_id", "start_ms", "end_ms", "count"):
        if rest[0] <= until[pk]:
            found[pk].append(_Chunk(*rest))
    return found


def _data(keys: list[tuple[int, int]]) -> list[packed.Held]:
    ids, starts = {pk for pk, _ in keys}, {start_ms for _, start_ms in keys}
    wanted = set(keys)
    rows = Chunk.objects.filter(series__in=ids, start_ms__in=starts) if keys else Chunk.objects.none()
    return [
        (pk, start_ms, data)
        for pk, start_ms, data in rows.values_list("series_id", "start_ms", "data")
        if (pk, start_ms) in wanted
    ]
