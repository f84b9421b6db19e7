"""Prometheus' protobuf: `io.prometheus.client.MetricFamily`, each behind its length. Go's client pushes it by default.

https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
"""

import io
import math
from collections.abc import Iterator
from typing import Any

from google.protobuf import proto
from google.protobuf.message import DecodeError
from prometheus_client.utils import floatToGoString

from metrics.exposition import SUFFIXES, BadExposition, Exposition
from metrics.ingest.messages import FieldType, classes
from metrics.sample import Sample

KINDS = ("counter", "gauge", "summary", "untyped", "histogram", "gaugehistogram")
"""Names of MetricType's numbers, from 0."""
DOUBLE, STRING, UINT64 = FieldType.TYPE_DOUBLE, FieldType.TYPE_STRING, FieldType.TYPE_UINT64

MetricFamily = classes(
    "io.prometheus.client",
    {
        "MetricFamily": [("name", 1, STRING), ("type", 3, FieldType.TYPE_INT32), ("metric", 4, "Metric")],
        "Metric": [
            *(("label", 1, "LabelPair"), ("gauge", 2, "Value"), ("counter", 3, "Value"), ("summary", 4, "Summary")),
            *(("untyped", 5, "Value"), ("timestamp_ms", 6, FieldType.TYPE_INT64), ("histogram", 7, "Histogram")),
        ],
        "LabelPair": [("name", 1, STRING), ("value", 2, STRING)],
        "Value": [("value", 1, DOUBLE)],
        "Summary": [("sample_count", 1, UINT64), ("sample_sum", 2, DOUBLE), ("quantile", 3, "Quantile")],
        "Quantile": [("quantile", 1, DOUBLE), ("value", 2, DOUBLE)],
        "Histogram": [
            *(("sample_count", 1, UINT64), ("sample_sum", 2, DOUBLE), ("bucket", 3, "Bucket")),
            ("sample_count_float", 4, DOUBLE),
        ],
        "Bucket": [("cumulative_count", 1, UINT64), ("upper_bound", 2, DOUBLE), ("cumulative_count_float", 4, DOUBLE)],
    },
)["MetricFamily"]


def parse(body: bytes) -> Exposition:
    """Return what `body` holds, without values that are NaN and without native buckets. Raises BadExposition."""
    samples: list[Sample] = []
    names: set[str] = set()
    for family in _families(body):
        kind = KINDS[family.type] if 0 <= family.type < len(KINDS) else "untyped"
        # Here a counter is called what its samples are called.
        names.update(family.name + suffix for suffix in (*SUFFIXES.get(kind, ()), ""))
        for metric in family.metric:
            found = list(_samples(family.name, kind, metric))
            names.update(one.metric for one in found)
            samples += [one for one in found if not math.isnan(one.value)]
    return Exposition(samples, frozenset(names))


def _families(body: bytes) -> Iterator[Any]:
    waiting = io.BytesIO(body)
    try:
        while (family := proto.parse_length_prefixed(MetricFamily, waiting)) is not None:
            yield family
    except (DecodeError, ValueError, OSError, OverflowError):
        raise BadExposition(
            "The body is not made of io.prometheus.client.MetricFamily, each behind its length."
        ) from None


def _samples(name: str, kind: str, metric: Any) -> Iterator[Sample]:
    labels = {label.name: label.value for label in metric.label}
    at = metric.timestamp_ms / 1000 if metric.timestamp_ms else None
    for value in (*metric.counter, *metric.gauge, *metric.untyped):
        said = None if kind == "untyped" else "counter" if kind == "counter" else "gauge"
        yield Sample(name, value.value, labels, at, type=said)
    for summary in metric.summary:
        for one in summary.quantile:
            yield Sample(name, one.value, labels | {"quantile": _text(one.quantile)}, at, type="gauge")
        yield Sample(f"{name}_count", float(summary.sample_count), labels, at, type="counter")
        yield Sample(f"{name}_sum", summary.sample_sum, labels, at, type="counter")
    for histogram in metric.histogram:
        yield from _histogram(name, kind, histogram, labels, at)


def _histogram(name: str, kind: str, histogram: Any, labels: dict[str, str], at: float | None) -> Iterator[Sample]:
    said, prefix = ("gauge", "g") if kind == "gaugehistogram" else ("counter", "")
    count = histogram.sample_count_float or float(histogram.sample_count)
    buckets = {one.upper_bound: one.cumulative_count_float or float(one.cumulative_count) for one in histogram.bucket}
    for bound, value in ({math.inf: count} | buckets).items():
        yield Sample(f"{name}_bucket", value, labels | {"le": _text(bound)}, at, type=said)
    yield Sample(f"{name}_{prefix}count", count, labels, at, type=said)
    yield Sample(f"{name}_{prefix}sum", histogram.sample_sum, labels, at, type=said)


def _text(bound: float) -> str:
    """Return how Prometheus writes a bound: 1.0, 0.5, +Inf."""
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]
