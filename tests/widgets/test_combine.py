"""Series made into one, whose samples come at different times."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from metrics.series.read import Point, Track
from metrics.widgets.arithmetic import evaluate
from metrics.widgets.combine import combined
from metrics.widgets.group import group
from tests.widgets.make import AT
from tests.widgets.make import track as made

STEP_S = 10.0


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


def seen(points: Any) -> list[tuple[float, float]]:
    return [(AT - point.at, point.value) for point in points]
