"""Samples into files, and out of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from metrics.access.principal import SYSTEM
from metrics.actions import journal
from metrics.actions.samples import accept, checked
from metrics.ingest import csv_samples, json_lines
from metrics.models import Series, Source
from metrics.sample import BadSamples, Problem, Sample, check
from metrics.series import read

BATCH = 1000
DAY_MS = 86_400_000
FORMATS = ("csv", "jsonl")

Read = Callable[[Iterable[str]], Iterator[tuple[int, Sample]]]
READERS: dict[str, Read] = {"csv": csv_samples.read, "jsonl": json_lines.read}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Samples to export: of one `metric`, or of every one if that is empty, start ≤ t < end (Unix seconds)."""

    metric: str
    start: float
    end: float


def check_lines(lines: Iterable[str], format: str, now: float) -> int:
    """Return how many samples are in `lines`. Raises BadSamples for the first bad one, by the number of its line."""
    count = 0
    for number, sample in READERS[format](lines):
        _check(number, sample, now)
        count += 1
    return count


def import_lines(lines: Iterable[str], format: str, name: str, now: float) -> Iterator[int]:
    """Store the samples in `lines`, as of the source `import: name`; return how many, batch by batch.

    Raises BadSamples where it has to stop; what was before is stored, and storing it once more changes nothing.
    """
    with transaction.atomic():
        source, _ = Source.objects.get_or_create(name=f"import: {name}"[:100], defaults={"kind": Source.PUSH})
        journal.record(SYSTEM, "import", source, after={"from": name})
    batch: list[Sample] = []
    for number, sample in READERS[format](lines):
        _check(number, sample, now)
        batch.append(sample)
        if len(batch) == BATCH:
            yield _store(batch, source, now)
            batch = []
    if batch:
        yield _store(batch, source, now)


def _store(batch: list[Sample], source: Source, now: float) -> int:
    (accepted,) = accept([checked(batch, source, now)], now)
    return accepted.count


def _check(number: int, sample: Sample, now: float) -> None:
    if sample.at is None:
        raise BadSamples([Problem(number, "at", "at is missing: a file is of another time than now.")])
    try:
        check([sample], now)
    except BadSamples as bad:
        raise BadSamples([Problem(number, one.field, one.message) for one in bad.problems]) from None


def export_lines(wanted: Wanted, format: str) -> Iterator[tuple[str, float]]:
    """Return each line, and which share of the series has been written with it, from 0 to 1."""
    chosen = Series.objects.order_by("metric", "id")
    if wanted.metric:
        chosen = chosen.filter(metric=wanted.metric)
    exported = _Exported(chosen, wanted)
    lines = csv_samples.write(exported, _labels(chosen)) if format == "csv" else json_lines.write(exported)
    for line in lines:
        yield line, exported.share


class _Exported:
    """The samples of the `chosen` series that are wanted; `share` says which part of the series is through."""

    def __init__(self, chosen: "QuerySet[Series]", wanted: Wanted) -> None:
        self.share = 0.0
        self._chosen, self._wanted = chosen, wanted

    def __iter__(self) -> Iterator[Sample]:
        total = self._chosen.count()
        for position, series in enumerate(self._chosen.iterator(), 1):
            yield from _of(series, self._wanted)
            self.share = position / total


def _of(series: Series, wanted: Wanted) -> Iterator[Sample]:
    """A day at a time, because a series may have millions."""
    oldest, newest = read.bounds(series.pk) or (0, -1)
    begin_ms, end_ms = max(oldest, round(wanted.start * 1000)), min(newest + 1, round(wanted.end * 1000))
    for day_ms in range(begin_ms, end_ms, DAY_MS):
        held = read.samples([series.pk], day_ms, min(day_ms + DAY_MS, end_ms))
        for at_ms, value in held.get(series.pk, []):
            yield Sample(series.metric, value, series.labels, at_ms / 1000, series.unit or None)


def _labels(chosen: "QuerySet[Series]") -> list[str]:
    return sorted({name for labels in chosen.values_list("labels", flat=True).iterator() for name in labels})
