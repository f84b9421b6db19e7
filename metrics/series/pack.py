"""Packing: samples and minutes that are no longer new move from rows into chunks, which take a tenth of the room.

The newest samples of each series stay rows for good, so that what is asked for most is never packed. What comes for a
span that is packed already is a row until the next round, and joins its chunk then.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from metrics.models import Chunk, MinuteChunk, MinuteRollup, Progress, Sample, Series
from metrics.series import buckets, codec, minutes, progress
from metrics.series.progress import HasTime, always
from metrics.series.tiers import HOT_MS, MINUTES_SPAN_MS, NEWEST_KEPT, SPAN_MS, floor

PORTION = 50

Row = tuple[Any, ...]
"""Unix milliseconds, and what there is at that time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What moves from which table to which, and how.

    `span_ms` is what a chunk covers, `done` the name of its progress, and `oldest` finds the oldest row from a time on.
    `stays` are rows that are not packed; `replaces` tells whether a row counts, and not what is packed of its time.
    """

    rows: str
    columns: tuple[str, ...]
    chunks: type[Chunk] | type[MinuteChunk]
    span_ms: int
    done: str
    oldest: Callable[[int], int | None]
    replaces: Callable[[Row, Row], bool]
    exact: bool
    stays: str = ""


_SAMPLES = Sample._meta.db_table
SAMPLES = Kind(
    _SAMPLES,
    ("at_ms", "value"),
    Chunk,
    SPAN_MS,
    progress.PACKED,
    buckets.next_sample,
    lambda row, packed: False,
    exact=True,
    stays=f"""AND at_ms < (SELECT y.at_ms FROM {_SAMPLES} y WHERE y.series_id = %(series)s
        ORDER BY y.at_ms DESC LIMIT 1 OFFSET {NEWEST_KEPT - 1})""",
)
MINUTES = Kind(
    MinuteRollup._meta.db_table,
    minutes.COLUMNS,
    MinuteChunk,
    MINUTES_SPAN_MS,
    progress.MINUTES_PACKED,
    buckets.next_minute,
    lambda row, packed: bool(row[1] > packed[1]),
    exact=False,
)


def pack(now: float, has_time: HasTime = always) -> None:
    """Pack what is due at `now` (Unix seconds), or go on with it, for as long as there is time."""
    for kind in (SAMPLES, MINUTES):
        while has_time() and _begin(kind, now):
            while has_time() and _pack_portion(kind):
                pass


def _begin(kind: Kind, now: float) -> bool:
    """Begin a round, unless one goes on or none is due; return whether one goes on.

    Up to where it will pack is stored before anything moves: whoever reads rows alone must not look before that.
    What has waited for long, as in an older installation, takes a round for each span, so that little is on the move.
    """
    due_ms = floor(min(round(now * 1000) - HOT_MS, progress.all_until_ms().get(progress.HOURS, 0)), kind.span_ms)
    with progress.held(kind.done) as done:
        if done is None:
            return False
        if not done.series_id and due_ms > done.until_ms:
            oldest_ms = kind.oldest(done.until_ms)
            done.until_ms = due_ms if oldest_ms is None else min(due_ms, floor(oldest_ms, kind.span_ms) + kind.span_ms)
            done.series_id = 1
            done.save()
        return bool(done.series_id)


def _pack_portion(kind: Kind) -> bool:
    """Pack some series; return whether there may be more."""
    with progress.held(kind.done) as done:
        if done is None or not done.series_id:
            return False
        # Who rolls anew what came late writes the same rows, in an order of its own: one of the two waits here.
        list(Progress.objects.select_for_update().filter(name=progress.LATE))
        ids = list(Series.objects.filter(pk__gte=done.series_id).order_by("pk").values_list("pk", flat=True)[:PORTION])
        for series in ids:
            _move(kind, series, done.until_ms)
        done.series_id = ids[-1] + 1 if ids else 0
        done.save()
    return bool(ids)


def _move(kind: Kind, series: int, end_ms: int) -> None:
    """Move the rows of `series` before `end_ms` into its chunks: those that are deleted, and none that comes later."""
    sql = f"""
        DELETE FROM {kind.rows} WHERE series_id = %(series)s AND at_ms < %(end)s {kind.stays}
        RETURNING {", ".join(kind.columns)}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"series": series, "end": end_ms})
        rows = cursor.fetchall()
    spans: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        spans[floor(row[0], kind.span_ms)].append(row)
    if spans:
        _merge(kind, series, spans)


def _merge(kind: Kind, series: int, spans: dict[int, list[Row]]) -> None:
    merged = {start_ms: {row[0]: row for row in rows} for start_ms, rows in spans.items()}
    before = kind.chunks._default_manager.filter(series=series, start_ms__in=list(spans))
    for start_ms, data in before.values_list("start_ms", "data"):
        rows = merged[start_ms]
        for packed in zip(*codec.decode(bytes(data), len(kind.columns) - 1), strict=True):
            if packed[0] not in rows or not kind.replaces(rows[packed[0]], packed):
                rows[packed[0]] = packed
    chunks = []
    for start_ms, rows in merged.items():
        columns = list(zip(*(rows[at_ms] for at_ms in sorted(rows)), strict=True))
        data = codec.encode(*columns, exact=kind.exact)
        chunks.append((series, start_ms, columns[0][-1], len(rows), data))
    sql = f"""
        INSERT INTO {kind.chunks._meta.db_table} (series_id, start_ms, end_ms, count, data) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (series_id, start_ms) DO UPDATE
        SET end_ms = excluded.end_ms, count = excluded.count, data = excluded.data"""
    with connection.cursor() as cursor:
        cursor.executemany(sql, chunks)
