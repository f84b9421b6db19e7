"""Pruning: samples past the time that their tier keeps them are removed, some rows at a time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Model, OuterRef, QuerySet

from metrics.models import (
    Chunk,
    FutureSample,
    HourChunk,
    HourRollup,
    Late,
    MinuteChunk,
    MinuteRollup,
    Progress,
    Sample,
    Series,
    Source,
)
from metrics.series import progress
from metrics.series.progress import HasTime, always
from metrics.series.tiers import DAY_MS, HOUR_MS, HOURS_SPAN_MS, MINUTES_SPAN_MS, NEWEST_KEPT, SPAN_MS, floor

PORTION = 100
"""Series."""
ROWS_MOST = 2000
"""Of one transaction: SQLite lets nobody write meanwhile."""

_LATE = Late._meta.db_table
_IS_NOT_NEWEST = f"""
    x.at_ms < (SELECT y.at_ms FROM {Sample._meta.db_table} y WHERE y.series_id = x.series_id
        ORDER BY y.at_ms DESC LIMIT 1 OFFSET {NEWEST_KEPT - 1})"""
_IN_ITS_HOUR = f"l.at_ms = x.at_ms / {HOUR_MS} * {HOUR_MS}"
_IN_ITS_SPAN = "l.at_ms >= x.start_ms AND l.at_ms < x.start_ms + {}"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Unix milliseconds before which nothing is kept of every sample, of minutes, of hours, and of series as such."""

    raw: int
    minutes: int
    hours: int

    @property
    def series(self) -> int:
        return min(self.raw, self.minutes, self.hours)


def prune(now: float, has_time: HasTime = always) -> None:
    """Begin a round over all series if an hour of `now` (Unix seconds) has passed since the last, or go on with one."""
    now_ms = round(now * 1000)
    cuts = _cuts(now_ms)
    if has_time() and _begin(now_ms, cuts.values()):
        while has_time() and _prune_portion(cuts, has_time):
            pass


def _cuts(now_ms: int) -> dict[int | None, Cuts]:
    """Return the cuts by source id; None is what no source says. Samples that are not rolled yet stay, however old."""
    until_ms = progress.all_until_ms()
    minutes_ms, hours_ms = until_ms.get(progress.MINUTES, 0), until_ms.get(progress.HOURS, 0)

    def cuts(raw_hours: int | None, minute_days: int | None, hour_days: int | None) -> Cuts:
        return Cuts(
            min(floor(now_ms - (raw_hours or settings.RAW_RETENTION_HOURS) * HOUR_MS, HOUR_MS), minutes_ms),
            min(floor(now_ms - (minute_days or settings.MINUTE_RETENTION_DAYS) * DAY_MS, HOUR_MS), hours_ms),
            floor(now_ms - (hour_days or settings.HOUR_RETENTION_DAYS) * DAY_MS, HOUR_MS),
        )

    sources = Source.objects.values_list("pk", "raw_retention_hours", "minute_retention_days", "hour_retention_days")
    return {None: cuts(None, None, None)} | {pk: cuts(*kept) for pk, *kept in sources}


def _begin(now_ms: int, cuts: Iterable[Cuts]) -> bool:
    """Begin a round if one is due; return whether one goes on. How far it will cut is stored first, for readers."""
    with progress.held(progress.PRUNED) as done:
        if done is None:
            return False
        if not done.series_id and now_ms >= done.until_ms + HOUR_MS:
            done.until_ms, done.series_id = floor(now_ms, HOUR_MS), 1
            done.save()
            _note(progress.RAW_PRUNED, max(cut.raw for cut in cuts))
            _note(progress.MINUTES_PRUNED, max(cut.minutes for cut in cuts))
        return bool(done.series_id)


def _note(name: str, until_ms: int) -> None:
    row, _ = Progress.objects.get_or_create(name=name)
    if until_ms > row.until_ms:
        row.until_ms = until_ms
        row.save()


def _prune_portion(cuts: dict[int | None, Cuts], has_time: HasTime) -> bool:
    """Prune some series; return whether there may be more."""
    begin = Progress.objects.get(name=progress.PRUNED).series_id
    rows = Series.objects.filter(pk__gte=begin).order_by("pk").values_list("pk", "source_id")
    found = list(rows[:PORTION]) if begin else []
    by_cuts: dict[Cuts, list[int]] = defaultdict(list)
    for pk, source in found:
        by_cuts[cuts.get(source) or cuts[None]].append(pk)
    if not all(_prune(ids, cut, has_time) for cut, ids in by_cuts.items()):
        return False
    if not found:
        _remove_orphans()
    after = found[-1][0] + 1 if found else 0
    Progress.objects.filter(name=progress.PRUNED, series_id=begin).update(series_id=after)
    return bool(found)


def _prune(ids: list[int], cut: Cuts, has_time: HasTime) -> bool:
    """Prune the series `ids`; return whether there was time enough."""
    return (
        _delete(Sample, f"x.at_ms < %s AND {_IS_NOT_NEWEST}", _IN_ITS_HOUR, ids, cut.raw, has_time)
        and _delete(Chunk, "x.end_ms < %s", _IN_ITS_SPAN.format(SPAN_MS), ids, cut.raw, has_time)
        and _delete(MinuteRollup, "x.at_ms < %s", _IN_ITS_HOUR, ids, cut.minutes, has_time)
        and _delete(MinuteChunk, "x.end_ms < %s", _IN_ITS_SPAN.format(MINUTES_SPAN_MS), ids, cut.minutes, has_time)
        and _delete(HourRollup, "x.at_ms < %s", _IN_ITS_HOUR, ids, cut.hours, has_time)
        and _delete(HourChunk, "x.end_ms < %s", _IN_ITS_SPAN.format(HOURS_SPAN_MS), ids, cut.hours, has_time)
        and _remove_empty(ids, cut.series, has_time)
    )


def _delete(table: type[Model], old: str, noted: str, ids: list[int], cut_ms: int, has_time: HasTime) -> bool:
    """Delete the rows of `table` that are `old`, but for what a note about late samples needs."""
    row = "ctid" if connection.vendor == "postgresql" else "rowid"
    places = ", ".join(["%s"] * len(ids))
    sql = f"""
        DELETE FROM {table._meta.db_table} WHERE {row} IN (
            SELECT x.{row} FROM {table._meta.db_table} x WHERE x.series_id IN ({places}) AND {old}
            AND NOT EXISTS (SELECT 1 FROM {_LATE} l WHERE l.series_id = x.series_id AND {noted})
            LIMIT {ROWS_MOST})"""
    while has_time():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [*ids, cut_ms])
            if cursor.rowcount < ROWS_MOST:
                return True
    return False


def _remove_empty(ids: list[int], cut_ms: int, has_time: HasTime) -> bool:
    """Remove those of the series `ids` that have had nothing since `cut_ms`, and of which no tier holds anything."""
    for pk in _empty(cut_ms).filter(pk__in=ids).values_list("pk", flat=True):
        if not has_time():
            return False
        with transaction.atomic():
            # A writer of a sample of it waits for this row, and then finds that its series is gone.
            list(Series.objects.select_for_update().filter(pk=pk))
            _empty(cut_ms).filter(pk=pk).delete()
    return True


def _empty(cut_ms: int) -> QuerySet[Series]:
    made = datetime.fromtimestamp(cut_ms / 1000, UTC) if cut_ms > 0 else datetime.min.replace(tzinfo=UTC)
    empty = Series.objects.filter(created_at__lt=made)
    for kept in (Chunk, FutureSample, MinuteRollup, MinuteChunk, HourRollup, HourChunk, Late):
        empty = empty.filter(~Exists(kept._default_manager.filter(series=OuterRef("pk"))))
    return empty.filter(~Exists(Sample.objects.filter(series=OuterRef("pk"), at_ms__gte=cut_ms)))


def _remove_orphans() -> None:
    """Delete samples whose series was removed while they were written; which those are is found by the key alone."""
    samples = Sample._meta.db_table
    sql = f"""
        WITH RECURSIVE ids(id) AS (
            SELECT min(series_id) FROM {samples} UNION ALL
            SELECT (SELECT min(x.series_id) FROM {samples} x WHERE x.series_id > ids.id) FROM ids
            WHERE ids.id IS NOT NULL)
        SELECT id FROM ids WHERE id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM {Series._meta.db_table} s WHERE s.id = ids.id)"""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        orphans = [pk for (pk,) in cursor.fetchall()]
    Sample.objects.filter(series__in=orphans).delete()
