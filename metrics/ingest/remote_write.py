"""Prometheus' remote write 1.0: a `prometheus.WriteRequest`, once Snappy is undone.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError

from metrics import exposition, names
from metrics.batch import Parsed
from metrics.ingest.prompb import WriteRequest
from metrics.sample import UNIT_MOST, UNSTORABLE, Metadata, Sample, labels_of

STALE = 0x7FF0000000000002
"""The NaN that says that a series is over."""
FAMILIES_MOST = 5000
NOTHING = Metadata()
KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")
"""Names of MetricMetadata.MetricType's numbers, from 0."""


class NotWriteRequest(Exception):
    """A body that can't be read as a WriteRequest."""


def parse(body: bytes) -> Parsed:
    """Return what is in `body`, usually samples or what it says about metrics. Raises NotWriteRequest.

    Values that are no numbers, NaN and the infinities, are left out without a word: Prometheus sends them all the time.
    Its staleness markers are samples that end their series. Labels whose name begins with two underscores are left out,
    exemplars and native histograms too.
    """
    try:
        request = WriteRequest.FromString(body)
    except DecodeError:
        raise NotWriteRequest("The body is not a prometheus.WriteRequest.") from None
    if len(request.metadata) > FAMILIES_MOST:
        raise NotWriteRequest(f"There are more than {FAMILIES_MOST} families in one request.")
    metadata = {name: said for family in request.metadata for name, said in _metadata(family)}
    parsed, place = Parsed(metadata=metadata), 0
    for series in request.timeseries:
        try:
            metric, labels = _identity((label.name, label.value) for label in series.labels)
        except ValueError as error:
            for number in range(len(series.samples)):
                parsed.refused.add(place + number, [("labels", str(error))])
        else:
            said = metadata.get(metric) or NOTHING
            for number, sample in enumerate(series.samples):
                if (found := _sample(sample, metric, labels, said)) is not None:
                    parsed.samples.append(found)
                    parsed.places.append(place + number)
        place += len(series.samples)
    return parsed


def _sample(sample: Any, metric: str, labels: dict[str, str], said: Metadata) -> Sample | None:
    value, at = sample.value, sample.timestamp / 1000
    if math.isfinite(value):
        return Sample(metric, value, labels, at, said.unit, said.type)
    if _bits(value) == STALE:
        return Sample(metric, 0.0, labels, at, ends=True)
    return None


def _identity(pairs: Iterable[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    metric, kept, seen = "", [], set()
    for name, value in pairs:
        if name in seen:
            raise ValueError(f"A series has the label {name[:100]!r} twice.")
        seen.add(name)
        if name == "__name__":
            metric = names.metric(value)
        else:
            kept.append((name, value))
    if not metric:
        raise ValueError("A series has no label __name__.")
    return metric, labels_of(kept)


def _bits(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits


def _metadata(family: Any) -> Iterator[tuple[str, Metadata]]:
    """Yield what a MetricMetadata says, for each name that samples of the family may have."""
    kind = KINDS[family.type] if 0 <= family.type < len(KINDS) else "unknown"
    # Prometheus' own text format has whole names where OpenMetrics leaves _total and _info out.
    unit = family.unit if 0 < len(family.unit) <= UNIT_MOST and not UNSTORABLE.search(family.unit) else None
    suffixes = {*exposition.SUFFIXES.get(kind, ("",)), *(("",) if kind in ("counter", "info") else ())}
    for suffix in sorted(suffixes):
        said = Metadata(exposition.type_of(kind, suffix), unit if suffix in exposition.HAS_UNIT else None)
        if said.type or said.unit:
            yield names.metric(family.metric_family_name) + suffix, said
