"""Remote write: what is taken, what is left out, what is refused, and that nothing else can happen."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.batch import Parsed
from metrics.ingest.prompb import WriteRequest
from metrics.ingest.remote_write import FAMILIES_MOST, NotWriteRequest, parse
from metrics.sample import Metadata, Sample

AT_MS = 1_795_176_000_250
AT = AT_MS / 1000
STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def request(*series: tuple[dict[str, str], list[float]], metadata: tuple[tuple[int, str, str], ...] = ()) -> bytes:
    """Return a WriteRequest: of each series its labels and values; of each family type, name and unit."""
    made = WriteRequest()
    for labels, values in series:
        one = made.timeseries.add()
        for name, text in labels.items():
            one.labels.add(name=name, value=text)
        for number, value in enumerate(values):
            one.samples.add(value=value, timestamp=AT_MS + number)
    for kind, name, unit in metadata:
        made.metadata.add(type=kind, metric_family_name=name, unit=unit)
    return bytes(made.SerializeToString())


def samples(labels: dict[str, str], *values: float) -> list[Sample]:
    return parse(request((labels, list(values)))).samples


def test_each_value_is_a_sample_of_its_series() -> None:
    assert samples({"__name__": "up", "job": "a", "instance": "b:1"}, 1, 0) == [
        Sample("up", 1.0, {"job": "a", "instance": "b:1"}, AT),
        Sample("up", 0.0, {"job": "a", "instance": "b:1"}, AT + 0.001),
    ]


def test_it_is_read_as_it_is_on_the_wire() -> None:
    """A request written by hand after the specification, so that the table of messages can't be wrong unseen."""
    label = b"\x0a\x08__name__\x12\x02up"
    sample = b"\x09" + struct.pack("<d", 2.5) + b"\x10\x07"
    series = b"\x0a" + bytes([len(label)]) + label + b"\x12" + bytes([len(sample)]) + sample
    family = b"\x08\x01\x12\x02up\x2a\x01s"
    raw = b"\x0a" + bytes([len(series)]) + series + b"\x1a" + bytes([len(family)]) + family
    assert parse(raw).samples == [Sample("up", 2.5, {}, 0.007, "s", "counter")]


def test_what_nobody_knows_is_skipped() -> None:
    assert parse(b"\x22\x03abc" + request(({"__name__": "up"}, [1]))).samples == [Sample("up", 1.0, {}, AT)]


def test_there_may_be_nothing() -> None:
    assert parse(b"") == Parsed()
    assert samples({"__name__": "up"}) == []


def test_a_staleness_marker_ends_its_series() -> None:
    assert samples({"__name__": "up", "job": "a"}, STALE) == [Sample("up", 0.0, {"job": "a"}, AT, ends=True)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_left_out(value: float) -> None:
    assert [one.value for one in samples({"__name__": "up"}, 1, value, 2)] == [1, 2]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"__type__": "gauge", "__replica__": "1", "job": "a"}, {"job": "a"}),
        ({"empty": "", "job": "a"}, {"job": "a"}),
        ({"http.method": "GET"}, {"http_method": "GET"}),
    ],
)
def test_labels_are_those_that_prometheus_keeps(labels: dict[str, str], expected: dict[str, str]) -> None:
    assert samples({"__name__": "up", **labels}, 1)[0].labels == expected


def test_names_in_utf_8_become_names_of_old() -> None:
    assert samples({"__name__": "http.server.requests"}, 1)[0].metric == "http_server_requests"


GAUGE, COUNTER = Metadata("gauge"), Metadata("counter")


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ((1, "orders_total", ""), {"orders_total": COUNTER}),
        ((1, "orders", ""), {"orders": COUNTER, "orders_total": COUNTER, "orders_created": GAUGE}),
        ((2, "disk_bytes", "bytes"), {"disk_bytes": Metadata("gauge", "bytes")}),
        ((2, "disk", "b" * 21), {"disk": GAUGE}),
        ((2, "disk", "\x00"), {"disk": GAUGE}),
        ((3, "wait", ""), {"wait_bucket": COUNTER, "wait_count": COUNTER, "wait_sum": COUNTER, "wait_created": GAUGE}),
        (
            (5, "wait", "s"),
            {"wait": Metadata("gauge", "s"), "wait_count": COUNTER, "wait_sum": Metadata("counter", "s")},
        ),
        ((6, "build_info", ""), {"build_info": GAUGE}),
        ((7, "state", ""), {"state": GAUGE}),
    ],
)
def test_what_is_said_about_a_family_holds_for_its_metrics(
    family: tuple[int, str, str], expected: dict[str, Metadata]
) -> None:
    assert parse(request(metadata=(family,))).metadata.items() >= expected.items()


@pytest.mark.parametrize("family", [(0, "a", ""), (99, "a", ""), (-1, "a", "")])
def test_of_an_unknown_type_nothing_is_said(family: tuple[int, str, str]) -> None:
    assert parse(request(metadata=(family,))).metadata == {}


def test_samples_beside_what_is_said_about_them_say_it_too() -> None:
    found = parse(request(({"__name__": "orders_total"}, [1]), metadata=((1, "orders", "orders"),))).samples
    assert found == [Sample("orders_total", 1.0, {}, AT, "orders", "counter")]


@pytest.mark.parametrize("raw", [b"\x0a", b"orders 1", b"\xff" * 10, b"\x0a\x05\x0a\x03\x0a\x01\xff"])
def test_what_is_no_request_says_so(raw: bytes) -> None:
    with pytest.raises(NotWriteRequest, match=r"\.$"):
        parse(raw)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([("job", "a")], "A series has no label __name__."),
        ([("__name__", "")], "A series has no label __name__."),
        ([("__name__", "up"), ("job", "a"), ("job", "b")], "A series has the label 'job' twice."),
        ([("__name__", "up"), *((f"l{n}", "x") for n in range(21))], "labels has 21 entries, more than 20."),
    ],
)
def test_a_bad_series_is_refused_by_its_index(labels: list[tuple[str, str]], words: str) -> None:
    made = WriteRequest.FromString(request(({"__name__": "up"}, [1])))
    bad = made.timeseries.add()
    for name, value in labels:
        bad.labels.add(name=name, value=value)
    bad.samples.add(value=1)
    bad.samples.add(value=2)
    found = parse(made.SerializeToString())
    assert [(one.index, one.message) for one in found.refused.problems] == [(1, words), (2, words)]
    assert ([one.metric for one in found.samples], found.places) == (["up"], [0])


def test_a_request_that_speaks_of_too_many_families_is_refused() -> None:
    with pytest.raises(NotWriteRequest):
        parse(request(metadata=tuple((1, f"m{n}", "") for n in range(FAMILIES_MOST + 1))))


def is_known(raw: bytes) -> bool:
    try:
        written = parse(raw)
    except NotWriteRequest:
        return True
    return all(isinstance(one, Sample) for one in written.samples)


LABELS = st.lists(st.tuples(st.text() | st.sampled_from(["__name__", "job"]), st.text()), max_size=4)
VALUES = st.lists(st.tuples(st.floats(allow_nan=True), st.integers(-(2**63), 2**63 - 1)), max_size=3)
METADATA = st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.text(), st.text()), max_size=3)


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert is_known(raw)


@given(st.lists(st.tuples(LABELS, VALUES), max_size=3), METADATA, st.data())
def test_any_request_and_any_like_it_is_read_or_refused(series: Any, metadata: Any, data: st.DataObject) -> None:
    made = WriteRequest()
    for labels, values in series:
        one = made.timeseries.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        for number, at_ms in values:
            one.samples.add(value=number, timestamp=at_ms)
    for kind, name, unit in metadata:
        made.metadata.add(type=kind, metric_family_name=name, unit=unit)
    raw = bytearray(made.SerializeToString())
    assert is_known(bytes(raw))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=3)) if raw else []:
        raw[place] = data.draw(st.integers(0, 255))
    assert is_known(bytes(raw))
