"""Prometheus' protobuf: every kind of family, and that any other bytes are refused."""

import io
import math
from typing import Any

import pytest
from google.protobuf import proto
from hypothesis import given
from hypothesis import strategies as st

from metrics.exposition import BadExposition
from metrics.ingest.metric_families import MetricFamily, parse
from metrics.sample import Sample

COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)
SHOP = {"shop": "north"}


def message(type: int, *metrics: dict[str, Any], name: str = "m") -> bytes:
    out = io.BytesIO()
    proto.serialize_length_prefixed(MetricFamily(name=name, type=type, metric=metrics), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("type", "metric", "samples"),
    [
        (COUNTER, {"counter": [{"value": 3}]}, [Sample("m", 3.0, {}, type="counter")]),
        (GAUGE, {"gauge": [{"value": 3}]}, [Sample("m", 3.0, {}, type="gauge")]),
        (GAUGE, {"gauge": [{}]}, [Sample("m", 0.0, {}, type="gauge")]),
        (UNTYPED, {"untyped": [{"value": 3}], "timestamp_ms": 1250}, [Sample("m", 3.0, {}, 1.25)]),
        (GAUGE, {"gauge": [{"value": math.nan}]}, []),
        (
            GAUGE,
            {"gauge": [{"value": 1}], "label": [{"name": "shop", "value": "north"}]},
            [Sample("m", 1.0, SHOP, type="gauge")],
        ),
        (
            SUMMARY,
            {"summary": [{"sample_count": 2, "sample_sum": 5, "quantile": [{"quantile": 0.5, "value": 2}]}]},
            [
                Sample("m", 2.0, {"quantile": "0.5"}, type="gauge"),
                Sample("m_count", 2.0, {}, type="counter"),
                Sample("m_sum", 5.0, {}, type="counter"),
            ],
        ),
        (
            HISTOGRAM,
            {
                "histogram": [
                    {"sample_count": 2, "sample_sum": 5, "bucket": [{"cumulative_count": 1, "upper_bound": 1}]}
                ]
            },
            [
                Sample("m_bucket", 2.0, {"le": "+Inf"}, type="counter"),
                Sample("m_bucket", 1.0, {"le": "1.0"}, type="counter"),
                Sample("m_count", 2.0, {}, type="counter"),
                Sample("m_sum", 5.0, {}, type="counter"),
            ],
        ),
        (
            GAUGE_HISTOGRAM,
            {"histogram": [{"sample_count_float": 1.5, "bucket": [{"cumulative_count": 3, "upper_bound": math.inf}]}]},
            [
                Sample("m_bucket", 3.0, {"le": "+Inf"}, type="gauge"),
                Sample("m_gcount", 1.5, {}, type="gauge"),
                Sample("m_gsum", 0.0, {}, type="gauge"),
            ],
        ),
    ],
)
def test_each_metric_of_a_family_is_read(type: int, metric: dict[str, Any], samples: list[Sample]) -> None:
    assert parse(message(type, metric)).samples == samples


def test_there_may_be_many_families_and_none() -> None:
    body = message(GAUGE, {"gauge": [{"value": 1}]}, name="a") + message(HISTOGRAM, name="b")
    assert parse(body).names == {"a", "b", "b_bucket", "b_count", "b_sum", "b_created"}
    assert parse(b"").samples == []


@pytest.mark.parametrize("body", [b"\n", b"\x05abc", b"\x80", message(GAUGE)[:-1], b"\xff" * 20])
def test_what_is_cut_off_or_something_else_is_refused(body: bytes) -> None:
    with pytest.raises(BadExposition, match=r"^The body is not made of .+\.$"):
        parse(body)


NUMBERS = st.fixed_dictionaries({"value": st.floats()})
METRICS = st.fixed_dictionaries(
    {},
    optional={
        "counter": st.lists(NUMBERS, max_size=2),
        "timestamp_ms": st.integers(-(2**63), 2**63 - 1),
        "label": st.lists(st.fixed_dictionaries({"name": st.text(), "value": st.text()}), max_size=2),
        "histogram": st.lists(
            st.fixed_dictionaries(
                {"bucket": st.lists(st.fixed_dictionaries({"upper_bound": st.floats()}), max_size=3)}
            ),
            max_size=1,
        ),
    },
)


@given(st.integers(-1, 9), st.lists(METRICS, max_size=3), st.binary(max_size=3))
def test_anything_alike_is_read_or_refused(type: int, metrics: list[dict[str, Any]], rest: bytes) -> None:
    try:
        read = parse(message(type, *metrics) + rest)
    except BadExposition:
        return
    assert all(one.metric in read.names and not math.isnan(one.value) for one in read.samples)


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except BadExposition as refused:
        assert str(refused)  # noqa: PT017
