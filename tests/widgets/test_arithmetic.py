"""Arithmetic over queries: what is calculated with what, where there is no value, and what is no expression."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.series.read import Point, Track
from metrics.widgets.arithmetic import BadExpression, evaluate, names
from tests.widgets.make import AT
from tests.widgets.make import track as made

STEP_S = 30.0


def track(latest: float | None = None, points: Mapping[float, float] | None = None, **labels: str) -> Track:
    return replace(made(latest, points or {}), labels=labels)


def latest(text: str, **tracks: list[Track]) -> list[float | None]:
    return [one.latest.value if one.latest else None for one in evaluate(text, tracks, STEP_S)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", 6),
        ("A / B", 3),
        ("A / B * 100", 300),
        ("100 * (A - B) / A", 100 * 4 / 6),
        ("A + B * 2", 10),
        ("(A + B) * 2", 16),
        ("-A", -6),
        ("2 - 3 + A", 5),
        ("1e3 * B", 2000),
    ],
)
def test_it_is_calculated_as_one_would(text: str, expected: float) -> None:
    assert latest(text, A=[track(6)], B=[track(2)]) == [pytest.approx(expected)]


@pytest.mark.parametrize("text", ["A / B", "A / (B - B)", "A * 1e99 * 1e99 * 1e99 * 1e99", "A / 0"])
def test_what_can_not_be_calculated_is_no_value(text: str) -> None:
    assert latest(text, A=[track(6)], B=[track(0)]) == [None]


def test_without_a_value_there_is_none() -> None:
    assert latest("A + B", A=[track(6)], B=[track()]) == [None]
    assert latest("A + B", A=[track(6)], B=[]) == []


class TestSteps:
    def points(self, text: str, **tracks: list[Track]) -> dict[float, float]:
        (found,) = evaluate(text, tracks, STEP_S)
        return {AT - point.at: point.value for point in found.points}

    def test_each_step_is_calculated(self) -> None:
        a, b = track(1, {90: 10, 60: 20, 30: 30}), track(1, {90: 2, 60: 4, 30: 0})
        assert self.points("A / B", A=[a], B=[b]) == {90: 5, 60: 5}

    def test_a_step_that_one_of_them_lacks_keeps_its_value_before_but_a_gap_is_a_gap(self) -> None:
        a, b = track(1, {900: 1, 870: 1, 840: 1, 600: 1, 30: 1}), track(1, {900: 5, 840: 6, 30: 7})
        assert self.points("A * B", A=[a], B=[b]) == {900: 5, 870: 5, 840: 6, 30: 7}

    def test_a_number_changes_each(self) -> None:
        assert self.points("A * 100", A=[track(1, {60: 0.5, 30: 0.25})]) == {60: 50, 30: 25}


class TestLabels:
    def test_one_is_calculated_with_each_of_many(self) -> None:
        many = [track(1, host="a"), track(2, host="b")]
        assert [one.labels for one in evaluate("A / B", {"A": many, "B": [track(4)]}, STEP_S)] == [
            {"host": "a"},
            {"host": "b"},
        ]
        assert latest("B / A", A=many, B=[track(4)]) == [4, 2]

    def test_of_many_and_many_those_with_the_same_labels(self) -> None:
        used = [track(1, host="a"), track(2, host="b"), track(3, host="c")]
        size = [track(4, host="b"), track(4, host="a"), track(4, host="d")]
        assert latest("A / B", A=used, B=size) == [0.25, 0.5]


def test_the_result_is_as_old_as_its_older_operand() -> None:
    old = replace(made(1, age_s=600, every_s=60), latest=Point(AT - 600, 1))
    (found,) = evaluate("A + B", {"A": [track(1)], "B": [old]}, STEP_S)
    assert found.latest == Point(AT - 600, 2)
    assert found.every_s == 60


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "A +",
        "A ** 2",
        "A % B",
        "a",
        "AB",
        "A and B",
        "A < B",
        "__import__('os')",
        "A.real",
        "A[0]",
        "lambda: A",
        "A if B else A",
        "'A'",
        "True * A",
        "1e400 * A",
        "9" * 99 + "9" * 99 + "*A",
        "A\x00",
        "(" * 100 + "A" + ")" * 99,
        "A" + " + A" * 100,
        "A; B",
        "A := 1",
        "await A",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        names(text)


def test_its_names_are_those_of_queries() -> None:
    assert names("(A - B) / A * 100") == {"A", "B"}


@given(st.text("ABCZ0123456789.+-*/() e", max_size=40))
def test_what_is_taken_is_calculated_without_an_exception(text: str) -> None:
    try:
        used = names(text)
    except BadExpression:
        return
    evaluate(text, {name: [track(2, {60: 1, 30: 0})] for name in used}, STEP_S)
