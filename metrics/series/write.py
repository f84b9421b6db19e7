"""Writing samples: idempotent on (series, time)."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from metrics.models import Sample as SampleRow
from metrics.models import Series, Source
from metrics.sample import Sample, series_key
from metrics.series import late

TOLD = ("unit", "type", "expected_every_s", "expires_after_s")
"""What a sample may say about its whole series."""


def write(samples: Sequence[Sample], source: Source | None, now: float) -> list[Series]:
    """Store `samples` in one transaction and return the series they belong to.

    A sample without a time gets `now` (Unix seconds). One whose series and time are stored already changes
    nothing: the first one stays. Unknown series are made, and belong to `source`.
    """
    keys = [series_key(sample.metric, sample.labels) for sample in samples]
    with transaction.atomic():
        series = _series(_wanted(keys, samples), source)
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
        late.note(late.hours_of(((row.series_id, row.at_ms) for row in rows), now))
    return list(series.values())


def _wanted(keys: Sequence[str], samples: Sequence[Sample]) -> dict[str, Sample]:
    """Return a sample for each key, with the last that any of them says about their series."""
    wanted: dict[str, Sample] = {}
    for key, sample in zip(keys, samples, strict=True):
        said = {name: value for name in TOLD if (value := getattr(sample, name)) is not None}
        before = wanted.get(key)
        wanted[key] = sample if before is None else replace(before, **said) if said else before
    return wanted


def _series(wanted: dict[str, Sample], source: Source | None) -> dict[str, Series]:
    found = _find(wanted)
    missing = [_made(key, one, source) for key, one in sorted(wanted.items()) if key not in found]
    if missing:
        # Another process may make the same series meanwhile: whoever is first wins, and both find it.
        Series.objects.bulk_create(missing, ignore_conflicts=True)
        found = _find(wanted)
    changed = [one for key, one in sorted(found.items()) if _adopt(one, wanted[key], source)]
    if changed:
        Series.objects.bulk_update(changed, ["source", *TOLD])
    return found


def _made(key: str, sample: Sample, source: Source | None) -> Series:
    labels = {name: value for name, value in sample.labels.items() if value}
    made = Series(key=key, metric=sample.metric, labels=labels, source=source)
    _adopt(made, sample, source)
    return made


def _find(wanted: dict[str, Sample]) -> dict[str, Series]:
    return {one.key: one for one in Series.objects.filter(key__in=list(wanted))}


def _adopt(series: Series, sample: Sample, source: Source | None) -> bool:
    """Take over what `sample` says about its series, and the source; return whether anything of it is news."""
    news = {name: value for name in TOLD if (value := getattr(sample, name)) is not None}
    if source is not None:
        news["source_id"] = source.pk
    news = {name: value for name, value in news.items() if getattr(series, name) != value}
    for name, value in news.items():
        setattr(series, name, value)
    return bool(news)
