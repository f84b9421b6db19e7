"""Increases: each counts once, in whatever order they come, and what is stored never falls."""

import threading
from itertools import permutations

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import RunningTotal
from metrics.models import Sample as Row
from metrics.sample import Sample
from metrics.series.write import write
from tests.make import AT, sample

pytestmark = pytest.mark.django_db


def rise(value: float, at: float, since: float | None = None, metric: str = "orders_total") -> Sample:
    """Return an increase, its times in seconds after AT."""
    return Sample(metric, value, {}, AT + at, adds=True, since=None if since is None else AT + since)


def push(*samples: Sample, now: float = 0) -> None:
    """Store `samples` at `now`, in seconds after AT."""
    write(samples, None, AT + now)


def rows() -> list[tuple[float, float]]:
    """Seconds after AT, and the total then."""
    stored = Row.objects.order_by("at_ms").values_list("at_ms", "value")
    return [((at_ms - AT * 1000) / 1000, value) for at_ms, value in stored]


def test_the_total_is_stored() -> None:
    push(rise(5, 10))
    push(rise(2, 20), rise(1, 30))
    assert rows() == [(0.001, 0), (10, 5), (20, 7), (30, 8)]


def test_before_the_first_increase_there_was_nothing() -> None:
    push(rise(5, 10, since=0))
    push(rise(2, 20, since=10))
    assert rows() == [(0.001, 0), (10, 5), (20, 7)]


def test_in_a_pause_nothing_rose() -> None:
    push(rise(5, 10, since=0))
    push(rise(2, 100, since=90))
    assert rows()[2:] == [(90.001, 5), (100, 7)]


def test_an_increase_without_a_time_is_one_of_now() -> None:
    push(Sample("orders_total", 3, adds=True))
    assert rows() == [(-9.999, 0), (0, 3)]


def test_series_have_totals_of_their_own() -> None:
    push(rise(5, 10), rise(1, 10, metric="visits_total"), sample("plain", 9, AT))
    assert dict(RunningTotal.objects.values_list("series__metric", "value")) == {"orders_total": 5, "visits_total": 1}


def test_the_same_push_again_changes_nothing() -> None:
    batch = [rise(5, 10, since=0), rise(2, 20, since=10)]
    push(*batch)
    before = rows()
    push(*batch)
    push(rise(3, 30, since=20))
    push(*batch)
    push(rise(1, 40, since=30))
    assert rows() == [*before, (30, 10), (40, 11)]


def test_of_one_time_in_one_batch_the_first_counts() -> None:
    push(rise(5, 10), rise(7, 10))
    assert rows() == [(0.001, 0), (10, 5)]


@pytest.mark.parametrize("order", list(permutations([(0, 10, 1), (10, 20, 2), (20, 30, 4)])))
@pytest.mark.parametrize("known", [True, False])
def test_in_any_order_nothing_is_lost(order: list[tuple[float, float, float]], known: bool) -> None:
    for since, at, value in order:
        for _ in range(2):
            push(rise(value, at, since=since if known else None))
    push(rise(8, 40, since=30))
    assert rows()[-1] == (40, 15)
    totals = [value for _, value in rows()]
    assert totals == sorted(totals)


def test_what_comes_an_hour_late_is_left_out() -> None:
    push(rise(1, 0), rise(2, 4000), now=4000)
    push(rise(4, 399), rise(8, 400), now=4000)
    push(rise(16, 4001), now=4001)
    assert rows() == [(-9.999, 0), (0, 1), (400, 3), (4000, 3), (4001, 27)]


@pytest.mark.django_db(transaction=True)
def test_two_that_push_at_once_lose_nothing() -> None:
    names = [f"m{i}" for i in range(100)]
    start, errors = threading.Barrier(2), []

    def run(order: list[str], offset: float) -> None:
        try:
            for round_ in range(8):
                start.wait(10)
                push(*(rise(1, round_ + offset, metric=name) for name in order))
        except Exception as error:
            errors.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(names[::step], i / 2)) for i, step in enumerate((1, -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert set(RunningTotal.objects.values_list("value", flat=True)) == {16}


class AnyOrder(TestCase):
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 9)), min_size=1, max_size=4), max_size=4))
    def test_any_increases_are_counted_once(self, batches: list[list[tuple[int, int]]]) -> None:
        """Of each time the first counts; the last push of all shows it."""
        first: dict[int, int] = {}
        for batch in batches:
            push(*(rise(value, at) for at, value in batch))
            push(*(rise(value, at) for at, value in batch))
            for at, value in batch:
                first.setdefault(at, value)
        with transaction.atomic():
            push(rise(1, 3001))
        totals = [value for _, value in rows()]
        assert totals[-1] == sum(first.values()) + 1
        assert totals == sorted(totals)


@pytest.mark.parametrize("back_s", [30, 3600, 5 * 3600])
def test_increases_after_the_clock_was_set_back_show_once_it_has_caught_up(back_s: float) -> None:
    push(rise(5, 0))
    for second in (10, 20, 20):
        push(rise(1, second - back_s), now=second - back_s)
    push(rise(1, 60))
    assert rows()[-1] == (60, 5 + 2 + 1)


def test_an_increase_from_long_before_the_present_is_too_late() -> None:
    push(rise(5, 0))
    push(rise(1, -3601))
    push(rise(1, 60))
    assert rows()[-1] == (60, 5 + 1)
