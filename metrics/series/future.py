"""Samples of the future: those that were stored before the clock was set back.

The same time comes a second time then. One by one they would become the newest of their series, and pass for current,
though nothing came; and a counter that went on since would seem to begin anew. So they are kept apart. Time that comes
a second time has its own samples; should the clock be set forward again, what it skips has those that were kept.
"""

from collections import defaultdict

from django.db import connection, transaction

from metrics.models import FutureSample, RunningTotal, Sample, Series
from metrics.series.arrays import array
from metrics.series.tiers import HOUR_MS
from metrics.series.writer import store

PORTION = 100
"""Series of one transaction: SQLite lets nobody write meanwhile."""
ROWS_MOST = 2000
KEPT_MS = 48 * HOUR_MS
"""Samples that time has passed by are kept for so long, though nobody is shown them."""

_SAMPLES, _FUTURE = Sample._meta.db_table, FutureSample._meta.db_table


def set_aside(now: float) -> int:
    """Keep apart what lies in the future of `now` (Unix seconds); return how many samples that is.

    Samples stay whose time is explained by the clock of a sender that is ahead. Of two with one series and time, the
    first is kept.
    """
    by_ahead: dict[float, list[int]] = defaultdict(list)
    for pk, ahead_s in Series.objects.order_by("pk").values_list("pk", "ahead_s").iterator():
        by_ahead[ahead_s].append(pk)
    return sum(
        _set_aside(ids[begin : begin + PORTION], round((now + ahead_s) * 1000))
        for ahead_s, ids in by_ahead.items()
        for begin in range(0, len(ids), PORTION)
    )


def _set_aside(ids: list[int], limit_ms: int) -> int:
    columns = "series_id, at_ms, value"
    count: int
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = f"""
                WITH gone AS (
                    DELETE FROM {_SAMPLES} WHERE series_id = ANY(%s::bigint[]) AND at_ms > %s RETURNING {columns})
                INSERT INTO {_FUTURE} ({columns}) SELECT {columns} FROM gone ON CONFLICT DO NOTHING"""
            cursor.execute(sql, [array(ids), limit_ms])
            count = cursor.rowcount
        else:
            which = f"FROM {_SAMPLES} WHERE series_id IN ({', '.join(map(str, ids))}) AND at_ms > %s"
            cursor.execute(f"INSERT OR IGNORE INTO {_FUTURE} ({columns}) SELECT {columns} {which}", [limit_ms])
            count = cursor.rowcount
            cursor.execute(f"DELETE {which}", [limit_ms])
        # Increases from now on are not late: the total is that of the last sample, and the newest.
        RunningTotal.objects.filter(series__in=ids, at_ms__gt=limit_ms).update(at_ms=limit_ms)
    return count


def put_back(since: float, now: float) -> int:
    """Put what was kept of `since` < t ≤ `now` (Unix seconds), which the clock skipped, back; return how many."""
    skipped = FutureSample.objects.filter(at_ms__gt=round(since * 1000), at_ms__lte=round(now * 1000))
    count = 0
    while True:
        with transaction.atomic():
            rows = list(skipped.order_by("series_id", "at_ms").values_list("series_id", "at_ms", "value")[:ROWS_MOST])
            store([(series, at_ms, 0, value) for series, at_ms, value in rows], now)
            with connection.cursor() as cursor:
                keys = [(series, at_ms) for series, at_ms, _ in rows]
                cursor.executemany(f"DELETE FROM {_FUTURE} WHERE series_id = %s AND at_ms = %s", keys)
        count += len(rows)
        if len(rows) < ROWS_MOST:
            return count


def forget_future(now: float) -> None:
    """Remove what time passed by long ago, at `now` (Unix seconds)."""
    FutureSample.objects.filter(at_ms__lt=round(now * 1000) - KEPT_MS).delete()
