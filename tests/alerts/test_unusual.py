"""The condition unusual: values far from those of the same hour of past weeks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.alerts import make

WEEK, HOUR = 7 * 86_400.0, 3600.0
NOW = 10 * WEEK + 12 * HOUR + 600


def hour(week: int, values: Sequence[float]) -> list[tuple[float, float]]:
    begin = NOW - 600 - week * WEEK
    return [(begin + 300 * place, value) for place, value in enumerate(values)]


def test_it_is_counted_in_deviations_from_the_median() -> None:
    past = [hour(1, [10, 12] * 6), hour(2, [8, 10] * 6)]
    assert make.compared("unusual", [(NOW, 10.0), (NOW, 10 + 1.4826)], past, weeks=2) == [0.0, pytest.approx(1.0)]


def test_a_past_outage_moves_it_little() -> None:
    past = [hour(1, [10, 12] * 6), hour(2, [9, 10, 11] * 3 + [1000] * 3)]
    (value,) = make.compared("unusual", [(NOW, 30.0)], past, weeks=2)
    assert value is not None
    assert value > 6


@pytest.mark.parametrize("past", [[[], [], [], []], [hour(1, [10]), [], [], []]])
def test_it_needs_a_fortnight(past: list[list[tuple[float, float]]]) -> None:
    assert make.compared("unusual", [(NOW, 30.0)], past) == [None]


def test_what_never_moved_may_move_a_little() -> None:
    past = [hour(1, [100]), hour(2, [100])]
    assert make.compared("unusual", [(NOW, 101.0)], past, weeks=2) == [1.0]
    assert make.compared("unusual", [(NOW, 1.0)], [hour(1, [0]), hour(2, [0])], weeks=2) == [1.0]


def test_what_is_more_than_a_number_can_say_is_unknown() -> None:
    assert make.compared("unusual", [(NOW, 1.0)], [hour(1, [1e-314]), hour(2, [1e-314])], weeks=2) == [None]


def test_the_hour_is_that_of_the_clock() -> None:
    """Between the two Mondays, clocks in Zurich went back an hour."""
    zone = ZoneInfo("Europe/Zurich")
    at = datetime(2026, 10, 26, 12, 5, tzinfo=zone).timestamp()
    before = [datetime(2026, 10, day, 12, tzinfo=zone).timestamp() for day in (19, 12)]
    past = [[(moment, 5.0)] for moment in before]
    assert make.compared("unusual", [(at, 5.0)], past, zone, weeks=2) == [0.0]
    assert make.compared("unusual", [(at, 5.0)], past, UTC, weeks=2) == [None]


@pytest.mark.parametrize(
    ("direction", "expected"), [("any", [True, True]), ("up", [True, False]), ("down", [False, True])]
)
def test_high_and_low(direction: str, expected: list[bool]) -> None:
    assert make.bad("unusual", [7, -7], direction=direction) == expected
