"""Running totals of what is pushed as increases, such as OpenTelemetry's delta temporality.

Everything behind here knows one kind of counter: a total that rises until it begins anew. An increase is added to the
total of its series when it is stored, in the same transaction, and that total is what is stored.
"""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from metrics.models import RunningTotal, Sample
from metrics.series import raw

log = structlog.get_logger(__name__)

LATE_MOST_MS = 3_600_000
"""Of an increase that comes later than this after a newer one, nobody knows any more whether it came before.

A newer one of the future was stored before the clock was set back: then it is counted from the present.
"""
SINCE_UNKNOWN_MS = 10_000
"""Before the first increase of a series the total was 0. If nobody said when, it counts as having been so long ago."""


@dataclass(frozen=True, slots=True)
class Increase:
    """By how much a series rose until `at_ms`, since `since_ms` if that is known; Unix milliseconds."""

    series_id: int
    at_ms: int
    since_ms: int | None
    value: float


def add(increases: Sequence[Increase], now_ms: int) -> list[Sample]:
    """Add `increases` to the totals of their series at `now_ms` and return what is to be stored.

    It has to be stored in the transaction that is under way, which holds the totals until it ends. Of one series and
    time, only the first increase counts.
    """
    totals = _held({one.series_id for one in increases})
    first = {(one.series_id, one.at_ms): one for one in reversed(increases)}
    late = [one for one in first.values() if _is_late(one, totals[one.series_id])]
    rows = _fold(totals, late, now_ms) if late else []
    for _, one in sorted(first.items()):
        if not _is_late(one, totals[one.series_id]):
            rows += _rise(totals[one.series_id], one)
    RunningTotal.objects.bulk_create(
        totals.values(), 1000, update_conflicts=True, update_fields=["at_ms", "value"], unique_fields=["series"]
    )
    return rows


def _held(ids: set[int]) -> dict[int, RunningTotal]:
    """Return the totals of the series `ids`, made if they are new, and locked in one order for all."""
    made = [RunningTotal(series_id=pk) for pk in sorted(ids)]
    RunningTotal.objects.bulk_create(made, 1000, ignore_conflicts=True)
    held = RunningTotal.objects.select_for_update().filter(series__in=ids).order_by("series_id")
    return {total.series_id: total for total in held}


def _is_late(one: Increase, total: RunningTotal) -> bool:
    return total.at_ms is not None and one.at_ms <= total.at_ms


def _rise(total: RunningTotal, one: Increase) -> list[Sample]:
    rows = []
    since_ms = one.since_ms
    if since_ms is None and total.at_ms is None:
        since_ms = one.at_ms - SINCE_UNKNOWN_MS
    if since_ms is not None and (total.at_ms is None or total.at_ms < since_ms) and since_ms + 1 < one.at_ms:
        # Nothing rose before; without this, the rise would be spread over the whole pause. A millisecond later, because
        # the time itself belongs to the increase before, which may still come.
        rows.append(Sample(series_id=one.series_id, at_ms=since_ms + 1, value=total.value))
    total.at_ms, total.value = one.at_ms, total.value + one.value
    return [*rows, Sample(series_id=one.series_id, at_ms=one.at_ms, value=total.value)]


def _fold(totals: dict[int, RunningTotal], late: Sequence[Increase], now_ms: int) -> list[Sample]:
    """Add what came after a newer increase to the totals, and return what shows that it came.

    Stored samples never change: so the rise shows with the next increase, and its own time gets the total that was
    known for it.
    """
    rows = []
    known = _known(totals, late, now_ms)
    for one in late:
        times, values = known.get(one.series_id, ([], []))
        place = bisect(times, one.at_ms)
        if place and times[place - 1] == one.at_ms:
            continue
        if not times or one.at_ms < min(times[-1], now_ms) - LATE_MOST_MS:
            log.warning("an increase came too late", series=one.series_id)
            continue
        value = values[max(0, place - 1)]
        times.insert(place, one.at_ms)
        values.insert(place, value)
        totals[one.series_id].value += one.value
        rows.append(Sample(series_id=one.series_id, at_ms=one.at_ms, value=value))
    return rows


def _known(
    totals: dict[int, RunningTotal], late: Sequence[Increase], now_ms: int
) -> dict[int, tuple[list[int], list[float]]]:
    """Return, by series, times and totals of the last hour before its newest, and of all that is ahead, in order."""
    newest = [at_ms for one in late if (at_ms := totals[one.series_id].at_ms) is not None]
    since_ms = min(*newest, now_ms) - LATE_MOST_MS
    stored = raw.samples(sorted({one.series_id for one in late}), since_ms, max(newest) + 1)
    return {series: ([at_ms for at_ms, _ in known], [value for _, value in known]) for series, known in stored.items()}
