"""Drawings of a rehearsal on the page of a rule."""

import pytest

from metrics.alerts.machine import State
from metrics.alerts.rehearsal import Episode
from metrics.views.rules import strips


@pytest.mark.parametrize(
    ("episodes", "drawn"),
    [
        ([(100.0, 200.0)], [(100, 100)]),
        ([(0.0, 0.5)], [(0, 6)]),
        ([(100.0, 110.0), (112.0, 120.0), (500.0, 510.0)], [(100, 10), (112, 8), (500, 10)]),
        ([(100.0, 101.0), (104.0, 105.0), (109.0, 111.0)], [(100, 15)]),
        ([(999.0, None)], [(994, 6)]),
        ([(-50.0, 20.0), (900.0, None)], [(0, 20), (900, 100)]),
    ],
)
def test_alerts_are_drawn_at_their_time_and_wide_enough_to_be_seen(
    episodes: list[tuple[float, float | None]], drawn: list[tuple[int, int]]
) -> None:
    assert strips([Episode(State.FIRING, start, end) for start, end in episodes], 0.0, 1000.0) == drawn
