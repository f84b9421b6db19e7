"""Rates: so much a minute for each holder, and never a refusal because Redis is away."""

import pytest
from redis import Redis, RedisError

from metrics.redis_state import limits

AT = 1_795_176_000.0  # a full minute


def test_as_much_as_is_allowed_and_no_more(redis: Redis) -> None:
    assert [limits.spend("a", 40, 100, AT) for _ in range(3)] == [0, 0, 60]


def test_what_is_refused_is_not_counted(redis: Redis) -> None:
    limits.spend("a", 60, 100, AT)
    assert limits.spend("a", 1000, 100, AT) > 0
    assert limits.spend("a", 40, 100, AT) == 0


def test_what_is_given_back_is_not_counted_in_its_minute(redis: Redis) -> None:
    limits.spend("a", 100, 100, AT)
    limits.give_back("a", 60, AT + 59)
    assert limits.spend("a", 61, 100, AT) > 0
    assert limits.spend("a", 60, 100, AT) == 0


def test_the_wait_ends_with_the_minute(redis: Redis) -> None:
    waits = [limits.spend("a", 101, 100, AT + s) for s in (0, 1.5, 59.9)]
    assert waits == [60, 59, 1]
    assert limits.spend("a", 100, 100, AT + 60) == 0


def test_holders_do_not_share(redis: Redis) -> None:
    limits.spend("a", 100, 100, AT)
    assert limits.spend("b", 100, 100, AT) == 0


def test_nothing_is_left_in_redis_for_ever(redis: Redis) -> None:
    limits.spend("a", 1, 100, AT)
    assert [key for key in redis.keys("*") if redis.ttl(key) < 0] == []


def test_without_redis_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr("redis.Redis.incrby", unreachable)
    assert limits.spend("a", 10**9, 1, AT) == 0
