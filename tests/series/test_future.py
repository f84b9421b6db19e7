"""Samples of the future: what is kept apart when the clock was set back, and what comes back."""

import pytest

from metrics.models import FutureSample, RunningTotal, Series
from metrics.models import Sample as Row
from metrics.sample import Sample
from metrics.series import future, read
from metrics.series.read import Query
from metrics.series.write import write
from metrics.widgets.freshness import of_tracks
from tests.make import AT

pytestmark = pytest.mark.django_db

EVERY_S = 10


def comes(since: float, until: float, value: float = 1, metric: str = "m") -> None:
    """Store a sample every ten seconds of since ≤ t < until, relative to AT, as they come."""
    for second in range(int(since), int(until), EVERY_S):
        write([Sample(metric, value, expected_every_s=EVERY_S)], None, AT + second)


def values(at: float, metric: str = "m") -> list[tuple[float, float]]:
    """Return times, relative to AT, and values of what there is until `at`, oldest first."""
    rows = Row.objects.filter(series__metric=metric, at_ms__lte=round((AT + at) * 1000)).order_by("at_ms")
    return [(at_ms / 1000 - AT, value) for at_ms, value in rows.values_list("at_ms", "value")]


def state(at: float) -> str:
    return of_tracks(read.tracks(Query("m"), AT + at), None, AT + at).state


@pytest.mark.parametrize("by_s", [30, 600, 3600])
def test_what_is_frozen_since_the_clock_was_set_back_grows_old(by_s: int) -> None:
    comes(-60, by_s)
    assert future.set_aside(AT) == by_s // EVERY_S - 1
    assert [state(at) for at in (0, 22, 24, 60, by_s + 60)] == ["fresh", "fresh", "late", "stale", "stale"]
    assert "fresh" not in {state(at) for at in (by_s - 5, by_s, by_s + 5)}


def test_what_comes_since_then_is_what_there_is() -> None:
    comes(-20, 60, value=1)
    future.set_aside(AT)
    comes(10, 60, value=2)
    assert values(60) == [(-20, 1), (-10, 1), (0, 1), (10, 2), (20, 2), (30, 2), (40, 2), (50, 2)]
    assert state(55) == "fresh"


def test_what_the_clock_skips_when_it_is_set_forward_again_comes_back() -> None:
    comes(0, 60, value=1)
    future.set_aside(AT)
    comes(10, 30, value=2)
    assert future.put_back(AT + 28, AT + 45) == 2
    assert values(100) == [(0, 1), (10, 2), (20, 2), (30, 1), (40, 1)]
    assert future.put_back(AT + 45, AT + 80) == 1
    assert values(100)[-1] == (50, 1)
    assert future.put_back(AT + 28, AT + 80) == 0


def test_more_come_back_than_fit_into_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(future, "ROWS_MOST", 3)
    monkeypatch.setattr(future, "PORTION", 1)
    for metric in ("m", "n"):
        comes(0, 60, metric=metric)
    assert future.set_aside(AT) == 10
    assert future.put_back(AT, AT + 60) == 10
    assert len(values(60)) == len(values(60, "n")) == 6


def test_twice_is_as_good_as_once() -> None:
    comes(0, 60)
    assert (future.set_aside(AT), future.set_aside(AT)) == (5, 0)
    comes(10, 60, value=2)
    assert future.set_aside(AT) == 0, "what is of the same times is kept only once"
    assert FutureSample.objects.filter(value=1).count() == 5


def test_what_a_clock_that_is_ahead_sends_stays() -> None:
    write([Sample("m", 1, at=AT + 30)], None, AT)
    assert future.set_aside(AT) == 0
    assert future.set_aside(AT - 60) == 1


def test_increases_go_on_from_the_newest_total() -> None:
    for second in range(0, 60, EVERY_S):
        write([Sample("m", 1, adds=True)], None, AT + second)
    future.set_aside(AT)
    assert RunningTotal.objects.get().at_ms == AT * 1000
    write([Sample("m", 1, adds=True)], None, AT + 10)
    assert values(10)[-2:] == [(0, 1), (10, 7)]


def test_what_time_has_passed_by_is_forgotten_after_two_days() -> None:
    comes(0, 60)
    future.set_aside(AT)
    future.forget_future(AT + 48 * 3600)
    assert FutureSample.objects.count() == 5
    future.forget_future(AT + 48 * 3600 + 31)
    assert FutureSample.objects.count() == 2


def test_a_series_that_is_removed_leaves_nothing() -> None:
    comes(0, 60)
    future.set_aside(AT)
    Series.objects.all().delete()
    assert not FutureSample.objects.exists()
