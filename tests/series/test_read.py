"""Reading series: as of any moment, in means of steps, with the gaps left open."""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from pytest_django import DjangoAssertNumQueries

from metrics.models import Series
from metrics.sample import Sample
from metrics.schedule import LATENESS_GRACE_S
from metrics.series import read, reader
from metrics.series.find import QUERIES_MANY
from metrics.series.read import Point, Query, Track
from metrics.series.write import write
from tests import make
from tests.make import AT, stored

pytestmark = pytest.mark.django_db


def track(at: float = AT, metric: str = "m") -> Track:
    (found,) = read.tracks(Query(metric), at)
    return found


class TestWhichSeries:
    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            ({}, ["a", "b"]),
            ({"host": "a"}, ["a"]),
            ({"host": "a", "dc": "1"}, ["a"]),
            ({"host": "a", "dc": "2"}, []),
            ({"rack": "7"}, []),
        ],
    )
    def test_those_with_the_metric_and_the_labels(self, labels: dict[str, str], expected: list[str]) -> None:
        stored("m", {0: 1}, host="a", dc="1")
        stored("m", {0: 1}, host="b", dc="1")
        stored("other", {0: 1}, host="a", dc="1")
        assert [one.labels["host"] for one in read.tracks(Query("m", labels), AT)] == expected

    @pytest.mark.parametrize("name", ["contains", "exact", "in", "a__b", "isnull"])
    @pytest.mark.parametrize("value", ["x", 'a "quoted" one', "ö%s", "12", "null"])
    def test_whatever_labels_are_called_and_hold(self, name: str, value: str) -> None:
        write([Sample("m", 1, {name: text}, AT) for text in (value, "other")], None, AT)
        assert [one.labels for one in read.tracks(Query("m", {name: value}), AT)] == [{name: value}]

    def test_an_empty_label_means_that_there_is_none(self) -> None:
        stored("m", {0: 1}, host="a")
        stored("m", {0: 1})
        assert [one.labels for one in read.tracks(Query("m", {"host": ""}), AT)] == [{}]

    def test_many_queries_at_once_find_what_each_finds_alone(self) -> None:
        for host, dc in product("abcdef", "12"):
            stored("m", {0: 1}, host=host, dc=dc)
        stored("m", {0: 1})
        stored("other", {0: 1}, host="a")
        one: list[dict[str, str | list[str]]] = [
            {},
            {"host": ""},
            {"host": "a"},
            {"host": ["a", "b", ""]},
            {"dc": "1", "host": ["c"]},
            {"dc": "1", "x": ""},
        ]
        labels: list[Mapping[str, str | Sequence[str]]] = [
            *one,
            *({"dc": dc, "host": host} for host, dc in product("abcdefgh", "12")),
        ]
        queries = [Query("m", of) for of in labels] * 3
        assert len(queries) >= QUERIES_MANY
        queries.append(Query("other"))
        assert read.find(queries, most=3) == [read.find([query], most=3)[0] for query in queries]

    def test_a_metric_that_nobody_sent_is_no_series(self) -> None:
        assert read.tracks(Query("m"), AT) == []


class TestLatest:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (AT, Point(AT, 3)),
            (AT - 0.001, Point(AT - 10, 2)),
            (AT - 10, Point(AT - 10, 2)),
            (AT - 15, Point(AT - 20, 1)),
            (AT - 21, None),
            (AT + 86_400, Point(AT, 3)),
        ],
    )
    def test_it_is_the_newest_one_of_that_moment(self, at: float, expected: Point | None) -> None:
        stored("m", {20: 1, 10: 2, 0: 3})
        assert track(at).latest == expected

    @pytest.mark.parametrize(
        ("at", "expected"),
        [(AT - 6, 1), (AT - 5, None), (AT - 1, None), (AT, 2), (AT + 9, 2)],
    )
    def test_a_series_that_ended_has_none_until_it_goes_on(self, at: float, expected: float | None) -> None:
        stored("m", {10: 1})
        write([Sample("m", 0, {}, AT - 5, ends=True)], None, AT)
        stored("m", {0: 2})
        latest = track(at).latest
        assert (latest and latest.value) == expected

    def test_each_series_has_its_own(self) -> None:
        stored("m", {50: 1}, host="a")
        stored("m", {5: 2}, host="b")
        assert [one.latest for one in read.tracks(Query("m"), AT)] == [Point(AT - 50, 1), Point(AT - 5, 2)]

    def test_milliseconds_are_kept(self) -> None:
        stored("m", {0.125: 1})
        assert track().latest == Point(AT - 0.125, 1)

    def test_a_clock_that_is_ahead_is_believed(self) -> None:
        """A sample from a sender whose clock is ahead counts from when it came, and so it does when drawn later."""
        write([Sample("m", 1, {}, AT - 7)], None, AT - 10)
        write([Sample("m", 2, {}, AT + 3)], None, AT)
        for at, expected in ((AT - 10, 1), (AT - 6, 1), (AT, 2), (AT + 60, 2)):
            latest = track(at).latest
            assert latest is not None
            assert latest.value == expected

    @pytest.mark.parametrize("ahead_s", [0, 0.4, 3, 7, 29, 31, 400, 599])
    def test_when_a_sample_came_is_known_by_three_seconds(self, ahead_s: float) -> None:
        write([Sample("m", 1, {}, AT + ahead_s)], None, AT)
        for at in (AT, AT + 300):
            assert AT - LATENESS_GRACE_S <= track(at).came_at <= AT

    def test_when_a_sample_came_that_there_is_not(self) -> None:
        write([Sample("m", 1, {}, AT)], None, AT)
        assert track(AT - 1).came_at == -math.inf

    @pytest.mark.parametrize(("after", "expected"), [(0, True), (27, True), (30, False)])
    def test_a_value_from_a_clock_that_is_ahead_lapses_as_soon_as_any(self, after: float, expected: bool) -> None:
        write([Sample("m", 1, {}, AT + 60, expires_after_s=30)], None, AT)
        assert (track(AT + after).latest is not None) is expected

    def test_a_clock_that_is_right_does_not_let_the_past_see_what_came_after(self) -> None:
        stored("m", {20: 1, 10: 2, 0: 3})
        (found,) = reader.window(Query("m"), AT - 15, AT - 60, AT, 60)
        assert (found.latest, found.points) == (Point(AT - 20, 1), (Point(AT - 60, 1),))

    @pytest.mark.parametrize(("after", "expected"), [(0, True), (29.9, True), (30, False), (3600, False)])
    def test_a_value_lapses_when_its_sender_said_so(self, after: float, expected: bool) -> None:
        write([Sample("m", 1, {}, AT, expires_after_s=30)], None, AT)
        assert (track(AT + after).latest is not None) is expected

    def test_a_value_that_lapsed_later_had_not_yet(self) -> None:
        write([Sample("m", 1, {}, AT, expires_after_s=30), Sample("m", 2, {}, AT + 100)], None, AT + 100)
        assert [track(AT + after).latest is None for after in (10, 50, 110)] == [False, True, False]


class TestSteps:
    def points(self, start: float, end: float, step_s: float) -> list[tuple[float, float]]:
        (found,) = reader.window(Query("m"), AT, start, end, step_s)
        return [(point.at - AT, point.value) for point in found.points]

    def test_a_step_is_the_mean_of_its_samples(self) -> None:
        stored("m", {60: 1, 50: 2, 40: 6, 30: 10})
        assert self.points(AT - 60, AT, 30) == [(-60, 3), (-30, 10)]

    def test_steps_without_samples_are_left_out(self) -> None:
        stored("m", {90: 1, 10: 2})
        assert self.points(AT - 120, AT, 30) == [(-90, 1), (-30, 2)]

    def test_the_start_is_inside_and_the_end_is_not(self) -> None:
        stored("m", {60: 1, 60.001: 50, 0: 99})
        assert self.points(AT - 60, AT, 30) == [(-60, 1)]

    def test_means_of_whole_numbers_have_fractions(self) -> None:
        stored("m", {20: 1, 10: 2})
        assert self.points(AT - 30, AT, 30) == [(-30, 1.5)]

    def test_steps_of_parts_of_a_second(self) -> None:
        stored("m", {0.75: 1, 0.5: 3, 0.25: 5})
        assert self.points(AT - 1, AT, 0.5) == [(-1, 1), (-0.5, 4)]

    def test_series_are_not_mixed(self) -> None:
        stored("m", {10: 1}, host="a")
        stored("m", {10: 5}, host="b")
        found = reader.window(Query("m"), AT, AT - 60, AT, 60)
        assert [[point.value for point in one.points] for one in found] == [[1], [5]]

    def test_samples_after_the_moment_are_not_seen(self) -> None:
        """A moment in the past is drawn as it was then, though its last step has got more samples since."""
        stored("m", {30: 1, 10: 99})
        (found,) = reader.window(Query("m"), AT - 20, AT - 60, AT, 60)
        assert [point.value for point in found.points] == [1]


class TestCadence:
    def test_it_is_what_the_source_says(self) -> None:
        stored("m", {20: 1, 19: 2, 18: 3}, source=make.source(every_s=15))
        assert track().every_s == 15

    def test_it_is_what_the_samples_said_before_what_the_source_is_set_to(self) -> None:
        stored("m", {20: 1, 19: 2, 18: 3}, source=make.source(every_s=15))
        Series.objects.update(expected_every_s=90)
        assert track().every_s == 90

    @pytest.mark.parametrize(
        ("ages_s", "expected"),
        [
            ([0], None),
            ([0, 100], None),
            ([0, 100, 200], 100),
            ([0, 60, 240, 300, 500], 180),
            ([0, 60, 120, 180, 240, 300, 5000], 60),
            ([0, 0.1, 0.2, 0.3], 30),
        ],
    )
    def test_of_what_is_pushed_it_is_the_longest_pause_but_one_and_never_hectic(
        self, ages_s: list[float], expected: float | None
    ) -> None:
        stored("m", dict.fromkeys(ages_s, 1))
        assert track().every_s == expected

    def test_it_is_that_of_the_moment(self) -> None:
        stored("m", {1000: 1, 900: 1, 800: 1, 750: 1, 700: 1, 650: 1, 600: 1, 550: 1})
        assert (track(AT - 800).every_s, track(AT).every_s) == (100, 50)


def test_the_number_of_queries_does_not_grow_with_the_number_of_series(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for host in range(30):
        stored("m", {20: 1, 10: 2, 0: 3}, host=str(host))
    with django_assert_max_num_queries(6):
        assert len(reader.window(Query("m"), AT, AT - 60, AT, 10)) == 30
