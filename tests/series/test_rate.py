"""The newest rate of a counter: over a window, and the same at whatever moment it is asked."""

from collections.abc import Iterable
from itertools import accumulate

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.sample import Sample
from metrics.series import calculate
from metrics.series.calculate import Asked
from metrics.series.functions import Function
from metrics.series.rate import window_s
from metrics.series.read import Query, Track
from metrics.series.write import write
from metrics.widgets.thresholds import Level, Thresholds, level
from tests.make import AT

pytestmark = pytest.mark.django_db

ORDERS = (0, 3, 0, 1)
"""How many come in each five seconds, again and again: 12 a minute."""


def counted(values: Iterable[tuple[float, float]], metric: str = "m", every_s: float | None = None) -> None:
    """Store a counter: seconds after AT -> value."""
    write(
        [Sample(metric, value, {}, AT + at, type="counter", expected_every_s=every_s) for at, value in values],
        None,
        AT + 3600,
    )


def bursts(every_s: float, grows: Iterable[float]) -> list[tuple[float, float]]:
    return [(place * every_s, value) for place, value in enumerate(accumulate(grows))]


def tracks(metrics: Iterable[str], at: float, over_s: float | None = None, points: bool = False) -> list[Track]:
    window = calculate.Window(at, at - 900, at, 10, at - 900)
    asked = [Asked(Query(metric), None, window, points, over_s) for metric in metrics]
    return [track for of_one in calculate.tracks_of_all(asked, at) for track in of_one]


def newest(after_s: float, over_s: float | None = None) -> float | None:
    (track,) = tracks(["m"], AT + after_s, over_s)
    return track.latest.value if track.latest else None


def a_minute(after_s: float, over_s: float | None = None) -> float:
    value = newest(after_s, over_s)
    assert value is not None
    return 60 * value


@pytest.mark.parametrize(
    ("over_s", "every_s", "expected"),
    [(None, 1, 60), (None, 15, 60), (None, 20, 80), (None, 60, 240), (None, None, 1200), (300, 60, 300), (5, 60, 5)],
)
def test_a_window_has_room_for_four_samples_and_is_at_least_a_minute(
    over_s: float | None, every_s: float | None, expected: float
) -> None:
    assert window_s(over_s, every_s) == expected


def test_orders_a_minute_stay_steady_and_a_threshold_does_not_flicker() -> None:
    counted(bursts(5, ORDERS * 40))
    shown = [a_minute(after_s) for after_s in range(300, 360)]
    assert [value for value in shown if not 10 <= value <= 14] == []
    levels = {level(value, Thresholds(warn=20)) for value in shown} | {
        level(value, Thresholds(warn=8, direction="below")) for value in shown
    }
    assert levels == {Level("ok", "OK")}


@pytest.mark.parametrize(("every_s", "over_s"), [(15, None), (60, None), (15, 300), (60, 60), (60, 10)])
def test_a_steady_counter_shows_the_same_at_whatever_moment(every_s: float, over_s: float | None) -> None:
    counted(bursts(every_s, [every_s / 5] * 60), every_s=every_s)
    moments = range(int(20 * every_s), int(22 * every_s), 7)
    assert [a_minute(after_s, over_s) for after_s in moments] == pytest.approx([12] * len(moments))


def test_between_two_samples_nothing_changes() -> None:
    counted(bursts(15, ORDERS * 20), every_s=15)
    assert len({newest(after_s) for after_s in range(600, 615)}) == 1


def test_slow_scrapes_have_a_window_of_four_minutes() -> None:
    counted(bursts(60, [0, 12, 0, 24] * 10), every_s=60)
    assert [a_minute(60 * minute) for minute in range(20, 28)] == pytest.approx([9] * 8)


def test_pushed_at_irregular_times_it_is_growth_by_the_time_it_took() -> None:
    times = [0, 3, 4, 20, 21, 50, 52, 70, 99, 100, 140, 141, 150, 180, 230, 240]
    counted([(at, at / 5) for at in times])
    assert [a_minute(at) for at in times[3:]] == pytest.approx([12] * len(times[3:]))


def test_a_reset_inside_counts_from_zero() -> None:
    values = [(at, 1000 + at if at < 600 else at - 600) for at in range(0, 700, 10)]
    counted(values, every_s=10)
    assert newest(640) == pytest.approx(1, rel=0.2)


def test_a_longer_window_holds_more_of_the_past() -> None:
    counted([(at, max(0, at - 600)) for at in range(0, 700, 10)], every_s=10)
    assert newest(690) == pytest.approx(1)
    longer = newest(690, over_s=240)
    assert longer is not None
    assert 90 / 310 <= longer <= 90 / 216


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([(0, 5)], None),
        ([(0, 5), (10, 25)], 2),
        ([(0, 5), (300, 605)], 2),
        ([(0, 605), (10, 20)], 2),
        ([(0, 0), (1, 1), (2, 2), (7200, 7200)], 1),
    ],
)
def test_with_few_samples_it_is_what_they_say(values: list[tuple[float, float]], expected: float | None) -> None:
    counted(values)
    found = tracks(["m"], AT + 7300)
    assert [track.latest.value if track.latest else None for track in found] == ([expected] if values else [])


def test_a_counter_that_stands_still_has_the_rate_zero() -> None:
    counted(bursts(10, [7, *[0] * 60]))
    assert newest(605) == 0


def test_a_series_that_ended_keeps_its_last_rate() -> None:
    counted([(at, 2 * at) for at in range(0, 300, 10)])
    assert newest(3000) == 2


def test_points_are_over_the_window_too_if_steps_are_narrower() -> None:
    counted(bursts(5, ORDERS * 100))
    (track,) = tracks(["m"], AT + 1500, points=True)
    assert len(track.points) == 90
    assert [60 * point.value for point in track.points if not 10 <= 60 * point.value <= 14] == []
    wide = calculate.Window(AT + 1500, AT + 300, AT + 1500, 600, AT + 300)
    (found,) = calculate.tracks(Query("m"), Function("rate"), wide, points=True)
    assert [60 * point.value for point in found.points] == pytest.approx([12, 12], rel=0.05)


def test_the_series_of_a_tick_are_asked_for_at_once() -> None:
    metrics = [f"m{number}" for number in range(8)]
    for number, metric in enumerate(metrics):
        counted(bursts(15, [number] * 60), metric, every_s=15)
    asked = []
    for some in (metrics[:1], metrics):
        with CaptureQueriesContext(connection) as queries:
            found = tracks(some, AT + 880)
        asked.append(sum("metrics_sample" in query["sql"] for query in queries.captured_queries))
        assert [track.latest.value for track in found if track.latest] == pytest.approx(
            [number / 15 for number in range(len(some))]
        )
    assert asked[0] == asked[1]
