"""Late samples: they are noted as they are written, and the rollups made without them are made again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F

from metrics.models import Late, Sample, Series
from metrics.series import buckets, pack, packed, progress
from metrics.series.buckets import Bucket
from metrics.series.tiers import HOUR_MS, LATE_S, MINUTE_MS, floor

if TYPE_CHECKING:
    from metrics.series.columns import Columns

PORTION = 200

Stretch = tuple[int, int]
"""From when to when, in Unix milliseconds."""

_LATE = Late._meta.db_table


def hours_of(rows: Iterable[tuple[int, int, int, float]], now: float) -> list[tuple[int, int]]:
    """Return (series, hour) of those of `rows` that are late at `now` (Unix seconds), sorted.

    A row begins with its series and time.
    """
    limit_ms = round((now - LATE_S) * 1000)
    return sorted({(series, floor(at_ms, HOUR_MS)) for series, at_ms, *_ in rows if at_ms < limit_ms})


def note(hours: Sequence[tuple[int, int]]) -> None:
    """Note that something came late in `hours`, (series, hour), in the transaction that writes it."""
    if hours:
        sql = f"""
            INSERT INTO {_LATE} (series_id, at_ms, marks) VALUES (%s, %s, 1)
            ON CONFLICT (series_id, at_ms) DO UPDATE SET marks = {_LATE}.marks + 1"""
        _revise({series for series, _ in hours})
        with connection.cursor() as cursor:
            cursor.executemany(sql, hours)


def note_all_before(at_ms: int) -> None:
    """Note every hour that has samples before `at_ms`."""
    sql = f"""
        INSERT INTO {_LATE} (series_id, at_ms, marks)
        SELECT DISTINCT series_id, at_ms / {HOUR_MS} * {HOUR_MS}, 1 FROM {Sample._meta.db_table}
        WHERE at_ms < %s ON CONFLICT (series_id, at_ms) DO NOTHING"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [at_ms])


def settle() -> bool:
    """Roll some of the noted hours again; return whether there may be more.

    A note that was made again meanwhile stays.
    """
    with progress.held(progress.LATE) as done:
        if done is None:
            return False
        notes = list(Late.objects.order_by("series_id", "at_ms").values_list("series_id", "at_ms", "marks")[:PORTION])
        by_hour: dict[int, list[int]] = defaultdict(list)
        for series, hour_ms, _ in notes:
            by_hour[hour_ms].append(series)
        rows = [row for hour_ms, ids in by_hour.items() for row in _minutes(ids, hour_ms)]
        buckets.store_minutes(pack.into_chunks(pack.MINUTES, rows))
        hours = [row for hour_ms, ids in by_hour.items() for row in _hours(ids, hour_ms)]
        buckets.store_hours(pack.into_chunks(pack.HOURS, hours))
        _revise({series for series, *_ in notes})
        with connection.cursor() as cursor:
            cursor.executemany(f"DELETE FROM {_LATE} WHERE series_id = %s AND at_ms = %s AND marks = %s", notes)
    return len(notes) == PORTION


def lock(series: Iterable[int]) -> None:
    """Keep others from changing these series until the transaction ends.

    All of them at once, in one order, and before their notes: or else those who write and who settle would wait for
    each other.
    """
    list(Series.objects.filter(pk__in=sorted(series)).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _revise(series: set[int]) -> None:
    """Note that what was read of these series before may be different now."""
    lock(series)
    Series.objects.filter(pk__in=sorted(series)).update(revision=F("revision") + 1)


def _minutes(ids: list[int], hour_ms: int) -> list[Bucket]:
    """Return what the minutes of an hour of some series amount to, from every sample that is still held."""
    samples = packed.read(packed.SAMPLES, ids, hour_ms, hour_ms + HOUR_MS)
    if samples is None:
        return []
    from metrics.series import columns

    return columns.rows(columns.rolled(columns.of_samples(samples, len(buckets.COLUMNS)), MINUTE_MS))


def _hours(ids: list[int], hour_ms: int) -> list[Bucket]:
    """Return what an hour of some series amounts to, from its minutes."""
    minutes = packed.read(packed.MINUTES, ids, hour_ms, hour_ms + HOUR_MS)
    if minutes is None:
        return []
    from metrics.series import columns

    return columns.rows(columns.rolled(minutes, HOUR_MS))


def stretches(ids: Sequence[int], start_ms: int, end_ms: int) -> dict[tuple[Stretch, ...], list[int]]:
    """Return which of start ≤ t < end is noted, as whole hours in order, and of which of the series `ids`.

    Most of them are found with no stretch at all.
    """
    hours: dict[int, list[int]] = {pk: [] for pk in ids}
    notes = Late.objects.filter(series__in=ids, at_ms__gt=start_ms - HOUR_MS, at_ms__lt=end_ms)
    for series, at_ms in notes.order_by("at_ms").values_list("series_id", "at_ms"):
        hours[series].append(at_ms)
    found: dict[tuple[Stretch, ...], list[int]] = defaultdict(list)
    for series, of_series in hours.items():
        joined: list[Stretch] = []
        for at_ms in of_series:
            begin_ms = joined.pop()[0] if joined and joined[-1][1] == at_ms else at_ms
            joined.append((begin_ms, at_ms + HOUR_MS))
        found[tuple(joined)].append(series)
    return found


def settled(ids: Sequence[int], start_ms: int, end_ms: int) -> "Columns | None":
    """Return the minutes of start ≤ t < end, which are whole ones, as they will be when what is noted is rolled."""
    samples = packed.read(packed.SAMPLES, ids, start_ms, end_ms)
    minutes = packed.read(packed.MINUTES, ids, start_ms, end_ms)
    if samples is None:
        return minutes
    from metrics.series import columns

    anew = columns.rolled(columns.of_samples(samples, len(buckets.COLUMNS)), MINUTE_MS)
    return anew if minutes is None else columns.merged(minutes, anew)
