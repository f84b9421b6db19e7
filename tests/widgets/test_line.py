"""The line: series over a window."""

import dataclasses
import math
import re
from itertools import accumulate
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from metrics.series.read import Point
from metrics.widgets import ranges
from metrics.widgets.line import LineKind, LineView
from metrics.widgets.line_config import LineConfig
from metrics.widgets.ranges import Window
from tests.widgets.make import AT, config, named, steps, window

WINDOW = window("1h")
FINER = ranges.finer(WINDOW)
LEVEL = steps(5, WINDOW)


def view(*series: Any, window: Window = WINDOW, **fields: Any) -> LineView:
    return LineKind().view(LineConfig.model_validate(config(**fields)), list(series), window)


def ends(path: str) -> list[tuple[int, int]]:
    """Return where each piece of a relative path ends."""
    found = []
    for piece in re.findall(r"M([^Mz]+)", path):
        numbers = [int(number) for number in re.findall(r"-?\d+", piece)]
        found.append((sum(numbers[0::2]), sum(numbers[1::2])))
    return found


def test_each_series_has_a_name_a_value_and_a_colour_of_its_own() -> None:
    shown = view(named("a", 5, LEVEL, unit="percent"), named("b", 6, LEVEL, unit="percent"))
    assert [(line.name, str(line.value), line.colour) for line in shown.lines] == [
        ("a", "5.0\u202f%", 1),
        ("b", "6.0\u202f%", 2),
    ]
    assert not shown.empty


def test_no_more_series_than_colours_and_the_rest_is_counted() -> None:
    shown = view(*(named(str(i), 5, LEVEL) for i in range(11)))
    assert len(shown.lines) == 8
    assert shown.more == 3


def test_without_points_it_is_empty_but_has_axes() -> None:
    for shown in (view(), view(named("a")), view(named("a", 5, age_s=9000))):
        assert shown.empty
        assert shown.values.ticks
        assert shown.times


def test_a_level_line_crosses_the_whole_window_in_one_stroke() -> None:
    (line,) = view(named("a", 5, LEVEL), min=0, max=10).lines
    assert line.path == "M4 200l992 0"
    assert line.dots == line.area == ""


GAPS = [
    # how many 30-second steps are missing in the middle, how often data comes, pieces
    (0, 10, 1),
    (1, 10, 1),
    (2, 10, 2),
    (6, 60, 2),
    (3, 60, 1),
    (20, 600, 1),
    (2, None, 2),
]


@pytest.mark.parametrize(("missing", "every_s", "pieces"), GAPS)
def test_a_gap_is_drawn_as_a_gap(missing: int, every_s: float | None, pieces: int) -> None:
    points = [*LEVEL[:50], *LEVEL[50 + missing :]]
    (line,) = view(named("a", 5, points, every_s=every_s)).lines
    assert line.path.count("M") == pieces


def test_how_often_data_comes_can_be_set_by_the_widget() -> None:
    points = [*LEVEL[:50], *LEVEL[60:]]
    assert view(named("a", 5, points), every_s=600).lines[0].path.count("M") == 1


def test_a_point_that_stands_alone_is_a_dot() -> None:
    (line,) = view(named("a", 5, {1800: 5.0}), min=0, max=10).lines
    assert line.path == ""
    assert re.fullmatch(r"M\d+ 200h\.1", line.dots)


def test_points_outside_the_window_and_no_numbers_are_not_drawn() -> None:
    (line,) = view(named("a", 5, [Point(AT - 9000, 5), *LEVEL, Point(AT + 9000, 5)]), min=0, max=10).lines
    assert line.path == "M4 200l992 0"
    assert view(named("a", 5, [Point(AT - 60, math.nan), Point(AT - 30, math.inf)])).empty


def test_stacked_series_stand_on_each_other() -> None:
    shown = view(named("a", 2, steps(2, WINDOW)), named("b", 3, steps(3, WINDOW)), stacked=True, max=10)
    assert [ends(line.path)[0][1] for line in shown.lines] == [320, 200]
    assert all(line.area.endswith("z") for line in shown.lines)
    assert shown.values.low == 0


def test_in_the_gap_of_one_series_the_stack_closes_up() -> None:
    lower = [*steps(2, WINDOW)[:40], *steps(2, WINDOW)[80:]]
    shown = view(named("a", 2, lower), named("b", 3, steps(3, WINDOW)), stacked=True, max=10)
    assert shown.lines[0].area.count("M") == 2
    assert shown.lines[1].area.count("M") == 1


def test_many_series_are_drawn_in_longer_steps() -> None:
    wave = noise(0)
    one = view(named("a", 1, wave), window=FINER)
    many = view(*(named(str(i), 1, wave) for i in range(8)), window=FINER)
    assert len(many.lines[0].path) < 0.65 * len(one.lines[0].path)


def noise(seed: int, spread: float = 50) -> list[Point]:
    """Return a point for each of the finer steps; those that differ most from each other make the longest paths."""
    random = Random(seed)
    means = [(point.at, 50 + random.uniform(-spread, spread)) for point in steps(0, FINER)]
    return [Point(at, mean, mean - spread * random.random(), mean + spread * random.random()) for at, mean in means]


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 8])
def test_the_paths_of_however_many_series_are_small(count: int, stacked: bool) -> None:
    shown = view(*(named(str(i), 1, noise(i)) for i in range(count)), window=FINER, stacked=stacked)
    assert sum(len(line.path) + len(line.area) + len(line.band) for line in shown.lines) < 11_000
    points = re.split(r"[ l-]", shown.lines[0].path)
    assert len(points) > 2 * 60


SPIKE_AT = 200


@pytest.mark.parametrize("count", range(1, 9))
def test_what_is_greatest_and_least_in_its_step_reaches_the_edges(count: int) -> None:
    """A step of ten samples has one of 1000 and one of -1000, and the mean of all is 10."""
    spiky = [Point(one.at, 10, 10, 10) for one in steps(10, FINER)]
    spiky[SPIKE_AT] = replace(spiky[SPIKE_AT], low=-1000, high=1000)
    shown = view(*(named(str(i), 10, spiky) for i in range(count)), window=FINER)
    assert (shown.values.low, shown.values.high) == (-1000, 1000)
    for line in shown.lines:
        xs, ys = zip(*places(line.band or line.path), strict=True)
        assert (min(ys), max(ys)) == (0, 400)
        assert xs[ys.index(0)] == pytest.approx(1000 * SPIKE_AT / len(spiky), abs=4000 / len(spiky))


def test_a_band_is_drawn_only_where_it_can_be_seen() -> None:
    level = [Point(one.at, 10, 10, 10) for one in steps(10, FINER)]
    level[100] = replace(level[100], high=20)
    level[200] = replace(level[200], high=10.01)
    (line,) = view(named("a", 10, level), window=FINER, min=0, max=40).lines
    assert line.band == "M271 300l8-100 9 100 0 0-17 0z"


def places(path: str) -> list[tuple[int, int]]:
    """Return the points of a relative path in one piece."""
    numbers = [int(number) for number in re.findall(r"-?\d+", path)]
    return list(zip(accumulate(numbers[0::2]), accumulate(numbers[1::2]), strict=True))


def test_a_series_that_ended_says_so() -> None:
    shown = view(named("a", 5, LEVEL), named("b", 5, LEVEL, age_s=600))
    assert [line.stale for line in shown.lines] == [False, True]


def test_the_same_arguments_give_the_same_view() -> None:
    series = named("a", 5, LEVEL)
    assert view(series) == view(series)


def test_limits_lie_on_the_axis_and_say_what_they_are() -> None:
    limits = {"warn": 80, "critical": 95}
    shown = view(
        named("a", 5, LEVEL, unit="percent"), thresholds=limits, goals=[{"value": 50, "name": "agreed"}, {"value": 7}]
    )
    assert shown.values.high == 100
    assert [(one.level, one.place, one.text) for one in shown.limits] == [
        ("warn", "20.0%", "Warning 80.0\u202f%"),
        ("critical", "5.0%", "Critical 95.0\u202f%"),
        ("goal", "50.0%", "agreed 50.0\u202f%"),
        ("goal", "93.0%", "7.0\u202f%"),
    ]
    assert [one.below for one in shown.limits] == [True, False, False, False]
    fixed = view(named("a", 5, LEVEL), thresholds=limits, min=0, max=10, fixed=True)
    assert (fixed.values.high, fixed.limits) == (10, ())


def test_only_what_is_an_end_of_the_axis_is_drawn_at_it() -> None:
    for value, y in (
        (100.0, 0),
        (99.999999999999, 0),
        (99.97, 1),
        (99.7, 1),
        (50, 200),
        (0.04, 399),
        (1e-300, 400),
        (0, 400),
    ):
        shown = view(named("a", value, {1800: value, 1770: value}, unit="percent"), min=0, max=100)
        assert {found for _, found in places(shown.lines[0].path)} == {y}, value
        assert not shown.values.cut


def test_an_axis_says_whether_something_is_beyond_it() -> None:
    ends: dict[str, Any] = {"min": 1, "max": 10, "fixed": True}
    for value, cut in ((5.0, False), (10.0, False), (11.0, True), (0.5, True)):
        for scale in ("linear", "log"):
            assert view(named("a", value, {1800: value}), scale=scale, **ends).values.cut is cut, (value, scale)


def test_a_fixed_axis_leaves_what_is_beyond_at_its_edge() -> None:
    shown = view(named("a", 5, {1800: 5.0, 1770: 500.0, 1740: -3.0}), min=0, max=10, fixed=True)
    assert (shown.values.low, shown.values.high) == (0, 10)
    assert [y for _, y in places(shown.lines[0].path)] == [200, 0, 400]


def test_on_a_logarithmic_axis_each_tenfold_is_as_high() -> None:
    shown = view(named("a", 5, {1800: 1.0, 1770: 10.0, 1740: 100.0, 1710: 0.0, 1680: -4.0}), scale="log")
    assert [y for _, y in places(shown.lines[0].path)] == [400, 200, 0]
    assert [(one.place, one.text) for one in shown.values.ticks][:4] == [
        ("100.0%", "1"),
        ("84.9%", "2"),
        ("65.1%", "5"),
        ("50.0%", "10"),
    ]
    wide = view(named("a", 5, {1800: 3.0, 1770: 4e9}, unit="bytes"), scale="log")
    assert [one.text for one in wide.values.ticks] == ["10\u202fB", "9.77\u202fKiB", "9.54\u202fMiB", "9.31\u202fGiB"]
    assert view(named("a", 5, {1800: -1.0}), scale="log").empty


DRAWN = [("line", 0, 3), ("steps", 0, 6), ("points", 3, 0)]


TWO: dict[str, Any] = {"queries": [{"metric": "m"}, {"metric": "n", "axis": "right"}]}


def two(one: Any, other: Any, **fields: Any) -> LineView:
    series = [dataclasses.replace(each, of=place) for place, each in enumerate((one, other))]
    return view(*series, **TWO, **fields)


def test_the_right_axis_has_a_scale_a_unit_and_ends_of_its_own() -> None:
    few, many = named("few", 5, LEVEL, unit="percent"), named("many", 9e6, steps(9e6, WINDOW), unit="bytes")
    shown = two(few, many, min=0, max=10, right={"min": 0, "max": 18e6, "fixed": True}, goals=[{"value": 7}])
    assert shown.right is not None
    assert [(one.low, one.high, one.symbol) for one in (shown.values, shown.right)] == [(0, 10, "%"), (0, 18e6, "MiB")]
    assert [(line.path, line.right) for line in shown.lines] == [("M4 200l992 0", False), ("M4 200l992 0", True)]
    assert [str(line.value) for line in shown.lines] == ["5.0\u202f%", "8.58\u202fMiB"]
    assert len(shown.limits) == 1


def test_the_right_axis_alone_may_be_logarithmic() -> None:
    shown = two(named("a", 5, LEVEL), named("b", 100, steps(100, WINDOW)), right={"scale": "log", "min": 1, "max": 1e4})
    assert shown.right is not None
    assert (shown.values.log, shown.right.log) == (False, True)
    assert shown.lines[1].path == "M4 200l992 0"


def test_an_expression_may_be_on_the_right_and_all_on_the_right_are_on_the_left() -> None:
    on_right: dict[str, Any] = {
        "queries": [{"metric": "m", "name": "A"}],
        "expressions": [{"expression": "A * 2", "axis": "right"}],
    }
    both = [dataclasses.replace(named(str(of), 5, LEVEL), of=of) for of in (0, 1)]
    assert [line.right for line in view(*both, **on_right).lines] == [False, True]
    alone = view(both[1], **on_right, right={"unit": "percent"})
    assert (alone.right, alone.values.symbol, [line.right for line in alone.lines]) == (None, "%", [False])


@pytest.mark.parametrize(
    ("units", "sides", "rights"),
    [
        (["bytes", "bytes"], ["unit", "unit"], [False, False]),
        (["bytes", "seconds", "bytes"], ["unit"] * 3, [False, True, False]),
        (["bytes", "seconds", "seconds"], ["unit", "left", "unit"], [True, False, False]),
        (["bytes", "seconds"], ["right", "unit"], [True, False]),
    ],
)
def test_series_of_another_unit_may_be_on_the_right(units: list[str], sides: list[str], rights: list[bool]) -> None:
    series = [dataclasses.replace(named(str(of), 5, LEVEL, unit=unit), of=of) for of, unit in enumerate(units)]
    queries = [{"metric": "m", "axis": side} for side in sides]
    assert [line.right for line in view(*series, queries=queries).lines] == rights


@pytest.mark.parametrize(("draw", "dots", "corners"), DRAWN)
def test_values_are_drawn_as_lines_steps_or_points(draw: str, dots: int, corners: int) -> None:
    (line,) = view(named("a", 5, {1800: 1.0, 1770: 2.0, 1740: 3.0}), draw=draw).lines
    assert line.dots.count("M") == dots
    assert len(places(line.path)) == corners


def test_an_area_is_filled_down_to_zero() -> None:
    (line,) = view(named("a", 5, {1800: 10.0, 1770: -10.0}), fill=True, min=-20, max=20).lines
    assert places(line.area)[-1][1] == places(line.area)[-2][1] == 200


def test_a_table_has_mean_least_and_greatest() -> None:
    points = [Point(AT - 60, 10, 4, 12), Point(AT - 30, 20, 19, 90)]
    (line,) = view(named("a", 5, points), window=FINER, legend="table").lines
    assert line.summary
    assert [str(one) for one in (line.summary.mean, line.summary.least, line.summary.greatest)] == ["15", "4", "90"]
    assert view(named("a", 5, points)).lines[0].summary is None


def test_colours_by_labels_are_the_same_on_every_chart_and_never_twice_on_one() -> None:
    def colours(*hosts: str) -> dict[str, int]:
        series = [named(host, 1, LEVEL) for host in hosts]
        labelled = [
            dataclasses.replace(one, track=dataclasses.replace(one.track, labels={"host": one.name})) for one in series
        ]
        return {line.name: line.colour for line in view(*labelled, colours="labels").lines}

    every = colours(*"abcdefgh")
    assert sorted(every.values()) == list(range(1, 9))
    assert colours(*"hgfedcba") == every
    assert colours("a") == {"a": every["a"]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"fixed": True, "min": 1}, "a fixed axis needs min, and a max that is more"),
        ({"scale": "log", "min": 0}, "more than zero from min to max"),
        ({"scale": "log", "stacked": True}, "can't have a logarithmic axis"),
        ({"stacked": True, "draw": "points"}, "stacked series are drawn as lines"),
        ({"stacked": True, **TWO}, "stacked series share one axis"),
        ({"right": {"fixed": True}}, "a fixed axis needs min"),
    ],
)
def test_what_can_not_be_drawn_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LineConfig.model_validate(config(**fields))
