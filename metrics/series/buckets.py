"""Buckets: the sums, extremes and growth of the samples of a minute, and of the minutes of an hour.

A bucket is replaced only by one of more samples, or of as many if it does not know its growth. Samples are never
changed, so more samples is more of the truth, whoever rolls when: doing it again changes nothing, and what was rolled
outlives the samples it came from.
"""

from collections.abc import Iterable

from django.db import connection

from metrics.models import HourRollup, MinuteRollup, Sample, Series
from metrics.series import grouping
from metrics.series.grouping import Rows
from metrics.series.tiers import HOUR_MS, MINUTE_MS

COLUMNS = ("at_ms", "count", "sum", "min", "max", "last", "last_after_ms", "first", "first_after_ms", "growth")
"""Columns of a bucket, beside its series. Times are in milliseconds, `…_after_ms` after `at_ms`."""
Bucket = tuple[int, int, int, float, float, float, float, int, float | None, int, float | None]
"""A series, and its COLUMNS; without first and growth if those are not known."""

_SAMPLES, _SERIES = Sample._meta.db_table, Series._meta.db_table
_MINUTES, _HOURS = MinuteRollup._meta.db_table, HourRollup._meta.db_table
_COLUMNS = ", ".join(("series_id", *COLUMNS))
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
_UPSERT = f"""
    ON CONFLICT (series_id, at_ms) DO UPDATE SET {_SET}
    WHERE excluded.count > {{table}}.count
    OR (excluded.count = {{table}}.count AND {{table}}.growth IS NULL AND excluded.growth IS NOT NULL)"""


def roll_minutes(start_ms: int, end_ms: int) -> int:
    """Roll the minutes from `start_ms` to `end_ms`, whole ones, from the rows of samples; return how many are news."""
    return _roll(grouping.SAMPLES, _MINUTES, MINUTE_MS, start_ms, end_ms)


def roll_hours(start_ms: int, end_ms: int) -> int:
    """Roll the hours from `start_ms` to `end_ms`, whole ones, from the rows of minutes; return how many are news."""
    return _roll(grouping.KNOWN_MINUTES, _HOURS, HOUR_MS, start_ms, end_ms)


def next_sample(from_ms: int) -> int | None:
    """Return the time of the oldest row of a sample from `from_ms` on."""
    return _next(_SAMPLES, from_ms)


def next_minute(from_ms: int) -> int | None:
    """Return the oldest row of a minute from `from_ms` on."""
    return _next(_MINUTES, from_ms)


def next_hour(from_ms: int) -> int | None:
    """Return the oldest row of an hour from `from_ms` on."""
    return _next(_HOURS, from_ms)


def store_minutes(minutes: Iterable[Bucket]) -> None:
    """Store minutes that were rolled elsewhere."""
    _store(_MINUTES, minutes)


def store_hours(hours: Iterable[Bucket]) -> None:
    """Store hours that were rolled elsewhere."""
    _store(_HOURS, hours)


def _store(table: str, buckets: Iterable[Bucket]) -> None:
    sql = f"""
        INSERT INTO {table} ({_COLUMNS}) VALUES ({", ".join(["%s"] * (1 + len(COLUMNS)))})
        {_UPSERT.format(table=table)}"""
    rows = sorted(buckets, key=lambda bucket: bucket[:2])
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def _roll(rows: Rows, target: str, step_ms: int, start_ms: int, end_ms: int) -> int:
    """Roll `rows` into the buckets of `target`.

    It goes from series to series by their keys, and never through a whole table: both databases are told so, each
    in its own way, because what they know about tables that grow this fast is always old. The order is the same for
    all who write buckets, or two of them could wait for each other.
    """
    where = "x.series_id = s.id AND x.at_ms >= %(start)s AND x.at_ms < %(end)s"
    if connection.vendor == "postgresql":
        rolled = f"{_SERIES} s CROSS JOIN LATERAL ({grouping.sql(rows, where, 0, step_ms, whole=True)}) r"
    else:
        source = f"{_SERIES} s CROSS JOIN {rows.table} x"
        rolled = f"({grouping.sql(rows, where, 0, step_ms, whole=True, source=source)}) r"
    begin = f"r.number * {step_ms}"
    sql = f"""
        INSERT INTO {target} ({_COLUMNS})
        SELECT r.series_id, {begin}, r.n, r.total, r.low, r.high, r.last, r.last_at_ms - {begin},
            r.first, r.first_at_ms - {begin}, r.grown
        FROM {rolled} WHERE true ORDER BY r.series_id, r.number {_UPSERT.format(table=target)}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"start": start_ms, "end": end_ms})
        return int(cursor.rowcount)


def _next(table: str, from_ms: int) -> int | None:
    oldest = f"SELECT min(x.at_ms) FROM {table} x WHERE x.series_id = s.id AND x.at_ms >= %s"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(o.at_ms) FROM (SELECT ({oldest}) AS at_ms FROM {_SERIES} s) o", [from_ms])
        found: int | None = cursor.fetchone()[0]
        return found
