"""OpenTelemetry's metrics, as OTLP sends them in protocol buffers or JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp; what becomes of them is said in
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus.
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags

from metrics.batch import Parsed
from metrics.ingest import otlp_histograms, otlp_names
from metrics.ingest.otlp_histograms import Buckets
from metrics.sample import Sample, labels_of, whole_number

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
NANOSECONDS = 10**9


class NotOtlp(Exception):
    """A body that can't be read as an ExportMetricsServiceRequest."""


class LeftOut(Exception):
    """A metric that has no counterpart here; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Family:
    """Properties that the data points of a metric share.

    `name` and `unit` are those of the series, `type` is gauge or counter. Values of one that `adds` are increases.
    `read` yields the samples of a point.
    """

    name: str
    unit: str | None
    type: str
    adds: bool
    labels: Mapping[str, str]
    read: "Read"


@dataclass(frozen=True, slots=True)
class Point:
    """Properties that the samples of a data point share. Times are Unix seconds; one that `ends` has no values."""

    family: Family
    labels: Mapping[str, str]
    at: float | None
    since: float | None
    ends: bool

    def sample(self, suffix: str, value: float, type: str, has_unit: bool = True, **label: str) -> Iterator[Sample]:
        """Yield the sample of the series with this suffix and label."""
        name, labels = self.family.name + suffix, {**self.labels, **label} if label else self.labels
        unit = self.family.unit if has_unit else None
        if self.ends:
            yield Sample(name, 0.0, labels, self.at, ends=True)
        else:
            adds = self.family.adds
            since = self.since if adds or type == "counter" else None
            yield Sample(name, float(value), labels, self.at, unit, type, adds=adds, since=since)


def parse(body: bytes, is_json: bool) -> Parsed:
    """Return what is in `body`; the place of a sample is the number of its data point. Raises NotOtlp.

    Exemplars and attributes of scopes are left out, and of a resource's attributes all but those that make the labels
    job and instance.
    """
    parsed, place = Parsed(), 0
    for metric, labels in _metrics(_read(body, is_json)):
        kind = metric.WhichOneof("data")
        if kind is None:
            continue
        points = getattr(metric, kind).data_points
        try:
            family = _family(metric, kind, labels)
        except LeftOut as error:
            for number in range(len(points)):
                parsed.refused.add(place + number, [("metrics", str(error))])
        else:
            for number, point in enumerate(points):
                _add(parsed, place + number, family, point)
        place += len(points)
    return parsed


def _add(parsed: Parsed, place: int, family: Family, point: Any) -> None:
    try:
        samples = list(family.read(_point(family, point), point))
    except ValueError as error:
        parsed.refused.add(place, [("metrics", str(error))], family.name)
    else:
        parsed.samples += samples
        parsed.places += [place] * len(samples)


def _read(body: bytes, is_json: bool) -> Any:
    try:
        if not is_json:
            return ExportMetricsServiceRequest.FromString(body)
        document = json.loads(body, parse_int=whole_number)
        if not isinstance(document, dict):
            raise NotOtlp("The body is not a JSON object.")
        return json_format.ParseDict(document, ExportMetricsServiceRequest(), ignore_unknown_fields=True)
    except DecodeError:
        raise NotOtlp("The body is not an ExportMetricsServiceRequest.") from None
    except NotOtlp:
        raise
    except Exception:  # of wrong JSON, json_format raises whatever it stumbles over
        raise NotOtlp("The body is not an ExportMetricsServiceRequest in JSON.") from None


def _metrics(request: Any) -> Iterator[tuple[Any, dict[str, str]]]:
    """Yield each Metric with the labels that its resource gives it."""
    for resource in request.resource_metrics:
        labels = _target(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                yield metric, labels


def _target(attributes: Iterable[Any]) -> dict[str, str]:
    """Return the labels job and instance, by which Prometheus tells what is measured."""
    said = {one.key: _text(one.value) for one in attributes if one.key.startswith("service.")}
    job = "/".join(part for name in ("service.namespace", "service.name") if (part := said.get(name)))
    instance = said.get("service.instance.id")
    return {name: value for name, value in (("job", job), ("instance", instance)) if value}


def _family(metric: Any, kind: str, labels: Mapping[str, str]) -> Family:
    data = getattr(metric, kind)
    temporality = CUMULATIVE if kind in ("gauge", "summary") else data.aggregation_temporality
    monotonic = kind == "sum" and data.is_monotonic
    if temporality not in (DELTA, CUMULATIVE):
        raise LeftOut(f"{metric.name[:100]!r} has no known temporality.")
    if temporality == DELTA and kind == "sum" and not monotonic:
        raise LeftOut(f"{metric.name[:100]!r} goes up and down, so it has to be cumulative.")
    last = "total" if monotonic else "ratio" if kind == "gauge" and metric.unit == "1" else ""
    name = otlp_names.metric(metric.name, metric.unit, last)
    if not name:
        raise LeftOut("A metric has no name.")
    unit = None if metric.unit == "1" and kind != "gauge" else otlp_names.unit_word(metric.unit)
    return Family(name, unit, "counter" if monotonic else "gauge", temporality == DELTA, labels, READERS[kind])


def _point(family: Family, point: Any) -> Point:
    """Return what all samples of a data point share. Raises ValueError with a sentence."""
    labels = labels_of((one.key, _text(one.value)) for one in point.attributes if one.key)
    at_ns, since_ns = point.time_unix_nano, point.start_time_unix_nano
    return Point(
        family,
        {**labels, **family.labels},
        at_ns / NANOSECONDS if at_ns else None,
        since_ns / NANOSECONDS if 0 < since_ns < at_ns else None,
        bool(point.flags & NO_VALUE),
    )


def _number(point: Point, data: Any) -> Iterator[Sample]:
    value = data.WhichOneof("value")
    if value or point.ends:
        yield from point.sample("", getattr(data, value) if value else 0.0, point.family.type)


def _histogram(point: Point, data: Any) -> Iterator[Sample]:
    sums = "gauge" if data.explicit_bounds and data.explicit_bounds[0] < 0 else "counter"
    yield from _counted(point, data, sums, otlp_histograms.explicit(data.explicit_bounds, data.bucket_counts))


def _exponential_histogram(point: Point, data: Any) -> Iterator[Sample]:
    # Which bounds an increase names depends on its values, and totals of some bounds alone would not be sorted.
    buckets = otlp_histograms.exponential(data)
    yield from _counted(
        point, data, "gauge" if data.negative.bucket_counts else "counter", [] if point.family.adds else buckets
    )


def _counted(point: Point, data: Any, sums: str, buckets: Buckets) -> Iterator[Sample]:
    yield from point.sample("_count", data.count, "counter", has_unit=False)
    if data.HasField("sum") or point.ends:
        yield from point.sample("_sum", data.sum, sums)
    for bound, count in buckets:
        yield from point.sample("_bucket", count, "counter", has_unit=False, le=_le(bound))


def _summary(point: Point, data: Any) -> Iterator[Sample]:
    yield from point.sample("_count", data.count, "counter", has_unit=False)
    yield from point.sample("_sum", data.sum, "counter")
    for one in data.quantile_values:
        yield from point.sample("", one.value, "gauge", quantile=repr(one.quantile))


def _le(bound: float) -> str:
    return "+Inf" if bound == math.inf else repr(bound)


Read = Callable[[Point, Any], Iterator[Sample]]
READERS: Mapping[str, Read] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential_histogram,
    "summary": _summary,
}


def _text(value: Any) -> str:
    """Return the text of an AnyValue: what is no text, in JSON."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    plain = _plain(value)
    return plain if isinstance(plain, str) else "" if plain is None else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return what JSON has for an AnyValue."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {one.key: _plain(one.value) for one in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None
