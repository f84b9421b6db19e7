"""OpenTelemetry's names and units, as Prometheus' own receiver of OTLP writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest.otlp_names import metric, unit_word
from metrics.names import METRIC_NAME
from metrics.sample import UNIT_MOST


@pytest.mark.parametrize(
    ("name", "unit", "last", "expected"),
    [
        ("http.server.request.duration", "s", "", "http_server_request_duration_seconds"),
        ("requests", "", "total", "requests_total"),
        ("requests_total", "{request}", "total", "requests_total"),
        ("total.requests", "", "total", "requests_total"),
        ("cpu_seconds_total", "s", "total", "cpu_seconds_total"),
        ("cpu.usage", "1", "ratio", "cpu_usage_ratio"),
        ("items", "1", "total", "items_total"),
        ("memory_usage", "By", "", "memory_usage_bytes"),
        ("throughput", "By/s", "", "throughput_bytes_per_second"),
        ("requests", "1/s", "", "requests_per_second"),
        ("requests", "1/s", "total", "requests_per_second_total"),
        ("custom", "By/{thing}", "", "custom_bytes"),
        ("custom", "{thing}/s", "", "custom_per_second"),
        ("custom", "widget", "", "custom_widget"),
        ("custom", "unit@with#special/chars", "", "custom_unit_with_special_per_chars"),
        ("response_time_seconds", "s", "", "response_time_seconds"),
        ("metric__with__several", "", "", "metric_with_several"),
        ("metric@with#special$chars", "", "", "metric_with_special_chars"),
        ("123.requests", "", "total", "_123_requests_total"),
        ("job:rate", "", "", "job:rate"),
        ("@#$%", "s", "total", ""),
        ("", "s", "", ""),
    ],
)
def test_a_name(name: str, unit: str, last: str, expected: str) -> None:
    assert metric(name, unit, last) == expected


@pytest.mark.parametrize(
    ("unit", "word"),
    [
        ("s", "seconds"),
        ("By", "bytes"),
        ("By/s", "bytes_per_second"),
        ("1", "ratio"),
        ("%", "percent"),
        ("{request}", None),
        ("", None),
        ("x" * (UNIT_MOST + 1), None),
    ],
)
def test_a_unit(unit: str, word: str | None) -> None:
    assert unit_word(unit) == word


@given(st.text(), st.text(), st.sampled_from(["", "total", "ratio"]))
def test_any_name_becomes_one_or_none(name: str, unit: str, last: str) -> None:
    found = metric(name, unit, last)
    assert not found or METRIC_NAME.fullmatch(found)
    word = unit_word(unit)
    assert word is None or 0 < len(word) <= UNIT_MOST
