"""OTLP: what becomes of each kind of metric, what is left out or refused, and that nothing else can happen."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from metrics.batch import Parsed
from metrics.ingest.otlp import NotOtlp, parse
from metrics.sample import Sample

AT = 1_795_176_000.25
AT_NS, SINCE_NS = "1795176000250000000", "1795175990250000000"
SINCE = 1_795_175_990.25
DELTA, CUMULATIVE = 1, 2


def point(**fields: Any) -> dict[str, Any]:
    """Return a data point of AT; fields in JSON's names."""
    return {"timeUnixNano": AT_NS, **fields}


def attribute(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def request(*metrics: dict[str, Any], resource: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    scope = {"scope": {"name": "tests"}, "metrics": list(metrics)}
    return {"resourceMetrics": [{"resource": {"attributes": list(resource)}, "scopeMetrics": [scope]}]}


def read(*metrics: dict[str, Any], resource: tuple[dict[str, Any], ...] = ()) -> Parsed:
    """Parse metrics in protocol buffers, having seen that JSON is the same."""
    document = request(*metrics, resource=resource)
    message = json_format.ParseDict(document, ExportMetricsServiceRequest())
    found = parse(message.SerializeToString(), is_json=False)
    assert parse(json.dumps(document).encode(), is_json=True) == found
    return found


def gauge(*points: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "queue.length", "gauge": {"dataPoints": list(points)}, **fields}


def total(*points: dict[str, Any], temporality: int = CUMULATIVE, monotonic: bool = True) -> dict[str, Any]:
    data = {"dataPoints": list(points), "aggregationTemporality": temporality, "isMonotonic": monotonic}
    return {"name": "orders", "unit": "{order}", "sum": data}


def histogram(*points: dict[str, Any], temporality: int = CUMULATIVE, kind: str = "histogram") -> dict[str, Any]:
    return {"name": "wait", "unit": "s", kind: {"dataPoints": list(points), "aggregationTemporality": temporality}}


def test_a_gauge_is_one() -> None:
    assert read(gauge(point(asInt="42"), point(asDouble=0.5))).samples == [
        Sample("queue_length", 42.0, {}, AT, None, "gauge"),
        Sample("queue_length", 0.5, {}, AT, None, "gauge"),
    ]


def test_units_are_in_names_and_with_the_series() -> None:
    samples = read(gauge(point(asInt="1"), unit="By"), gauge(point(asDouble=0.5), unit="1")).samples
    assert [(one.metric, one.unit) for one in samples] == [
        ("queue_length_bytes", "bytes"),
        ("queue_length_ratio", "ratio"),
    ]


def test_a_cumulative_sum_that_only_rises_is_a_counter() -> None:
    (sample,) = read(total(point(asInt="7", startTimeUnixNano=SINCE_NS))).samples
    assert sample == Sample("orders_total", 7.0, {}, AT, None, "counter", since=SINCE)


def test_a_sum_of_increases_adds() -> None:
    (sample,) = read(total(point(asInt="7", startTimeUnixNano=SINCE_NS), temporality=DELTA)).samples
    assert sample == Sample("orders_total", 7.0, {}, AT, None, "counter", adds=True, since=SINCE)


@pytest.mark.parametrize("since", ["0", AT_NS, "1795176000250000001"])
def test_a_beginning_that_is_none_is_not_known(since: str) -> None:
    (sample,) = read(total(point(asInt="7", startTimeUnixNano=since), temporality=DELTA)).samples
    assert (sample.adds, sample.since) == (True, None)


def test_a_cumulative_sum_that_goes_up_and_down_is_a_gauge() -> None:
    (sample,) = read(total(point(asInt="-7"), monotonic=False)).samples
    assert sample == Sample("orders", -7.0, {}, AT, None, "gauge")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (total(point(asInt="1"), point(asInt="2"), temporality=DELTA, monotonic=False), "has to be cumulative."),
        (total(point(asInt="1"), point(asInt="2"), temporality=0), "has no known temporality."),
        (histogram(point(count="1"), point(count="1"), temporality=9), "has no known temporality."),
        ({**gauge(point(asInt="1"), point(asInt="2")), "name": "@"}, "has no name."),
    ],
)
def test_what_has_no_counterpart_is_left_out_and_counted(metric: dict[str, Any], words: str) -> None:
    found = read(metric, gauge(point(asInt="1")))
    assert len(found.samples) == 1
    assert found.refused.places == {0, 1}
    assert found.refused.reasons().endswith(words)
    assert found.places == [2]


def test_a_histogram_is_count_sum_and_buckets() -> None:
    data = point(count="7", sum=3.5, explicitBounds=[0.1, 1], bucketCounts=["1", "2", "4"])
    found = [(one.metric, one.labels, one.value, one.unit, one.type) for one in read(histogram(data)).samples]
    assert found == [
        ("wait_seconds_count", {}, 7, None, "counter"),
        ("wait_seconds_sum", {}, 3.5, "seconds", "counter"),
        ("wait_seconds_bucket", {"le": "0.1"}, 1, None, "counter"),
        ("wait_seconds_bucket", {"le": "1.0"}, 3, None, "counter"),
        ("wait_seconds_bucket", {"le": "+Inf"}, 7, None, "counter"),
    ]


def test_a_histogram_of_increases_adds_everywhere() -> None:
    data = point(count="1", sum=0.5, explicitBounds=[1], bucketCounts=["1", "0"], startTimeUnixNano=SINCE_NS)
    samples = read(histogram(data, temporality=DELTA)).samples
    assert len(samples) == 4
    assert {(one.adds, one.since) for one in samples} == {(True, SINCE)}


def test_a_sum_of_values_below_zero_is_no_counter() -> None:
    samples = read(histogram(point(count="1", sum=-5, explicitBounds=[-1, 1], bucketCounts=["1", "0", "0"]))).samples
    assert [one.type for one in samples if one.metric == "wait_seconds_sum"] == ["gauge"]


def test_a_histogram_may_have_neither_sum_nor_buckets() -> None:
    assert [one.metric for one in read(histogram(point(count="1"))).samples] == ["wait_seconds_count"]


EXPONENTIAL = {"count": "5", "sum": 9, "scale": 0, "zeroCount": "1", "positive": {"offset": 1, "bucketCounts": ["4"]}}


def test_an_exponential_histogram_has_buckets_too() -> None:
    samples = read(histogram(point(**EXPONENTIAL), kind="exponentialHistogram")).samples
    buckets = [(one.labels["le"], one.value) for one in samples if one.metric == "wait_seconds_bucket"]
    assert buckets == [("0.0", 1), ("4.0", 5), ("+Inf", 5)]
    assert [one.value for one in samples if "le" not in one.labels] == [5, 9]


def test_an_exponential_histogram_of_increases_has_none() -> None:
    samples = read(histogram(point(**EXPONENTIAL), temporality=DELTA, kind="exponentialHistogram")).samples
    assert [(one.metric, one.adds) for one in samples] == [("wait_seconds_count", True), ("wait_seconds_sum", True)]


def test_a_summary_is_count_sum_and_quantiles() -> None:
    data = point(count="3", sum=6, quantileValues=[{"quantile": 0.5, "value": 2}, {"quantile": 1, "value": 3}])
    samples = read({"name": "wait", "unit": "s", "summary": {"dataPoints": [data]}}).samples
    assert [(one.metric, one.labels, one.value, one.type) for one in samples] == [
        ("wait_seconds_count", {}, 3, "counter"),
        ("wait_seconds_sum", {}, 6, "counter"),
        ("wait_seconds", {"quantile": "0.5"}, 2, "gauge"),
        ("wait_seconds", {"quantile": "1.0"}, 3, "gauge"),
    ]


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        ([("service.name", "shop")], {"job": "shop"}),
        ([("service.namespace", "eu"), ("service.name", "shop")], {"job": "eu/shop"}),
        ([("service.name", "shop"), ("service.instance.id", "a-1")], {"job": "shop", "instance": "a-1"}),
        ([("host.name", "x"), ("service.version", "1"), ("service.name", "")], {}),
    ],
)
def test_of_a_resource_it_is_told_what_is_measured(attributes: list[tuple[str, str]], labels: dict[str, str]) -> None:
    resource = tuple(attribute(key, stringValue=value) for key, value in attributes)
    assert read(gauge(point(asInt="1")), resource=resource).samples[0].labels == labels


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("shop", {"stringValue": "nörd"}, {"shop": "nörd"}),
        ("http.method", {"stringValue": "GET"}, {"http_method": "GET"}),
        ("code", {"intValue": "500"}, {"code": "500"}),
        ("ok", {"boolValue": True}, {"ok": "true"}),
        ("share", {"doubleValue": 0.25}, {"share": "0.25"}),
        ("raw", {"bytesValue": "AAE="}, {"raw": "AAE="}),
        ("list", {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}, {"list": '["a", 1]'}),
        ("map", {"kvlistValue": {"values": [attribute("a", boolValue=False)]}}, {"map": '{"a": false}'}),
        ("none", {}, {}),
        ("", {"stringValue": "x"}, {}),
    ],
)
def test_attributes_are_labels(key: str, value: dict[str, Any], expected: dict[str, str]) -> None:
    (sample,) = read(gauge(point(asInt="1", attributes=[{"key": key, "value": value}]))).samples
    assert sample.labels == expected


def test_a_point_without_a_time_is_one_of_now() -> None:
    (sample,) = read(gauge({"asInt": "1"})).samples
    assert sample.at is None


def test_a_point_without_a_value_ends_its_series() -> None:
    data = point(flags=1, attributes=[attribute("a", stringValue="b")])
    assert read(gauge(data)).samples == [Sample("queue_length", 0.0, {"a": "b"}, AT, ends=True)]
    assert [(one.metric, one.ends) for one in read(histogram(point(flags=1))).samples] == [
        ("wait_seconds_count", True),
        ("wait_seconds_sum", True),
    ]


def test_a_point_without_a_value_is_left_out() -> None:
    assert read(gauge(point())) == Parsed()


@pytest.mark.parametrize("body", [b"", bytes(ExportMetricsServiceRequest().SerializeToString())])
def test_there_may_be_nothing(body: bytes) -> None:
    assert parse(body, is_json=False) == Parsed()
    assert parse(b"{}", is_json=True) == Parsed()
    assert read({"name": "a"}) == read(gauge()) == Parsed()


def test_json_may_have_what_nobody_knows_and_ids_in_hex() -> None:
    exemplar = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "asInt": "1"}
    document = request(gauge(point(asInt=1, exemplars=[exemplar], colour="red")))
    assert len(parse(json.dumps(document).encode(), is_json=True).samples) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b'{"resourceMetrics": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_says_so(body: bytes) -> None:
    with pytest.raises(NotOtlp, match=r"\.$"):
        parse(body, is_json=True)


@pytest.mark.parametrize("body", [b"\x0a", b"{}", b"\xff" * 9])
def test_what_is_no_message_says_so(body: bytes) -> None:
    with pytest.raises(NotOtlp, match=r"\.$"):
        parse(body, is_json=False)


@pytest.mark.parametrize(
    "metric",
    [
        histogram(point(count="1", explicitBounds=[1], bucketCounts=["1"])),
        histogram(point(scale=99), kind="exponentialHistogram"),
        gauge(point(asInt="1", attributes=[attribute(f"a{n}", stringValue="x") for n in range(21)])),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_metrics_name(metric: dict[str, Any]) -> None:
    found = read(gauge(point(asInt="1")), metric)
    (problem,) = found.refused.problems
    assert problem.index == 1
    assert str(problem).startswith(f"{metric['name'].replace('.', '_')}")
    assert problem.message.endswith(".")
    assert found.places == [0]


def is_known(body: bytes, is_json: bool) -> bool:
    try:
        found = parse(body, is_json)
    except NotOtlp:
        return True
    return all(isinstance(one, Sample) and type(one.value) is float for one in found.samples)


EVERYTHING = request(
    gauge(point(asInt="1", attributes=[attribute("a", stringValue="b")])),
    total(point(asDouble=1, startTimeUnixNano=SINCE_NS), temporality=DELTA),
    histogram(point(count="1", sum=1, explicitBounds=[1], bucketCounts=["1", "0"])),
    histogram(point(**EXPONENTIAL), kind="exponentialHistogram"),
    {"name": "wait", "summary": {"dataPoints": [point(quantileValues=[{"quantile": 0.5, "value": 2}])]}},
    resource=(attribute("service.name", stringValue="shop"),),
)
WIRE = json_format.ParseDict(EVERYTHING, ExportMetricsServiceRequest()).SerializeToString()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(), st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, is_json: bool) -> None:
    assert is_known(body, is_json)


@given(st.lists(st.tuples(st.integers(0, len(WIRE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_message_with_some_bytes_changed_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    body = bytearray(WIRE)
    for place, byte in changes:
        body[place] = byte
    assert is_known(bytes(body), is_json=False)


def changed(one: Any, data: st.DataObject) -> Any:
    """Return a copy of `one` with something else in some places."""
    if data.draw(st.integers(0, 25)) == 0:
        return data.draw(ANYTHING)
    if isinstance(one, dict):
        return {key: changed(value, data) for key, value in one.items()}
    if isinstance(one, list):
        return [changed(value, data) for value in one]
    return one


@given(st.data())
def test_json_with_something_changed_is_read_or_refused(data: st.DataObject) -> None:
    assert is_known(json.dumps(changed(EVERYTHING, data)).encode(), is_json=True)
