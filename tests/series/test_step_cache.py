"""The cache of steps: whatever is read of the past, the present is remembered as it was."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from metrics.sample import Sample
from metrics.series import reader, rollup, step_cache
from metrics.series.read import Query, Track
from metrics.series.write import write
from tests.make import AT

pytestmark = pytest.mark.django_db

HOURS, EVERY_S, STEP_S = 6, 60, 60
WINDOWS = 100
NOW = AT // 3600 * 3600 + 1800.0

Read = Callable[[int], list[Track]]


def window(at: float, end: float, step_s: float = STEP_S) -> list[Track]:
    return reader.window(Query("m"), at, end - 3600, end, step_s)


def present() -> list[list[Track]]:
    """Two ranges that an open page shows."""
    return [window(NOW, NOW), window(NOW, NOW, 3 * STEP_S)]


PAST: dict[str, Read] = {
    "absolute ranges with the same steps": lambda number: window(NOW, NOW - 600 - number * STEP_S),
    "absolute ranges with other steps": lambda number: window(NOW, NOW - 600 - number * STEP_S, 61 + number),
    "as of a past moment": lambda number: window(NOW - 600 - number * 25, NOW),
    "as of a past moment, with ranges of then": lambda number: window(*[NOW - 600 - number * STEP_S] * 2),
}


@pytest.fixture(autouse=True)
def _stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hours are rolled, and there is room to remember the present and hardly more."""
    samples = [Sample("m", n % 7, {}, NOW - n * EVERY_S) for n in range(HOURS * 3600 // EVERY_S)]
    write(samples, None, NOW)
    rollup.roll(NOW)
    monkeypatch.setattr(step_cache, "POINTS_MOST", 100)


@pytest.mark.parametrize("past", PAST.values(), ids=PAST)
def test_the_past_leaves_what_is_remembered_of_the_present(
    past: Read, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shown = present()
    remembered = list(step_cache._memories.items())
    with CaptureQueriesContext(connection) as again:
        assert present() == shown
    for number in range(WINDOWS):
        past(number)
    assert list(step_cache._memories.items()) == remembered
    with django_assert_num_queries(len(again)):
        assert present() == shown


@pytest.mark.parametrize("past", PAST.values(), ids=PAST)
def test_the_past_is_the_same_whether_the_present_is_remembered(past: Read) -> None:
    def read() -> Iterator[list[Track]]:
        for number in range(0, WINDOWS, 20):
            yield past(number)

    fresh = list(read())
    assert all(track.points for (track,) in fresh)
    step_cache.forget()
    present()
    assert list(read()) == fresh


def test_a_window_is_remembered_once_it_is_read_as_of_the_present() -> None:
    window(NOW - 600, NOW)
    assert not step_cache._memories
    present()
    assert step_cache._memories
