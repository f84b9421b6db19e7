"""Buckets: what samples amount to in a minute, and minutes in an hour, computed where they are.

A bucket is replaced only by one of more samples. Samples are never changed, so more samples is more of the
truth, whoever rolls when: doing it again changes nothing, and what was rolled outlives the samples it came from.
"""

from collections.abc import Iterable

from django.db import connection

from metrics.models import HourRollup, MinuteRollup, Sample, Series
from metrics.series.tiers import HOUR_MS, MINUTE_MS

Bucket = tuple[int, int, int, float, float, float, float, int]
"""Series, time, count, sum, min, max, last, and how long after the time the last sample was; in milliseconds."""

_SAMPLES, _SERIES = Sample._meta.db_table, Series._meta.db_table
_MINUTES, _HOURS = MinuteRollup._meta.db_table, HourRollup._meta.db_table
_COLUMNS = "series_id, at_ms, count, sum, min, max, last, last_after_ms"
_OF_SAMPLES = "count(*) AS n, sum(x.value) AS total, min(x.value) AS low, max(x.value) AS high"
_OF_ROLLUPS = "sum(x.count) AS n, sum(x.sum) AS total, min(x.min) AS low, max(x.max) AS high"
_UPSERT = """
    ON CONFLICT (series_id, at_ms) DO UPDATE SET count = excluded.count, sum = excluded.sum, min = excluded.min,
    max = excluded.max, last = excluded.last, last_after_ms = excluded.last_after_ms
    WHERE excluded.count > {table}.count"""


def roll_minutes(start_ms: int, end_ms: int) -> int:
    """Roll the minutes from `start_ms` to `end_ms`, whole ones, from the rows of samples; return how many are news."""
    return _roll(_SAMPLES, _OF_SAMPLES, ("value", "at_ms"), _MINUTES, MINUTE_MS, start_ms, end_ms)


def roll_hours(start_ms: int, end_ms: int) -> int:
    """Roll the hours from `start_ms` to `end_ms`, whole ones, from the rows of minutes; return how many are news."""
    return _roll(_MINUTES, _OF_ROLLUPS, ("last", "at_ms + y.last_after_ms"), _HOURS, HOUR_MS, start_ms, end_ms)


def next_sample(from_ms: int) -> int | None:
    """Return the time of the oldest row of a sample from `from_ms` on."""
    return _next(_SAMPLES, from_ms)


def next_minute(from_ms: int) -> int | None:
    """Return the oldest row of a minute from `from_ms` on."""
    return _next(_MINUTES, from_ms)


def store_minutes(minutes: Iterable[Bucket]) -> None:
    """Store minutes that were rolled elsewhere."""
    _store(_MINUTES, minutes)


def store_hours(hours: Iterable[Bucket]) -> None:
    """Store hours that were rolled elsewhere."""
    _store(_HOURS, hours)


def _store(table: str, buckets: Iterable[Bucket]) -> None:
    sql = f"""
        INSERT INTO {table} ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        {_UPSERT.format(table=table)}"""
    rows = sorted(buckets)
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def _roll(
    source: str, sums: str, newest: tuple[str, str], target: str, step_ms: int, start_ms: int, end_ms: int
) -> int:
    """Roll `source` into the buckets of `target`.

    It goes from series to series by their keys, and never through a whole table: both databases are told so, each
    in its own way, because what they know about tables that grow this fast is always old. The order is the same for
    all who write buckets, or two of them could wait for each other.
    """
    last, last_at_ms = newest
    buckets = f"""
        SELECT x.series_id, x.at_ms / {step_ms} * {step_ms} AS bucket, {sums}, max(x.at_ms) AS newest
        FROM {{}} WHERE x.series_id = s.id AND x.at_ms >= %(start)s AND x.at_ms < %(end)s GROUP BY 1, 2"""
    if connection.vendor == "postgresql":
        rolled = f"{_SERIES} s CROSS JOIN LATERAL ({buckets.format(f'{source} x')}) g"
    else:
        rolled = f"({buckets.format(f'{_SERIES} s CROSS JOIN {source} x')}) g"
    of_newest = f"FROM {source} y WHERE y.series_id = g.series_id AND y.at_ms = g.newest"
    sql = f"""
        INSERT INTO {target} ({_COLUMNS})
        SELECT g.series_id, g.bucket, g.n, g.total, g.low, g.high,
            (SELECT y.{last} {of_newest}), (SELECT y.{last_at_ms} {of_newest}) - g.bucket
        FROM {rolled} WHERE true ORDER BY g.series_id, g.bucket {_UPSERT.format(table=target)}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"start": start_ms, "end": end_ms})
        return int(cursor.rowcount)


def _next(table: str, from_ms: int) -> int | None:
    oldest = f"SELECT min(x.at_ms) FROM {table} x WHERE x.series_id = s.id AND x.at_ms >= %s"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(o.at_ms) FROM (SELECT ({oldest}) AS at_ms FROM {_SERIES} s) o", [from_ms])
        found: int | None = cursor.fetchone()[0]
        return found
