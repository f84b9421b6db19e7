"""Steps of the past."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from metrics.alerts.past import Past, Steps, earlier, step_s

STEPS = Steps.of([(0, 1.0), (10, 3.0), (20, 5.0)], 10)


def test_means_are_of_whole_steps() -> None:
    assert STEPS.mean(0, 30) == 3.0
    assert STEPS.mean(5, 29) == 3.0, "the second alone"
    assert math.isnan(STEPS.mean(30, 60))
    assert STEPS.between(10, 30) == [3.0, 5.0]


def test_the_value_as_of_a_moment() -> None:
    assert [STEPS.at(at, 15) for at in (0, 9, 25, 35)] == [1.0, 1.0, 5.0, 5.0]
    assert math.isnan(STEPS.at(36, 15))
    assert math.isnan(STEPS.at(-1, 15))


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, 12, 30), 23, id="clocks went forward"),
        pytest.param(datetime(2026, 10, 25, 12, 30), 25, id="and back"),
        pytest.param(datetime(2028, 2, 29, 12, 30), 24, id="a leap day"),
        pytest.param(datetime(2028, 3, 1, 12, 30), 24, id="the day after"),
    ],
)
def test_a_day_earlier_is_the_same_time_by_the_clock(day: datetime, hours: int) -> None:
    zone = ZoneInfo("Europe/Zurich")
    at = day.replace(tzinfo=zone).timestamp()
    assert at - earlier(at, 1, zone) == hours * 3600
    assert at - earlier(at, 1, UTC) == 86_400


def test_windows_are_whole_steps_around_all_moments() -> None:
    assert Past(120, 60, 60).window(1000, 1100, UTC) == (840, 1080)
    assert step_s(60) == 10
    assert step_s(86_400) == 600
