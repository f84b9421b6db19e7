"""Functions of series, as they are read from the database."""

import pytest

from metrics.sample import Sample
from metrics.series import calculate
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.read import Point, Query, Track
from metrics.series.write import write
from tests.make import AT, stored

pytestmark = pytest.mark.django_db

HOUR = Window(AT, AT - 3600, AT, 30, AT - 3600)


def calculated(function: Function | None, window: Window = HOUR, points: bool = True) -> Track:
    (found,) = calculate.tracks(Query("m"), function, window, points=points)
    return found


def counter(values: dict[float, float], unit: str | None = None) -> None:
    write([Sample("m", value, {}, AT - before, unit, "counter") for before, value in values.items()], None, AT)


class TestCounters:
    def test_a_counter_is_read_as_its_rate(self) -> None:
        counter({90: 10, 60: 40, 30: 100})
        found = calculated(None)
        assert found.points == (Point(AT - 60, 1), Point(AT - 30, 1.5))
        assert found.latest == Point(AT - 30, 1.5)

    def test_the_first_step_of_a_window_has_grown_from_what_was_before(self) -> None:
        counter({3630: 10, 3600: 40, 3570: 70})
        assert calculated(None).points == (Point(AT - 3600, 1), Point(AT - 3570, 1))
        assert calculated(Function("increase")).latest == Point(AT - 3570, 60)

    def test_a_counter_can_be_read_as_it_is(self) -> None:
        counter({60: 40, 30: 100})
        assert calculated(Function("last")).points == (Point(AT - 60, 40), Point(AT - 30, 100))

    def test_a_reset_is_no_negative_rate(self) -> None:
        counter({90: 1000, 60: 30, 30: 60})
        assert [point.value for point in calculated(None).points] == [1, 1]

    @pytest.mark.parametrize(
        ("unit", "expected"),
        [("bytes", "bytes_per_second"), ("seconds", "ratio"), ("requests", "requests/s"), (None, "/s")],
    )
    def test_a_rate_has_the_unit_of_a_rate(self, unit: str | None, expected: str) -> None:
        counter({60: 1, 30: 2}, unit)
        assert calculated(None).unit == expected


class TestGauges:
    def test_without_a_function_it_is_the_mean_of_each_step_and_the_newest_value(self) -> None:
        stored("m", {60: 1, 50: 3, 30: 7})
        found = calculated(None)
        assert (found.points, found.latest) == ((Point(AT - 60, 2), Point(AT - 30, 7)), Point(AT - 30, 7))

    def test_with_one_the_newest_value_is_that_of_all_that_is_shown(self) -> None:
        stored("m", {7000: 99, 60: 1, 50: 3, 30: 2})
        found = calculated(Function("max"), Window(AT, AT - 7200, AT, 30, AT - 3600))
        assert found.latest == Point(AT - 30, 3)
        assert [point.value for point in found.points] == [99, 3, 2]

    def test_without_points_there_is_the_newest_value_alone(self) -> None:
        stored("m", {60: 1, 30: 3})
        assert calculated(Function("avg"), points=False) == calculated(Function("avg"), points=False)
        assert calculated(Function("avg"), points=False).latest == Point(AT - 30, 2)
        assert calculated(Function("avg"), points=False).points == ()

    @pytest.mark.parametrize("function", [Function("sum"), Function("quantile", 1), None])
    @pytest.mark.parametrize("rest_s", [0.0004, -0.0004, 0.00049, -0.00049])
    def test_a_window_may_begin_within_a_millisecond(self, function: Function | None, rest_s: float) -> None:
        stored("m", {60: 1, 31: 3})
        begin = AT - 90 + rest_s
        found = calculated(function, Window(AT, begin, AT, 90, begin))
        assert [point.at for point in found.points] == [AT - 90]
        assert found.latest is not None

    def test_what_lapsed_has_no_value(self) -> None:
        write([Sample("m", 1, {}, AT - 600, expires_after_s=60)], None, AT)
        assert calculated(Function("max")).latest is None


class TestQuantiles:
    def test_it_is_of_every_sample_and_of_each_step(self) -> None:
        stored("m", {60 - i: float(i) for i in range(21)})
        found = calculated(Function("quantile", 0.5))
        assert found.latest == Point(AT - 40, 10)
        assert found.points == (Point(AT - 60, 10),)

    def test_of_a_long_window_it_is_of_means(self) -> None:
        stored("m", {7200.0: 10, 7190.0: 20, 3600.0: 100})
        day = Window(AT, AT - 86_400, AT, 720, AT - 86_400)
        assert calculated(Function("quantile", 0.5), day).latest == Point(AT - 3600, 57.5)

    def test_nothing_shown_has_none(self) -> None:
        stored("m", {5000: 1})
        assert calculated(Function("quantile", 0.5), Window(AT, AT - 7200, AT, 30, AT - 3600)).latest is None
