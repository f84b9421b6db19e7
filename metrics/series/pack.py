"""Packing: samples that are no longer new move from rows into chunks, which take a tenth of the room.

The newest samples of each series stay rows for good, so that what is asked for most is never packed. What comes for a
span that is packed already is a row until the next round, and joins its chunk then.
"""

from collections import defaultdict

from django.db import connection

from metrics.models import Chunk, Sample, Series
from metrics.series import codec, progress
from metrics.series.progress import HasTime, always
from metrics.series.tiers import HOT_MS, NEWEST_KEPT, SPAN_MS, floor

PORTION = 50

_CHUNKS, _SAMPLES = Chunk._meta.db_table, Sample._meta.db_table
Rows = list[tuple[int, float]]
"""Unix milliseconds, value."""


def pack(now: float, has_time: HasTime = always) -> None:
    """Pack what is due at `now` (Unix seconds), or go on with it, for as long as there is time."""
    if has_time() and _begin(now):
        while has_time() and _pack_portion():
            pass


def _begin(now: float) -> bool:
    """Begin a round, unless one goes on or none is due; return whether one goes on.

    Up to where it will pack is stored before anything moves: whoever reads rows alone must not look before that.
    """
    due_ms = floor(min(round(now * 1000) - HOT_MS, progress.all_until_ms().get(progress.HOURS, 0)), SPAN_MS)
    with progress.held(progress.PACKED) as done:
        if done is None:
            return False
        if not done.series_id and due_ms > done.until_ms:
            done.until_ms, done.series_id = due_ms, 1
            done.save()
        return bool(done.series_id)


def _pack_portion() -> bool:
    """Pack some series; return whether there may be more."""
    with progress.held(progress.PACKED) as done:
        if done is None or not done.series_id:
            return False
        ids = list(Series.objects.filter(pk__gte=done.series_id).order_by("pk").values_list("pk", flat=True)[:PORTION])
        for series in ids:
            _move(series, done.until_ms)
        done.series_id = ids[-1] + 1 if ids else 0
        done.save()
    return bool(ids)


def _move(series: int, end_ms: int) -> None:
    """Move the rows of `series` before `end_ms` into its chunks: those that are deleted, and none that comes later."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {_SAMPLES} WHERE series_id = %s AND at_ms < %s AND at_ms < (
                SELECT y.at_ms FROM {_SAMPLES} y WHERE y.series_id = %s ORDER BY y.at_ms DESC LIMIT 1 OFFSET %s)
            RETURNING at_ms, value""",
            [series, end_ms, series, NEWEST_KEPT - 1],
        )
        rows = cursor.fetchall()
    spans: dict[int, Rows] = defaultdict(list)
    for at_ms, value in rows:
        spans[floor(at_ms, SPAN_MS)].append((at_ms, value))
    if spans:
        _merge(series, spans)


def _merge(series: int, spans: dict[int, Rows]) -> None:
    before = Chunk.objects.filter(series=series, start_ms__in=list(spans)).values_list("start_ms", "data")
    merged = {start_ms: dict(rows) for start_ms, rows in spans.items()}
    for start_ms, data in before:
        merged[start_ms].update(zip(*codec.decode(bytes(data)), strict=True))
    sql = f"""
        INSERT INTO {_CHUNKS} (series_id, start_ms, end_ms, count, data) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (series_id, start_ms) DO UPDATE
        SET end_ms = excluded.end_ms, count = excluded.count, data = excluded.data"""
    chunks = []
    for start_ms, samples in merged.items():
        times = sorted(samples)
        data = codec.encode(times, [samples[at_ms] for at_ms in times])
        chunks.append((series, start_ms, times[-1], len(times), data))
    with connection.cursor() as cursor:
        cursor.executemany(sql, chunks)
