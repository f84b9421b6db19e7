"""Series made into one, whose samples come at different times."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.sample import Sample
from metrics.series import calculate
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.read import Point, Query, Track
from metrics.series.write import write
from metrics.widgets.arithmetic import evaluate
from metrics.widgets.combine import combined, usual
from metrics.widgets.group import group
from metrics.widgets.line_curves import stacked
from tests.widgets.make import AT
from tests.widgets.make import track as made

STEP_S = 10.0


@pytest.mark.parametrize(
    ("unit", "how"),
    [
        ("percent", "avg"),
        ("milliseconds", "avg"),
        ("ms", "avg"),
        ("°C", "avg"),
        ("bytes", "sum"),
        ("orders", "sum"),
        ("", "sum"),
    ],
)
def test_a_unit_says_how_its_series_become_one(unit: str, how: str) -> None:
    assert usual(unit) == how


def track(before: float | None, points: Mapping[float, float], value: float = 2, **labels: str) -> Track:
    """Return a series with a sample of 2 a minute; `before` is how old the one before the window is."""
    held = None if before is None else Point(AT - before, value)
    return replace(made(value, points, every_s=60), labels=labels, before=held)


EDGES = [
    # how long before the end the last sample before a window of 90 s was, and whether it still counts
    (110, True),
    (240, True),  # 2.5 times a minute before the first step at which another series has one
    (241, False),
    (None, False),
]


@pytest.mark.parametrize(("before", "holds"), EDGES)
def test_a_series_has_its_value_from_before_the_window(before: float | None, holds: bool) -> None:
    early, late = track(None, {90: 2, 30: 2}), track(before, {50: 2})
    expected = [(90, 4 if holds else 2), (50, 4), (30, 4)]
    assert seen(combined([early, late], "sum", STEP_S)) == expected
    (grouped,) = group([early, late], [], "sum", STEP_S)
    assert seen(grouped.points) == expected
    (added,) = evaluate("A + B", {"A": [early], "B": [late]}, STEP_S)
    assert seen(added.points) == (expected if holds else expected[1:])


def test_what_is_made_of_series_has_a_value_from_before_the_window_too() -> None:
    tracks = [track(130, {70: 2}), track(110, {50: 2})]
    (grouped,) = group(tracks, [], "sum", STEP_S)
    (added,) = evaluate("(A + B) * 1", {"A": tracks[:1], "B": tracks[1:]}, STEP_S)
    assert grouped.before == added.before == Point(AT - 110, 4)
    assert seen(grouped.points) == seen(added.points) == [(70, 4), (50, 4)]


@pytest.mark.parametrize("text", ["A + B", "B + A", "A * 1 + B", "A - B * -1"])
def test_a_calculation_with_sums_does_not_dip_where_the_window_begins(text: str) -> None:
    """A is a sum of two series that come in turn, B has a value at each of their times."""
    early, late, other = track(None, {90: 2, 30: 2}), track(110, {50: 2}), track(None, {90: 2, 50: 2, 30: 2})

    def calculated(*summed: Track) -> list[tuple[float, float]]:
        (added,) = evaluate(text, {"A": group(summed, [], "sum", STEP_S), "B": [other]}, STEP_S)
        return seen(added.points)

    assert calculated(early, late) == [(90, 6), (50, 6), (30, 6)]
    assert calculated(early, replace(late, before=None)) == [(90, 4), (50, 6), (30, 6)]


COUNTED = st.lists(st.integers(0, 9), min_size=15, max_size=15)


def increases(counted: Sequence[int], offset_s: int, step_s: int) -> Track:
    """Return by how much a counter grew in each step that has one of its samples, which come once a minute."""
    by_step: dict[float, float] = defaultdict(float)
    for place, grown in enumerate(counted):
        by_step[(offset_s + 60 * place) // step_s * step_s] += grown
    points = [Point(AT + at, grown) for at, grown in by_step.items()]
    return replace(made(1, points, every_s=60), before=Point(AT - step_s, 5), per_step=True)


@given(COUNTED, COUNTED, st.integers(0, 59), st.integers(0, 59), st.sampled_from([5, 10, 20, 30, 60, 90, 180, 900]))
def test_increases_that_are_put_together_add_up_the_same_in_any_step(
    one: list[int], other: list[int], offset_s: int, other_offset_s: int, step_s: int
) -> None:
    first, second = increases(one, offset_s, step_s), increases(other, other_offset_s, step_s)
    tracks = [first, second]
    (grouped,) = group(tracks, [], "sum", step_s)
    (mean,) = group(tracks, [], "avg", step_s)
    (added,) = evaluate("A + B", {"A": [first], "B": [second]}, step_s)
    (less,) = evaluate("(A - B * 0.5) * 2", {"A": [first], "B": [second]}, step_s)
    (nested,) = evaluate("A + B", {"A": [grouped], "B": [added]}, step_s)
    top = stacked(tracks, step_s, None)[-1]
    total = sum(one) + sum(other)
    assert added_up(grouped.points) == added_up(combined(tracks, "sum", step_s)) == added_up(added.points) == total
    assert added_up(less.points) == 2 * sum(one) - sum(other)
    assert added_up(mean.points) == total / 2
    assert added_up(nested.points) == 2 * total
    assert {point.at: point.value for piece in top.pieces for point in piece}.items() <= {
        point.at: point.value for point in grouped.points
    }.items()


def added_up(points: Sequence[Point]) -> float:
    return sum(point.value for point in points if point.at >= AT)


def test_a_share_of_increases_is_that_of_the_newest_ones() -> None:
    """Errors and requests of a minute come in turn, and neither has a step of its own without any."""
    errors, requests = increases([1] * 15, 0, 10), increases([10] * 15, 30, 10)
    for text in ("A / B * 100", "A / (A + B * 0.9) * 100", "(A + A) / (B * 2) * 100"):
        (share,) = evaluate(text, {"A": [errors], "B": [requests]}, STEP_S)
        assert {point.value for point in share.points if point.at >= AT + 30} == {10}, text
        assert not share.per_step


@pytest.mark.django_db
@pytest.mark.parametrize("step_s", [10, 30, 60, 900])
def test_two_counters_that_come_in_turn_grow_as_both_do(step_s: float) -> None:
    for name, offset_s in (("a", 0), ("b", 30)):
        told = [Sample("m", at // 60, {"host": name}, AT + at, type="counter") for at in range(offset_s - 120, 900, 60)]
        write(told, None, AT + 900)
    window = Window(AT + 900, AT, AT + 900, step_s, AT)
    for function, expected in ((Function("increase"), 30), (Function("count"), 30), (Function("sum"), 210)):
        tracks = calculate.tracks(Query("m"), function, window, points=True)
        (grouped,) = group(tracks, [], "sum", step_s)
        assert grouped.latest is not None
        assert added_up(grouped.points) == grouped.latest.value == expected, function


def seen(points: Any) -> list[tuple[float, float]]:
    return [(AT - point.at, point.value) for point in points]
