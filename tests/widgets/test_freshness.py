"""How current data is: by when it came, and never by a time that lies ahead."""

from dataclasses import replace

import pytest

from metrics.widgets.freshness import NO_DATA, Freshness, freshness, of_tracks
from tests.widgets.make import AT, EVERY_S, track


@pytest.mark.parametrize(
    ("age_s", "state"),
    [
        (0, "fresh"),
        (22.9, "fresh"),
        (23, "late"),
        (52.9, "late"),
        (53, "stale"),
        (-5, "fresh"),  # another machine's clock
        (-5.1, "stale"),  # noted before the clock was set back, nobody knows how long ago
        (-3600, "stale"),
    ],
)
def test_its_age_decides(age_s: float, state: str) -> None:
    found = freshness(AT - age_s, EVERY_S, AT)
    assert found.state == state
    assert found.at is not None
    assert found.stale_at is not None
    assert (found.stale_at - found.at <= 0) is (age_s < -5)


def test_a_time_that_is_a_little_ahead_makes_nothing_late_any_later() -> None:
    assert freshness(AT + 4, EVERY_S, AT) == freshness(AT, EVERY_S, AT) == Freshness("fresh", AT, AT + 23, AT + 53)


def test_without_a_sample_there_is_no_data() -> None:
    assert freshness(None, EVERY_S, AT) == of_tracks([], None, AT) == of_tracks([track()], None, AT) == NO_DATA


@pytest.mark.parametrize(("age_s", "state"), [(10, "fresh"), (24, "late"), (54, "stale")])
@pytest.mark.parametrize("ahead_s", [0, 2, 30.5, 600.5])
def test_what_is_frozen_grows_old_however_far_its_sender_s_clock_is_ahead(
    ahead_s: float, age_s: float, state: str
) -> None:
    frozen = replace(track(1, age_s=age_s - ahead_s), ahead_s=ahead_s)
    assert of_tracks([frozen], None, AT).state == state
    assert of_tracks([frozen], None, AT).at == AT - age_s


def test_of_several_the_one_that_came_last_decides_whatever_their_clocks_say() -> None:
    ahead = replace(track(1, age_s=30 - 60), ahead_s=60)
    assert of_tracks([ahead, track(1, age_s=4)], None, AT).at == AT - 4
