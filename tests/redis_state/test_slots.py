"""Slots: who claims one runs it, and nobody else."""

import time
from itertools import pairwise

import pytest
from redis import Redis

from metrics.redis_state import slots

AT = 1_795_176_000.0


def claim(source: int, every_s: int, now: float) -> bool:
    (claimed,) = slots.claim([slots.interval(source, every_s, now)], now)
    return claimed


def claim_moment(source: int, at: float, now: float) -> bool:
    (claimed,) = slots.claim([slots.moment(source, at, 60)], now)
    return claimed


def test_many_are_claimed_at_once(redis: Redis) -> None:
    assert slots.claim([], AT) == []
    assert claim(2, 10, AT)
    wanted = [slots.interval(1, 10, AT), slots.interval(2, 10, AT), slots.moment(3, AT, 60)]
    assert slots.claim(wanted, AT) == [True, False, True]
    assert slots.claim(wanted, AT) == [False] * 3


def test_a_slot_is_claimed_once(redis: Redis) -> None:
    assert claim(1, 10, AT)
    assert not claim(1, 10, AT + 9.9)
    assert claim(1, 10, AT + 10)


def test_sources_do_not_share_slots(redis: Redis) -> None:
    assert claim(1, 10, AT)
    assert claim(2, 10, AT)


def test_an_interval_that_was_changed_begins_slots_of_its_own(redis: Redis) -> None:
    claim(1, 10, AT)
    assert claim(1, 60, AT)


def test_a_moment_is_claimed_once(redis: Redis) -> None:
    assert claim_moment(1, AT, AT)
    assert not claim_moment(1, AT, AT + 1)
    assert claim_moment(1, AT + 60, AT + 60)
    assert claim_moment(2, AT, AT)


@pytest.mark.parametrize("back_s", [30, 3600])
def test_after_the_clock_was_set_back_collecting_goes_on(redis: Redis, back_s: int) -> None:
    """No later than in the slot that begins next, and each slot is claimed once again."""
    paces = [1, 10, 60, 3600]

    def claimed(begin: int, end: int) -> list[list[int]]:
        """Return the seconds in which a source of each pace claims a slot."""
        found = [
            slots.claim([slots.interval(1, every_s, AT + second) for every_s in paces], AT + second)
            for second in range(begin, end)
        ]
        return [[second for second, one in enumerate(of_it, begin) if one] for of_it in zip(*found, strict=True)]

    assert claimed(0, 60) == [list(range(0, 60, every_s)) for every_s in paces]
    for every_s, again in zip(paces, claimed(60 - back_s, 120), strict=True):
        pauses = [later - sooner for sooner, later in pairwise([60 - back_s, *again, 120])]
        assert max(pauses) <= max(every_s, 5), every_s
        assert len({(AT + second) // every_s for second in again}) == len(again), every_s


def test_machines_whose_clocks_differ_by_little_share_their_slots(redis: Redis) -> None:
    assert claim(1, 10, AT)
    assert not claim(1, 10, AT - 4)
    assert claim(1, 10, AT + 10)
    assert not claim(1, 10, AT + 6)


def test_the_claim_of_a_moment_outlives_the_ticks_that_may_ask_for_it(redis: Redis) -> None:
    claim_moment(1, AT, AT)
    (key,) = redis.keys("*")
    assert 60 < redis.ttl(key) <= 120


def test_a_source_runs_once_at_a_time(redis: Redis) -> None:
    with slots.run(1, 30) as first, slots.run(1, 30) as second, slots.run(2, 30) as other:
        assert (first, second, other) == (True, False, True)
    with slots.run(1, 30) as again:
        assert again


def test_a_run_that_took_too_long_does_not_end_the_next_one(redis: Redis) -> None:
    with slots.run(1, 0.02) as slow:
        assert slow
        until = time.monotonic() + 5
        while redis.exists("wf:running:1"):
            assert time.monotonic() < until
        with slots.run(1, 30) as second:
            assert second
    with slots.run(1, 30) as third:
        assert third


def test_the_end_of_a_run_that_was_overtaken_leaves_the_lock_to_its_holder(redis: Redis) -> None:
    slow = slots.run(1, 0.02)
    assert slow.__enter__()
    until = time.monotonic() + 5
    while redis.exists("wf:running:1"):
        assert time.monotonic() < until
    with slots.run(1, 30):
        slow.__exit__(None, None, None)
        with slots.run(1, 30) as second:
            assert not second


def test_a_claim_outlives_its_slot_and_not_much_more(redis: Redis) -> None:
    claim(1, 3600, AT)
    (key,) = redis.keys("*")
    assert 3600 < redis.ttl(key) < 3 * 3600
