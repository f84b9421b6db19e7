"""Writing samples: idempotent on (series, time)."""

from collections.abc import Sequence

from django.db import transaction

from metrics.models import Sample as SampleRow
from metrics.models import Series, Source
from metrics.sample import Sample, series_key


def write(samples: Sequence[Sample], source: Source | None, now: float) -> list[Series]:
    """Store `samples` in one transaction and return the series they belong to.

    A sample without a time gets `now` (Unix seconds). One whose series and time are stored already changes
    nothing: the first one stays. Unknown series are made, and belong to `source`.
    """
    keys = [series_key(sample.metric, sample.labels) for sample in samples]
    with transaction.atomic():
        wanted: dict[str, Sample] = {}
        for key, sample in zip(keys, samples, strict=True):
            if key not in wanted or sample.unit is not None:
                wanted[key] = sample
        series = _series(wanted, source)
        rows = [
            SampleRow(
                series_id=series[key].pk,
                at_ms=round((now if sample.at is None else sample.at) * 1000),
                value=sample.value,
            )
            for key, sample in zip(keys, samples, strict=True)
        ]
        # In one order for all, as below: two batches with the same keys in different orders would deadlock.
        rows.sort(key=lambda row: (row.series_id, row.at_ms))
        SampleRow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return list(series.values())


def _series(wanted: dict[str, Sample], source: Source | None) -> dict[str, Series]:
    found = _find(wanted)
    missing = [
        Series(key=key, metric=one.metric, labels=_kept(one), unit=one.unit or "", source=source)
        for key, one in sorted(wanted.items())
        if key not in found
    ]
    if missing:
        # Another process may make the same series meanwhile: whoever is first wins, and both find it.
        Series.objects.bulk_create(missing, ignore_conflicts=True)
        found = _find(wanted)
    changed = [one for key, one in sorted(found.items()) if _adopt(one, wanted[key], source)]
    if changed:
        Series.objects.bulk_update(changed, ["unit", "source"])
    return found


def _find(wanted: dict[str, Sample]) -> dict[str, Series]:
    return {one.key: one for one in Series.objects.filter(key__in=list(wanted))}


def _adopt(series: Series, sample: Sample, source: Source | None) -> bool:
    """Take over a unit or a source that is news, and return whether there was one."""
    unit = series.unit if sample.unit is None else sample.unit
    source_id = series.source_id if source is None else source.pk
    if (unit, source_id) == (series.unit, series.source_id):
        return False
    series.unit, series.source_id = unit, source_id
    return True


def _kept(sample: Sample) -> dict[str, str]:
    return {name: value for name, value in sample.labels.items() if value}
