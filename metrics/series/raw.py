"""Every sample that is still held, whether in rows or in chunks.

Rows are read before chunks: packing moves samples from rows to chunks, and whoever reads in this order sees a sample
twice at worst, never not at all. Of two of one time the one in the chunk counts, as it was there first.
"""

from collections.abc import Sequence

from django.db.models import Max, Min

from metrics.models import Chunk, Sample
from metrics.series import packed
from metrics.series.tiers import SPAN_MS

Samples = list[tuple[int, float]]
"""(Unix milliseconds, value), oldest first."""


def samples(ids: Sequence[int], start_ms: int, end_ms: int) -> dict[int, Samples]:
    """Return the samples with start ≤ t < end of those of the series `ids` that have some."""
    found: dict[int, dict[int, float]] = {}
    rows = Sample.objects.filter(series__in=ids, at_ms__gte=start_ms, at_ms__lt=end_ms)
    for series, at_ms, value in rows.values_list("series_id", "at_ms", "value"):
        found.setdefault(series, {})[at_ms] = value
    chunks = Chunk.objects.filter(series__in=ids, start_ms__gt=start_ms - SPAN_MS, start_ms__lt=end_ms)
    for series, begin_ms, data in chunks.values_list("series_id", "start_ms", "data"):
        for at_ms, value in packed.samples(series, begin_ms, data):
            if start_ms <= at_ms < end_ms:
                found.setdefault(series, {})[at_ms] = value
    return {series: sorted(held.items()) for series, held in found.items() if held}


def bounds(series: int) -> tuple[int, int] | None:
    """Return the times of the oldest and the newest sample of a series, in Unix milliseconds; None if it has none."""
    rows = Sample.objects.filter(series=series).aggregate(oldest=Min("at_ms"), newest=Max("at_ms"))
    chunks = Chunk.objects.filter(series=series).aggregate(oldest=Min("start_ms"), newest=Max("end_ms"))
    oldest = [at_ms for at_ms in (rows["oldest"], chunks["oldest"]) if at_ms is not None]
    newest = [at_ms for at_ms in (rows["newest"], chunks["newest"]) if at_ms is not None]
    return (min(oldest), max(newest)) if oldest else None
