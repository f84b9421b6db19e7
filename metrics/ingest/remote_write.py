"""Prometheus' remote write 1.0: a `prometheus.WriteRequest`, once Snappy is undone.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from metrics import exposition
from metrics.ingest import names
from metrics.ingest.prompb import WriteRequest
from metrics.sample import UNIT_MOST, UNSTORABLE, VALUE_MOST, About, BadSamples, Problem, Sample

STALE = 0x7FF0000000000002
"""The NaN that says that a series is over."""
FAMILIES_MOST = 5000
KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")
"""What MetricMetadata.MetricType counts."""


class NotWriteRequest(Exception):
    """A body that can't be read as a WriteRequest."""


@dataclass(frozen=True, slots=True)
class Written:
    """The `samples` of a request, and what it says `about` metrics, by name; usually it has the one or the other."""

    samples: list[Sample]
    about: dict[str, About]


def parse(body: bytes) -> Written:
    """Return what is in `body`. Raises NotWriteRequest, or BadSamples with the index of the series.

    What has no number is left out: NaN, the infinities, and what goes beyond `VALUE_MOST`. Prometheus' staleness
    markers are samples that end their series. Labels whose name begins with two underscores are left out, exemplars
    and native histograms too.
    """
    try:
        request = WriteRequest.FromString(body)
    except DecodeError:
        raise NotWriteRequest("The body is not a prometheus.WriteRequest.") from None
    if len(request.metadata) > FAMILIES_MOST:
        raise BadSamples([Problem(None, "metadata", f"There are more than {FAMILIES_MOST} families in one request.")])
    about = {name: said for family in request.metadata for name, said in _about(family)}
    samples: list[Sample] = []
    problems: list[Problem] = []
    for index, series in enumerate(request.timeseries):
        try:
            samples += _samples(series, about)
        except ValueError as error:
            problems.append(Problem(index, "labels", str(error)))
    if problems:
        raise BadSamples(problems)
    return Written(samples, about)


def _samples(series: Any, about: dict[str, About]) -> Iterator[Sample]:
    """Yield the samples of a TimeSeries. Raises ValueError with a sentence."""
    metric, labels = _identity((label.name, label.value) for label in series.labels)
    said = about.get(metric) or About(None, None)
    for sample in series.samples:
        value, at = sample.value, sample.timestamp / 1000
        if -VALUE_MOST <= value <= VALUE_MOST:
            yield Sample(metric, value, labels, at, said.unit, said.type)
        elif value != value and _bits(value) == STALE:
            yield Sample(metric, 0.0, labels, at, ends=True)


def _identity(pairs: Iterable[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    metric, kept, seen = "", [], set()
    for name, value in pairs:
        if name in seen:
            raise ValueError(f"A series has the label {name[:100]!r} twice.")
        seen.add(name)
        if name == "__name__":
            metric = names.metric(value)
        elif value and not name.startswith("__"):
            kept.append((name, value))
    if not metric:
        raise ValueError("A series has no label __name__.")
    return metric, names.labels(kept)


def _bits(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits


def _about(family: Any) -> Iterator[tuple[str, About]]:
    """Yield what a MetricMetadata says, for each name that samples of the family may have."""
    kind = KINDS[family.type] if 0 <= family.type < len(KINDS) else "unknown"
    # Prometheus' own text format has whole names where OpenMetrics leaves _total and _info out.
    unit = family.unit if 0 < len(family.unit) <= UNIT_MOST and not UNSTORABLE.search(family.unit) else None
    suffixes = {*exposition.SUFFIXES.get(kind, ("",)), *(("",) if kind in ("counter", "info") else ())}
    for suffix in sorted(suffixes):
        said = About(exposition.type_of(kind, suffix), unit if suffix in exposition.HAS_UNIT else None)
        if said.type or said.unit:
            yield names.metric(family.metric_family_name) + suffix, said
