"""Growth of a counter at its very beginning, if its start is known."""

import pytest

from metrics.models import Late, Sample, Series
from metrics.sample import Sample as SampleOf
from metrics.series import calculate, step_cache
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.read import Query
from metrics.series.write import write
from tests.make import AT

pytestmark = pytest.mark.django_db

HOUR = 3600.0
Said = tuple[float, float, float | None]
"""Seconds after AT, value, and since when it was counted."""


def push(*said: Said, adds: bool = False) -> None:
    for at, value, since in said:
        since_at = None if since is None else AT + since
        write([SampleOf("m", value, {}, AT + at, type="counter", adds=adds, since=since_at)], None, AT + at)


def increases() -> set[float | None]:
    """Return the increase over ranges that have all of it, in steps of many widths."""
    found: set[float | None] = set()
    for range_s, step_s in ((900, 10), (900, 900), (3600, 30), (3600, 3600), (86_400, 720), (86_400 * 30, 21_600)):
        step_cache.forget()
        end = AT + 600
        window = Window(end, end - range_s, end, step_s, end - range_s)
        (one,) = calculate.tracks(Query("m"), Function("increase"), window, points=True)
        found.add(None if one.latest is None else one.latest.value)
    return found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(10, 15, 0)], 15),
        ([(10, 15, 0), (20, 18, 0)], 18),
        ([(10, 15, 9.9998), (20, 18, 9.9998)], 18),
        ([(10, 15, 0), (20, 18, 0), (70, 4, 60)], 22),
        ([(10, 15, 0), (70, 40, 60)], 55),
        ([(10, 15, None), (20, 18, None)], 3),
        ([(10, 15, None), (20, 18, 0)], 3),
        ([(10, 15, 10), (20, 18, 10)], 3),
        ([(10, 15, -200_000), (20, 18, -200_000)], 3),
        ([(20, 18, 0), (10, 15, 0)], 18),
    ],
    ids=[
        "one point",
        "two points",
        "a start in the same millisecond",
        "a restart",
        "a restart that is seen late, its value above the one before",
        "no start",
        "a start that is told when samples are there",
        "a start that is the first sample",
        "a start long ago",
        "in any order",
    ],
)
def test_a_total_grew_from_zero_since_its_start(said: list[Said], expected: float) -> None:
    push(*said)
    assert increases() == {expected}


@pytest.mark.parametrize("since", [0, None])
def test_an_increase_is_one_in_every_range(since: float | None) -> None:
    push((10, 5, since), adds=True)
    assert increases() == {5}


def test_a_start_is_written_once() -> None:
    push(*((10.0 * i, 15, 0) for i in range(1, 60)))
    assert Sample.objects.count() == 60
    assert Series.objects.get().started_at_ms == AT * 1000
    assert not Late.objects.exists()
