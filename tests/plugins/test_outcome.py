"""Values that a function may return, and messages about all others."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from metrics.batch import sift
from metrics.plugins import Sample
from metrics.plugins.declare import Declared
from metrics.plugins.outcome import Outcome


def declared(**fields: Any) -> Declared:
    def orders() -> None: ...

    given = {"metric": "x", "every_s": 10, "unit": "orders", "label": None, "type": None, "timeout_s": 10, "line": 1}
    return Declared(orders, **{**given, **fields})


def taken(declared: Declared, returned: Any) -> Outcome:
    outcome = Outcome()
    outcome.take(declared, returned)
    return outcome


def samples(declared: Declared, returned: Any) -> list[Sample]:
    """Return what is made of `returned`, none of which is left out."""
    outcome = taken(declared, returned)
    assert outcome.problems == []
    return outcome.samples


@pytest.mark.parametrize(
    ("returned", "value"), [(42, 42), (2.5, 2.5), (True, 1), (Decimal("1.5"), 1.5), (Fraction(1, 2), 0.5)]
)
def test_a_number_is_a_sample(returned: Any, value: float) -> None:
    assert samples(declared(type="counter"), returned) == [Sample("x", value, {}, unit="orders", type="counter")]


@pytest.mark.parametrize("returned", [None, [], {}, ()])
def test_nothing_is_no_sample(returned: Any) -> None:
    assert samples(declared(label="shop"), returned) == []


def test_a_dict_is_a_sample_for_each_of_its_keys() -> None:
    assert samples(declared(label="shop"), {"berne": 3, 7: 1, "closed": None}) == [
        Sample("x", 3.0, {"shop": "berne"}, unit="orders"),
        Sample("x", 1.0, {"shop": "7"}, unit="orders"),
    ]


def test_samples_are_taken_as_they_are_but_for_the_unit_of_the_metric() -> None:
    given = [
        Sample("x", 1, {"shop": "berne"}, 1_000.0),
        Sample("x", 2, {"till": 7}, unit="carts"),  # type: ignore[dict-item]
        Sample("y", 3),
    ]
    assert samples(declared(), given) == [
        Sample("x", 1.0, {"shop": "berne"}, 1_000.0, unit="orders"),
        Sample("x", 2.0, {"till": "7"}, unit="carts"),
        Sample("y", 3.0),
    ]


def test_a_single_sample_and_a_generator_of_samples_are_fine() -> None:
    def each() -> Iterator[Sample]:
        yield Sample("x", 1)
        yield Sample("y", 2)

    assert len(samples(declared(), each())) == 2
    assert len(samples(declared(), Sample("x", 1))) == 1


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("many", "orders returned text, not a number, a dict or a list of Sample"),
        (b"many", "orders returned a bytes, not a number, a dict or a list of Sample"),
        (object(), "orders returned a object, not a number, a dict or a list of Sample"),
        (1j, "orders returned a complex, not a number, a dict or a list of Sample"),
        ([1, 2], "orders returned a list with a int in it (number 1); it takes Sample(…)"),
        ([None], "orders returned a list with nothing in it (number 1); it takes Sample(…)"),
        ({"berne": 1}, 'orders returned a dict; label="shop" says that its keys are shops'),
        (Sample("x", "1"), "orders returned a Sample whose value is text, not a number"),  # type: ignore[arg-type]
        (Sample(None, 1), "orders returned a Sample whose metric is nothing, not text"),  # type: ignore[arg-type]
        (Sample("x", 1, unit=5), "orders returned a Sample whose unit is a int, not text"),  # type: ignore[arg-type]
        (Sample("x", 1, None), "orders returned a Sample whose labels are nothing, not a dict"),  # type: ignore[arg-type]
        (Sample("x", 1, since="now"), "orders returned a Sample whose since is text, not a number"),  # type: ignore[arg-type]
        (
            Sample("x", 1, {}, "now"),  # type: ignore[arg-type]
            "orders returned a Sample whose at is text, not Unix seconds or a datetime",
        ),
    ],
)
def test_the_rest_is_named(returned: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        samples(declared(), returned)
    assert str(refused.value) == said


@pytest.mark.parametrize("zone", [None, UTC])
def test_a_time_may_be_a_datetime(zone: Any) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone)
    (found,) = samples(declared(), [Sample("x", 1, {}, at)])  # type: ignore[arg-type]
    assert found.at == at.timestamp()


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ({"berne": "many", "basel": 1}, "orders returned text for 'berne', not a number"),
        ([Sample("x", 1), Sample("x", "2")], "orders returned a Sample (number 2) whose value is text, not a number"),  # type: ignore[arg-type]
        ([Sample("x", 1), 2], "orders returned a list with a int in it (number 2); it takes Sample(…)"),
    ],
)
def test_one_value_that_is_no_number_is_named_and_loses_no_other(returned: Any, said: str) -> None:
    outcome = taken(declared(label="shop"), returned)
    assert [one.value for one in outcome.samples] == [1]
    assert [str(one) for one in outcome.problems] == [said]


def test_a_value_of_a_dict_that_is_no_number_is_an_error_if_there_is_no_other() -> None:
    with pytest.raises(TypeError, match="returned text for 'berne', not a number"):
        samples(declared(label="shop"), {"berne": "many"})


@pytest.mark.parametrize("value", [10**400, Decimal("1e400"), Fraction(10**400)])
def test_a_number_that_is_too_large_is_one_that_is_refused_as_all_are(value: Any) -> None:
    found = samples(declared(label="shop"), {"berne": 1, "basel": value})
    assert [one.value for one in found] == [1, math.inf]
    (problem,) = sift(found, 0).refused.problems
    assert str(problem) == "x: value is not a number between -1e+150 and 1e+150."


def test_a_generator_that_fails_loses_nothing_it_yielded_before() -> None:
    def failing() -> Iterator[Sample]:
        yield Sample("x", 1)
        yield Sample("x", 2)
        raise KeyError("berne")

    outcome = Outcome()
    with pytest.raises(KeyError):
        outcome.take(declared(), failing())
    assert [one.value for one in outcome.samples] == [1, 2]


def test_a_generator_without_an_end_is_stopped() -> None:
    def forever() -> Iterator[Sample]:
        while True:
            yield Sample("x", 1)

    outcome = Outcome()
    with pytest.raises(ValueError, match="more than 10000 samples"):
        outcome.take(declared(), forever())
    assert outcome.samples == []
