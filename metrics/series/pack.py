"""Packing: samples, minutes and hours that are no longer new move from rows into chunks, a tenth as large.

The newest samples of each series stay rows for good, so that what is asked for most is never packed. A sample that
comes for a span that is packed already is a row until the next round, and joins its chunk then. Minutes and hours that
are rolled again join theirs at once: pages over days would have to read them row by row until then.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection

from metrics.models import Progress, Sample, Series
from metrics.series import buckets, packed, progress
from metrics.series.packed import Row
from metrics.series.progress import HasTime, always
from metrics.series.tiers import HOT_MS, NEWEST_KEPT, floor

PORTION = 50


@dataclass(frozen=True, slots=True)
class Move:
    """How a `kind` is packed.

    `done` is the name of its progress, and `oldest` finds the oldest row from a time on. `stays` are rows that are not
    packed. Of what need not be `exact`, digits that are not seen are left out. Of gauges only the first `of_gauges`
    columns are kept: how a counter grew, and between which moments, is no question for them.
    """

    kind: packed.Kind
    done: str
    oldest: Callable[[int], int | None]
    exact: bool
    stays: str = ""
    of_gauges: int | None = None


_SAMPLES = Sample._meta.db_table
SAMPLES = Move(
    packed.SAMPLES,
    progress.PACKED,
    buckets.next_sample,
    exact=True,
    stays=f"""AND at_ms < (SELECT y.at_ms FROM {_SAMPLES} y WHERE y.series_id = %(series)s
        ORDER BY y.at_ms DESC LIMIT 1 OFFSET {NEWEST_KEPT - 1})""",
)
MINUTES = Move(packed.MINUTES, progress.MINUTES_PACKED, buckets.next_minute, exact=False)
HOURS = Move(packed.HOURS, progress.HOURS_PACKED, buckets.next_hour, exact=False, of_gauges=packed.LAST)


def pack(now: float, has_time: HasTime = always) -> None:
    """Pack what is due at `now` (Unix seconds), or go on with it, for as long as there is time."""
    for move in (SAMPLES, MINUTES, HOURS):
        while has_time() and _begin(move, now):
            while has_time() and _pack_portion(move):
                pass


def into_chunks(move: Move, rows: Iterable[Row]) -> list[Row]:
    """Put those of `rows` that lie in what is packed into their chunks; return the others.

    For the transaction that holds the progress of what is late: each portion of packing waits for that.
    """
    packed_ms = progress.all_until_ms().get(move.done, 0)
    left: list[Row] = []
    by_series: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        (by_series[row[0]] if row[1] < packed_ms else left).append(row)
    widths = _widths(move, by_series)
    for series in sorted(by_series):
        _merge(move, series, by_series[series], widths[series])
    return left


def _begin(move: Move, now: float) -> bool:
    """Begin a round, unless one goes on or none is due; return whether one goes on.

    Up to where it will pack is stored before anything moves: whoever reads rows alone must not look before that. Rows
    that have waited for long, as in an older installation, take a round for each span, so that little is on the move.
    """
    due_ms = floor(min(round(now * 1000) - HOT_MS, progress.all_until_ms().get(progress.HOURS, 0)), move.kind.span_ms)
    with progress.held(move.done) as done:
        if done is None:
            return False
        if not done.series_id and due_ms > done.until_ms:
            oldest_ms = move.oldest(done.until_ms)
            done.until_ms = (
                due_ms if oldest_ms is None else min(due_ms, floor(oldest_ms, move.kind.span_ms) + move.kind.span_ms)
            )
            done.series_id = 1
            done.save()
        return bool(done.series_id)


def _pack_portion(move: Move) -> bool:
    """Pack some series; return whether there may be more."""
    with progress.held(move.done) as done:
        if done is None or not done.series_id:
            return False
        # Rolling late samples again writes the same rows, in an order of its own: one of the two waits here.
        list(Progress.objects.select_for_update().filter(name=progress.LATE))
        ids = list(Series.objects.filter(pk__gte=done.series_id).order_by("pk").values_list("pk", flat=True)[:PORTION])
        widths = _widths(move, ids)
        for series in ids:
            _move(move, series, done.until_ms, widths[series])
        done.series_id = ids[-1] + 1 if ids else 0
        done.save()
    return bool(ids)


def _widths(move: Move, ids: Iterable[int]) -> dict[int, int]:
    """Return how many columns are kept of each series."""
    width = len(move.kind.columns)
    found = dict.fromkeys(ids, width)
    if move.of_gauges is not None:
        gauges = Series.objects.filter(pk__in=list(found), type="gauge").values_list("pk", flat=True)
        found |= dict.fromkeys(gauges, move.of_gauges)
    return found


def _move(move: Move, series: int, end_ms: int, width: int) -> None:
    """Move the rows of `series` before `end_ms` into its chunks: those that are deleted, and none that comes later."""
    kind = move.kind
    sql = f"""
        DELETE FROM {kind.rows._meta.db_table} WHERE series_id = %(series)s AND at_ms < %(end)s {move.stays}
        RETURNING {", ".join(kind.columns)}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"series": series, "end": end_ms})
        rows = [(series, *row) for row in cursor.fetchall()]
    if rows:
        _merge(move, series, rows, width)


def _merge(move: Move, series: int, rows: Iterable[Row], width: int) -> None:
    """Put `width` columns of rows into the chunks of their spans.

    A chunk that is damaged is replaced: what was in it can't be read anyway.
    """
    from metrics.series import codec

    kind = move.kind
    spans: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        spans[floor(row[1], kind.span_ms)].append(row)
    held = kind.chunks._default_manager.filter(series=series, start_ms__in=list(spans))
    before = {start_ms: (series, start_ms, data) for start_ms, data in held.values_list("start_ms", "data")}
    chunks = []
    for start_ms, of_span in spans.items():
        table = packed.table_of(kind, of_span, [before[start_ms]] if start_ms in before else [])
        assert table is not None
        data = (codec.encode if move.exact else codec.encode_buckets)(table.narrow(width).columns)
        chunks.append((series, start_ms, int(table.columns[0][-1]), len(table), data))
    sql = f"""
        INSERT INTO {kind.chunks._meta.db_table} (series_id, start_ms, end_ms, count, data) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (series_id, start_ms) DO UPDATE
        SET end_ms = excluded.end_ms, count = excluded.count, data = excluded.data"""
    with connection.cursor() as cursor:
        cursor.executemany(sql, chunks)
