"""Writing samples: idempotent on (series, time)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction

from metrics.models import Sample as SampleRow
from metrics.models import Series, Source
from metrics.sample import FUTURE_MOST_S, Sample, series_key
from metrics.series import late, totals
from metrics.series.totals import Increase

TOLD = ("unit", "type", "expected_every_s", "expires_after_s")
"""What a sample may say about its whole series."""
AHEAD_S = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, FUTURE_MOST_S + 1.0)
"""By how much a clock counts as ahead. So it is told seldom, and series with it can be read together."""


def write(samples: Sequence[Sample], source: Source | None, now: float) -> list[Series]:
    """Store `samples` in one transaction and return the series they belong to.

    A sample without a time gets `now` (Unix seconds). One whose series and time are stored already changes
    nothing: the first one stays. Unknown series are made, and belong to `source`.
    """
    keyed = [(series_key(sample.metric, sample.labels), sample) for sample in samples]
    values = [(key, sample) for key, sample in keyed if not sample.ends]
    ended_at_ms = {key: _ms(sample.at, now) for key, sample in keyed if sample.ends}
    ahead_s = _ahead_s(keyed, now)
    with transaction.atomic():
        series = _series(_wanted(values), ended_at_ms, ahead_s, source)
        rows = _rows([(series[key].pk, sample) for key, sample in values], now)
        # In one order for all, as below: two batches with the same keys in different orders would deadlock.
        rows.sort(key=lambda row: (row.series_id, row.at_ms))
        SampleRow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        late.note(late.hours_of(((row.series_id, row.at_ms) for row in rows), now))
    return list(series.values())


def _rows(samples: Sequence[tuple[int, Sample]], now: float) -> list[SampleRow]:
    """Return what is to be stored of `samples`, each with the id of its series."""
    rows = [
        SampleRow(series_id=series_id, at_ms=_ms(sample.at, now), value=sample.value)
        for series_id, sample in samples
        if not sample.adds
    ]
    increases = [
        Increase(series_id, _ms(sample.at, now), None if sample.since is None else _ms(sample.since, now), sample.value)
        for series_id, sample in samples
        if sample.adds
    ]
    return rows + totals.add(increases) if increases else rows


def _ms(at: float | None, now: float) -> int:
    return round((now if at is None else at) * 1000)


def _ahead_s(samples: Iterable[tuple[str, Sample]], now: float) -> dict[str, float]:
    """Return by how much the clock of a series' sender is ahead, where it is: as one of few numbers, rounded up."""
    newest: dict[str, float] = {}
    for key, sample in samples:
        if sample.at is not None and sample.at > now:
            newest[key] = max(newest.get(key, 0.0), sample.at)
    return {key: next((step for step in AHEAD_S if at - now <= step), AHEAD_S[-1]) for key, at in newest.items()}


def _wanted(samples: Iterable[tuple[str, Sample]]) -> dict[str, Sample]:
    """Return a sample for each key, with the last that any of them says about their series."""
    wanted: dict[str, Sample] = {}
    for key, sample in samples:
        said = {name: value for name in TOLD if (value := getattr(sample, name)) is not None}
        before = wanted.get(key)
        wanted[key] = sample if before is None else replace(before, **said) if said else before
    return wanted


def _series(
    wanted: dict[str, Sample], ended_at_ms: dict[str, int], ahead_s: dict[str, float], source: Source | None
) -> dict[str, Series]:
    """Return the series that are `wanted`, made if they are new, and those that ended, if they are known."""
    keys = [*wanted, *ended_at_ms]
    found = _find(keys)
    missing = [_made(key, one, source) for key, one in sorted(wanted.items()) if key not in found]
    if missing:
        # Another process may make the same series meanwhile: whoever is first wins, and both find it.
        Series.objects.bulk_create(missing, ignore_conflicts=True)
        found = _find(keys)
    changed = [
        one
        for key, one in sorted(found.items())
        if _adopt(one, wanted.get(key), source)
        | _end(one, ended_at_ms.get(key))
        | _is_ahead(one, ahead_s.get(key, 0.0))
    ]
    if changed:
        Series.objects.bulk_update(changed, ["source", "ended_at_ms", "ahead_s", *TOLD])
    return found


def _made(key: str, sample: Sample, source: Source | None) -> Series:
    labels = {name: value for name, value in sample.labels.items() if value}
    made = Series(key=key, metric=sample.metric, labels=labels, source=source)
    _adopt(made, sample, source)
    return made


def _find(keys: Sequence[str]) -> dict[str, Series]:
    return {one.key: one for one in Series.objects.filter(key__in=keys)}


def _end(series: Series, ended_at_ms: int | None) -> bool:
    """End the series; return whether that is news."""
    if ended_at_ms is None or (series.ended_at_ms is not None and ended_at_ms <= series.ended_at_ms):
        return False
    series.ended_at_ms = ended_at_ms
    return True


def _is_ahead(series: Series, ahead_s: float) -> bool:
    """Note by how much the sender's clock is ahead; return whether that is more than was known."""
    if ahead_s <= series.ahead_s:
        return False
    series.ahead_s = ahead_s
    return True


def _adopt(series: Series, sample: Sample | None, source: Source | None) -> bool:
    """Take over what `sample` says about its series, and the source; return whether anything of it is news."""
    if sample is None:
        return False
    news = {name: value for name in TOLD if (value := getattr(sample, name)) is not None}
    if source is not None:
        news["source_id"] = source.pk
    news = {name: value for name, value in news.items() if getattr(series, name) != value}
    for name, value in news.items():
        setattr(series, name, value)
    return bool(news)
