"""Slots: who claims one runs it, and nobody else."""

import time

from redis import Redis

from metrics.live import slots

AT = 1_795_176_000.0


def test_a_slot_is_claimed_once(redis: Redis) -> None:
    assert slots.claim(1, 10, AT) == int(AT // 10)
    assert slots.claim(1, 10, AT + 9.9) is None
    assert slots.claim(1, 10, AT + 10) == int(AT // 10) + 1


def test_sources_do_not_share_slots(redis: Redis) -> None:
    assert slots.claim(1, 10, AT) is not None
    assert slots.claim(2, 10, AT) is not None


def test_an_interval_that_was_changed_begins_slots_of_its_own(redis: Redis) -> None:
    slots.claim(1, 10, AT)
    assert slots.claim(1, 60, AT) is not None


def test_a_source_is_entered_by_one_at_a_time(redis: Redis) -> None:
    assert slots.enter(1, 30)
    assert not slots.enter(1, 30)
    assert slots.enter(2, 30)
    slots.leave(1)
    assert slots.enter(1, 30)


def test_a_run_that_died_is_over_when_its_longest_time_is(redis: Redis) -> None:
    slots.enter(1, 0.02)
    until = time.monotonic() + 5
    while not slots.enter(1, 30):
        assert time.monotonic() < until


def test_a_claim_outlives_its_slot_and_not_much_more(redis: Redis) -> None:
    slots.claim(1, 3600, AT)
    (key,) = redis.keys("*")
    assert 3600 < redis.ttl(key) < 3 * 3600
