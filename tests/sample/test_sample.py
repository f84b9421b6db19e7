"""Which samples are refused, why, and what makes two of them one series."""

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.sample import BadSamples, Sample, check, number, series_key, tidy, whole_number
from tests.make import AT

INFINITE = float("inf")


def problems(*samples: Sample) -> list[tuple[int | None, str]]:
    """Return index and field of each problem; `unclear` stands for one that is not said in a sentence."""
    try:
        check(samples, AT)
    except BadSamples as refused:
        return [(one.index, one.field if one.message.endswith(".") else "unclear") for one in refused.problems]
    return []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"metric": "a"},
        {"metric": "job:requests:rate5m"},
        {"metric": "m" * 200},
        {"value": -1e150},
        {"at": 0.0},
        {"at": AT + 600},
        {"unit": ""},
        {"unit": "widgets per fortnigh"},
        {"labels": {"instance": "web-1", "_": "", "path": "/größe?q=1"}},
        {"labels": {f"l{i}": "v" for i in range(20)}},
        {"labels": {"l" * 100: "v" * 200}},
        {"type": "counter"},
        {"adds": True, "since": AT - 10, "at": AT},
        {"adds": True, "since": AT},
        {"ends": True, "value": float("nan")},
        {"expected_every_s": 0.5, "expires_after_s": 366 * 86_400.0},
    ],
)
def test_a_good_sample_is_taken(fields: dict[str, Any]) -> None:
    assert problems(Sample(**{"metric": "m", "value": 1.0, **fields})) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metric": ""}, "metric"),
        ({"metric": "m" * 201}, "metric"),
        ({"metric": "." * 201}, "metric"),
        ({"value": float("nan")}, "value"),
        ({"value": INFINITE}, "value"),
        ({"value": -INFINITE}, "value"),
        ({"type": "histogram"}, "type"),
        ({"since": AT + 1}, "since"),
        ({"since": AT, "at": AT - 1}, "since"),
        ({"since": -1.0}, "since"),
        ({"since": float("nan")}, "since"),
        ({"expected_every_s": 0.0}, "expected_every"),
        ({"expected_every_s": float("nan")}, "expected_every"),
        ({"expires_after_s": INFINITE}, "expires_after"),
        ({"at": -1.0}, "at"),
        ({"at": float("nan")}, "at"),
        ({"at": INFINITE}, "at"),
        ({"at": AT + 601}, "at"),
        ({"at": AT * 1000}, "at"),
        ({"unit": "u" * 21}, "unit"),
        ({"unit": "a\x00b"}, "unit"),
        ({"labels": {f"l{i}": "v" for i in range(21)}}, "labels"),
        ({"labels": {"": "v"}}, "labels"),
        ({"labels": {"l" * 101: "v"}}, "labels"),
        ({"labels": {"l": "v" * 201}}, "labels"),
        ({"labels": {"l": "a\x00b"}}, "labels"),
    ],
)
def test_a_bad_sample_is_refused_by_the_field_that_is_bad(fields: dict[str, Any], field: str) -> None:
    good = Sample("m", 1.0)
    assert problems(good, Sample(**{"metric": "m", "value": 1.0, **fields}), good) == [(1, field)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Sample("2xx", 1.0), Sample("_2xx", 1.0)),
        (Sample("größe", 1.0, {"a.b": "c"}), Sample("gr_e", 1.0, {"a_b": "c"})),
        (Sample("a\x00", 1.0, {"__name__": "v"}), Sample("a_", 1.0)),
        (Sample("m", 1.0, {"a-b": "2", "a.b": "1", "a__b": "3"}), Sample("m", 1.0, {"a_b": "2;1", "a__b": "3"})),
        (Sample("m", 1.0, {f"l{n}": "" for n in range(50)} | {"a": "b"}), Sample("m", 1.0, {"a": "b"})),
    ],
)
def test_names_and_empty_labels_are_tidied_before_a_sample_is_judged(given: Sample, expected: Sample) -> None:
    assert problems(given) == []
    assert tidy(given) == expected
    assert tidy(expected) is expected


def test_text_that_no_database_can_store_is_refused() -> None:
    """A lone surrogate comes out of JSON's \\ud800, and can't be encoded."""
    assert problems(Sample("m", 1.0, {"l": "\ud800"})) == [(0, "labels")]
    assert problems(Sample("m", 1.0, unit="\ud800")) == [(0, "unit")]


def test_every_problem_of_every_sample_is_named() -> None:
    bad = Sample("", float("nan"), {"": "v"}, -1, "u" * 21)
    every = ["metric", "value", "at", "unit", "labels"]
    assert problems(bad, bad) == [*((0, field) for field in every), *((1, field) for field in every)]


def test_no_more_than_a_hundred_problems_are_told() -> None:
    assert len(problems(*[Sample("", 1.0)] * 1000)) == 100


class TestSeriesKey:
    def test_the_order_of_labels_does_not_matter(self) -> None:
        assert series_key("m", {"a": "1", "b": "2"}) == series_key("m", {"b": "2", "a": "1"})

    def test_an_empty_label_is_no_label(self) -> None:
        assert series_key("m", {"a": ""}) == series_key("m", {})

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (("m", {}), ("n", {})),
            (("m", {"a": "1"}), ("m", {})),
            (("m", {"a": "1"}), ("m", {"a": "2"})),
            (("m", {"a": "1"}), ("m", {"b": "1"})),
            (("m", {"a": "1,b=2"}), ("m", {"a": "1", "b": "2"})),
            (("m", {"a": '1"], ["b", "2'}), ("m", {"a": "1", "b": "2"})),
        ],
    )
    def test_what_differs_is_another_series(self, one: Any, other: Any) -> None:
        assert series_key(*one) != series_key(*other)

    @given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text()))
    def test_it_is_64_hex_digits_or_the_labels_were_refused(self, labels: dict[str, str]) -> None:
        if not problems(Sample("m", 1.0, labels)):
            assert set(series_key("m", labels)) <= set("0123456789abcdef")
            assert len(series_key("m", labels)) == 64


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-12", -12), ("1" + "0" * 400, 10**400)])
def test_whole_numbers_are_read_as_they_are(text: str, value: int) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize(
    "value", [10**400, whole_number("1" * 5000), 10**400 + 1, Decimal("1e400"), math.inf], ids=lambda _: ""
)
def test_what_is_too_large_for_a_float_is_infinite(value: float) -> None:
    assert (number(value), number(-value)) == (math.inf, -math.inf)
