"""Answers that are kept: the newest, for their time, and until a change."""

import pytest

from metrics.actions.fact_cache import FactCache
from metrics.health import store as health


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ([("a", 0, 1), ("b", 1, 1), ("c", 2, 1)], "bc"),  # the oldest goes
        ([("a", 0, 1), ("b", 1, 1), ("a", 10, 1), ("c", 10.5, 1)], "ac"),  # it was read again since
        ([("a", 0, 1), ("b", 9, 1), ("c", 10, 1)], "bc"),  # one is past its time
        ([("a", 0, 1), ("c", 10, 1)], "c"),  # also if there is room
        ([("a", 0, 1), ("c", 1, 2)], "c"),  # something changed
        ([("a", 0, 1), ("b", 1, 1), ("a", 2, 1)], "ab"),
    ],
)
def test_the_newest_are_kept_and_nothing_past_its_time(
    monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, float, int]], kept: str
) -> None:
    cache = FactCache[str]("alerts", 10.0, 2)
    for key, moment, number in asked:
        monkeypatch.setattr(health, "number_of", lambda fact, number=number: number)
        assert cache.get(moment, lambda: key, key) == key  # noqa: B023
    assert sorted(str(key) for key in cache._answers) == list(kept)
