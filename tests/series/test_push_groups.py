"""Groups: who is in, who has to leave, and that what was, was."""

import pytest

from metrics.models import Series
from metrics.sample import series_key
from metrics.series import push_groups, read
from metrics.series.read import Point, Query
from tests.make import AT, stored

pytestmark = pytest.mark.django_db


def settle(*metrics: str, group: str = "g", names: set[str] | None = None, now: float = AT) -> list[str]:
    return [
        one.metric
        for one in push_groups.settle_group(group, {series_key(metric, {}) for metric in metrics}, names, now)
    ]


def latest(metric: str, at: float = AT) -> Point | None:
    (track,) = read.tracks(Query(metric), at)
    return track.latest


def test_who_is_not_named_again_leaves() -> None:
    for metric in "abc":
        stored(metric, {10: 1})
    assert settle("a", "b") == []
    assert settle("b", "c") == ["a"]
    assert [latest(metric) is not None for metric in "abc"] == [False, True, True]


def test_only_those_of_certain_names_have_to() -> None:
    for metric in "ab":
        stored(metric, {10: 1})
    settle("a", "b")
    assert settle(names={"b", "c"}) == ["b"]
    assert latest("a") == Point(AT - 10, 1)


def test_other_groups_are_not_concerned() -> None:
    for metric in "ab":
        stored(metric, {10: 1})
    settle("a", group="g")
    settle("b", group="h")
    assert settle(group="h") == ["b"]
    assert latest("a") == Point(AT - 10, 1)


def test_a_series_goes_over_to_who_named_it_last() -> None:
    stored("a", {10: 1})
    settle("a", group="g")
    settle("a", group="h")
    assert settle(group="g") == []
    assert settle(group="h") == ["a"]


def test_it_is_gone_from_then_on_and_was_there_before() -> None:
    stored("a", {1000: 1})
    settle("a", now=AT - 1000)
    settle(now=AT - 10)
    assert latest("a", AT - 11) == Point(AT - 1000, 1)
    assert latest("a", AT - 10) is None
    assert latest("a", AT) is None


def test_leaving_again_does_not_change_when_it_left() -> None:
    stored("a", {1000: 1})
    settle("a")
    settle(now=AT - 10)
    settle(now=AT)
    assert latest("a", AT - 5) is None
    assert latest("a", AT - 11) == Point(AT - 1000, 1)


def test_a_newer_value_counts_again_and_an_older_one_does_not() -> None:
    stored("a", {1000: 1})
    settle("a")
    settle(now=AT - 10)
    stored("a", {20: 2})
    assert latest("a") is None
    stored("a", {5: 3})
    assert latest("a") == Point(AT - 5, 3)


def test_a_push_that_waited_for_another_is_the_last_all_the_same() -> None:
    """Its time is earlier than that of the other, which was stored first."""
    stored("a", {5: 1})
    settle("a", now=AT - 5)
    stored("b", {10: 2})
    assert settle("b", now=AT - 10) == ["a"]
    assert (latest("a"), latest("b")) == (None, Point(AT - 10, 2))


def test_what_ended_meanwhile_counts_again_for_who_waited() -> None:
    stored("a", {1000: 1})
    settle("a", now=AT - 1000)
    settle(now=AT - 5)
    stored("a", {10: 2})
    settle("a", now=AT - 10)
    assert latest("a") == Point(AT - 10, 2)


def test_there_may_be_many() -> None:
    Series.objects.bulk_create(Series(key=series_key(f"m{n}", {}), metric=f"m{n}") for n in range(3000))
    settle(*(f"m{n}" for n in range(3000)))
    assert len(settle("m0")) == 2999
