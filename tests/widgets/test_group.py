"""Series put together by labels."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from metrics.series.read import Point, Track
from metrics.widgets.group import Aggregate, group, top
from tests.widgets.make import AT
from tests.widgets.make import track as made

STEP_S = 30.0


def track(latest: float | None, points: Mapping[float, float] | None = None, **labels: str) -> Track:
    return replace(made(latest, points or {}), labels=labels)


def values(tracks: list[Track]) -> list[Any]:
    return [(dict(one.labels), one.latest.value if one.latest else None) for one in tracks]


MACHINES = [track(1, dc="x", host="a"), track(2, dc="x", host="b"), track(4, dc="y", host="c"), track(None, dc="y")]


@pytest.mark.parametrize(
    ("how", "x", "y"), [("sum", 3, 4), ("avg", 1.5, 4), ("min", 1, 4), ("max", 2, 4), ("count", 2, 1)]
)
def test_a_group_is_made_of_those_that_have_a_value(how: Aggregate, x: float, y: float) -> None:
    assert values(group(MACHINES, ["dc"], how, STEP_S)) == [({"dc": "x"}, x), ({"dc": "y"}, y)]


def test_without_labels_all_are_one() -> None:
    assert values(group(MACHINES, [], "sum", STEP_S)) == [({}, 7)]
    assert group([], [], "sum", STEP_S) == []


def test_a_label_that_a_series_lacks_is_no_label_of_its_group() -> None:
    assert values(group([track(1, host="a"), track(2)], ["dc"], "sum", STEP_S)) == [({}, 3)]


@pytest.mark.parametrize(("how", "expected"), [("sum", [3, 5]), ("max", [2, 5]), ("count", [2, 1])])
def test_the_steps_are_put_together_too(how: Aggregate, expected: list[float]) -> None:
    one, other = track(1, {600: 1}, host="a"), track(1, {600: 2, 30: 5}, host="b")
    (found,) = group([one, other], [], how, STEP_S)
    assert found.points == tuple(Point(AT - at, value) for at, value in zip((600, 30), expected, strict=True))


def test_a_group_is_as_old_as_its_newest_series() -> None:
    old = replace(track(1), latest=Point(AT - 900, 1), every_s=300.0)
    (found,) = group([old, track(1)], [], "sum", STEP_S)
    assert found.latest == Point(AT - 2, 2)
    assert found.every_s == 300


def test_which_is_newest_is_told_by_when_it_came() -> None:
    ahead = replace(made(1, age_s=900 - 990), ahead_s=990)
    (found,) = group([ahead, track(1)], [], "sum", STEP_S)
    assert (found.latest, found.ahead_s) == (Point(AT - 2, 2), 0)


def test_the_largest_come_first_and_those_without_a_value_not_at_all() -> None:
    assert values(top(MACHINES, 2)) == [({"dc": "y", "host": "c"}, 4), ({"dc": "x", "host": "b"}, 2)]
