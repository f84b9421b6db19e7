"""Names of other systems become names that Prometheus takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import names
from metrics.names import LABEL_NAME, METRIC_NAME


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http_requests_total", "http_requests_total"),
        ("job:requests:rate5m", "job:requests:rate5m"),
        ("a__b", "a__b"),
        ("http.server.duration", "http_server_duration"),
        ("größe (mm)", "gr_e_mm_"),
        ("2xx", "_2xx"),
        ("温度", "U___6e29__5ea6_"),
        ("圧_力", "U___5727____529b_"),
        ("%", "U___25_"),
        ("温" * 17, "U__" + "_6e29_" * 14 + "_6e2_7e0c8a49"),
        ("_", "_"),
        ("", ""),
    ],
)
def test_a_metric(name: str, expected: str) -> None:
    assert names.metric(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("instance", "instance"),
        ("_private", "_private"),
        ("http.status_code", "http_status_code"),
        ("a__b", "a__b"),
        ("a._b", "a_b"),
        ("a:b", "a_b"),
        ("2xx", "key_2xx"),
        ("__meta", "_meta"),
        ("部屋", "U___90e8__5c4b_"),
        ("__", "U______"),
        ("", ""),
    ],
)
def test_a_label(name: str, expected: str) -> None:
    assert names.label(name) == expected


def test_values_whose_names_became_the_same_are_joined_in_the_order_of_their_names() -> None:
    assert names.labels([("a_b", "3"), ("a.b", "1"), ("a/b", "2")]) == {"a_b": "1;2;3"}


def test_labels_of_prometheus_own_are_none_of_the_series() -> None:
    given = [("__name__", "up"), ("__replica__", "a"), ("_x", "1"), ("job", "")]
    assert names.labels(given) == {"_x": "1"}


@given(st.text(min_size=1))
def test_any_name_becomes_one(name: str) -> None:
    assert METRIC_NAME.fullmatch(names.metric(name))
    label = names.label(name)
    assert LABEL_NAME.fullmatch(label)
    assert not label.startswith("__")
