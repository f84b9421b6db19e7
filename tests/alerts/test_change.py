"""A change within a time."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.alerts.registry import kinds
from tests.alerts import make

HOUR = 3600.0
BEFORE = [(at, 10.0 if at < HOUR else 16.0) for at in range(0, 7200, 60)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"by": 5}, [6.0, 0.0], id="in its unit"),
        pytest.param({"percent": 50}, [60.0, 0.0], id="in per cent"),
    ],
)
def test_a_sample_is_compared_with_the_one_before(fields: dict[str, Any], expected: list[float]) -> None:
    samples = [(2 * HOUR - 30, 16.0), (2 * HOUR + 30, 16.0)]
    assert make.compared("change", samples, [BEFORE], **fields) == expected


def test_nobody_knows_without_an_earlier_one_or_from_nothing() -> None:
    assert make.compared("change", [(100.0, 5.0)], [[]], by=1) == [None]
    for before in (0.0, 1e-314):  # per cent of the latter are more than a number can say
        assert make.compared("change", [(HOUR, 5.0)], [[(0.0, before)]], percent=10) == [None]
    assert make.compared("change", [(HOUR, 1e308)], [[(0.0, -1e308)]], by=1) == [None]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("any", [True, True, False]), ("up", [True, False, False]), ("down", [False, True, False])],
)
def test_either_way_may_be_bad(direction: str, expected: list[bool]) -> None:
    assert make.bad("change", [6, -6, 5], by=5, direction=direction) == expected


@pytest.mark.parametrize("fields", [{}, {"by": 1, "percent": 1}, {"by": 0}, {"by": 1, "within": "60d"}])
def test_what_can_not_be(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make.config("change", **fields)


def test_it_says_what_it_is() -> None:
    change = kinds()["change"]
    given = make.config("change", percent=20, within="10m", direction="up")
    assert change.says(given) == "changed up by more than 20 % within 10m"
    assert (change.unit(given, "bytes"), change.unit(make.config("change", by=1), "bytes")) == ("percent", "bytes")
