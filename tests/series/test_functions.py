"""Functions of a series over time."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.series.functions import Function, FunctionName, by_step, overall, quantile, rates
from metrics.series.steps import Step
from tests.make import AT

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def step(before: float, *values: float) -> Step:
    """Return the step that began `before` seconds ago and has these samples, the last one in its 29th second."""
    told = (len(values), sum(values), min(values), max(values), values[-1], AT - before + 29)
    return Step(AT - before, *told, growth=0, since=AT - before)


GAUGE = [step(90, 4, 2), step(60, 9), step(30, 1, 5)]


def rising(before: float, growth: float, since_s: float) -> Step:
    """Return the step that began `before` seconds ago, and has grown in `since_s` seconds."""
    last_at = AT - before + 29
    return Step(AT - before, 1, 0, 0, 0, 0, last_at, growth, last_at - since_s)


COUNTER = [rising(90, 90, 18), rising(60, 30, 30), rising(30, 20, 30), rising(0, 60, 30)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("avg", [3, 9, 3]),
        ("min", [2, 9, 1]),
        ("max", [4, 9, 5]),
        ("sum", [6, 9, 6]),
        ("count", [2, 1, 2]),
        ("last", [2, 9, 5]),
    ],
)
def test_each_step_has_its_value(name: FunctionName, expected: list[float]) -> None:
    assert [value for _, value in by_step(Function(name), GAUGE)] == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("avg", 21 / 5), ("min", 1), ("max", 9), ("sum", 21), ("count", 5), ("last", 5)]
)
def test_all_together_have_one(name: FunctionName, expected: float) -> None:
    assert overall(Function(name), GAUGE) == pytest.approx(expected)


class TestCounters:
    def test_a_rate_is_growth_by_the_time_in_which_it_grew(self) -> None:
        assert rates(COUNTER) == [(AT - 90, 5), (AT - 60, 1), (AT - 30, 20 / 30), (AT, 2)]

    def test_a_rate_reaches_back_over_a_window(self) -> None:
        assert rates(COUNTER, 60) == [(AT - 90, 5), (AT - 60, 120 / 48), (AT - 30, 50 / 60), (AT, 80 / 60)]
        assert rates(COUNTER, 3600) == [(AT - 90, 5), (AT - 60, 120 / 48), (AT - 30, 140 / 78), (AT, 200 / 108)]

    def test_the_increase_of_all_is_that_of_each(self) -> None:
        assert by_step(Function("increase"), COUNTER) == [(AT - 90, 90), (AT - 60, 30), (AT - 30, 20), (AT, 60)]
        assert overall(Function("increase"), COUNTER) == 200

    @pytest.mark.parametrize("name", ["rate", "increase"])
    def test_one_sample_says_nothing_about_growth(self, name: FunctionName) -> None:
        assert by_step(Function(name), [rising(90, 0, 0)]) == []

    def test_one_sample_says_nothing_about_growth_of_all(self) -> None:
        assert overall(Function("increase"), [rising(90, 0, 0)]) is None


@pytest.mark.parametrize("name", ["avg", "min", "max", "sum", "count", "last", "increase", "rate"])
def test_nothing_has_no_value(name: FunctionName) -> None:
    assert overall(Function(name), []) is None
    assert by_step(Function(name), []) == []


@given(VALUES)
def test_the_middle_quantile_is_the_median_and_the_ends_are_the_ends(values: list[float]) -> None:
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values))
    assert (quantile(values, 0), quantile(values, 1)) == (min(values), max(values))


def test_a_quantile_lies_between_two_values() -> None:
    assert quantile([4, 1, 3, 2], 0.9) == pytest.approx(3.7)
