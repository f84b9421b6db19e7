"""Compared with the same time earlier."""

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.alerts import make

DAY = 86_400.0


def test_it_is_compared_with_the_mean_around_that_time() -> None:
    around = [(at, 20.0 if at < 0 else 30.0) for at in range(-300, 300, 10)]
    assert make.compared("compared", [(DAY, 40.0)], [around], by=1, to="day") == [15.0]
    assert make.compared("compared", [(DAY, 40.0)], [around], percent=1, to="day") == [60.0]
    assert make.compared("compared", [(DAY, 40.0)], [[]], by=1, to="day") == [None]


def test_a_day_before_is_the_same_time_by_the_clock() -> None:
    """In the night to 2026-10-25 clocks in Zurich went back: noon is 25 hours after noon."""
    zone = ZoneInfo("Europe/Zurich")
    noon = datetime(2026, 10, 25, 12, tzinfo=zone).timestamp()
    before = datetime(2026, 10, 24, 12, tzinfo=zone).timestamp()
    assert noon - before == 25 * 3600
    assert make.compared("compared", [(noon, 7.0)], [[(before, 5.0)]], zone, by=1, to="day", over="1m") == [2.0]


def test_a_change_counts_in_its_direction() -> None:
    assert make.bad("compared", [30, -30], percent=20, direction="down") == [False, True]
