"""Watchfloor's own samples."""

import time

import pytest
from redis import Redis, RedisError

from metrics.health import store as health
from metrics.health import traffic
from metrics.redis_state.round_trip import ask
from metrics.sample import check
from metrics.sources.base import SourceError
from metrics.sources.watchfloor import Watchfloor, WatchfloorConfig


def collect() -> dict[tuple[str, ...], float]:
    samples = Watchfloor().collect(WatchfloorConfig())
    check(samples, time.time())
    return {(one.metric, *one.labels.values()): one.value for one in samples}


def test_a_system_that_just_started_has_zeros(redis: Redis) -> None:
    assert collect() == {
        ("watchfloor_queue_depth", "collect"): 0,
        ("watchfloor_queue_depth", "system"): 0,
        ("watchfloor_queue_depth", "render"): 0,
        ("watchfloor_tick_lag_seconds",): 0,
        ("watchfloor_sockets",): 0,
        ("watchfloor_last_render_seconds",): 0,
    }


def test_it_tells_what_the_parts_recorded(redis: Redis) -> None:
    for at in (100, 103.5):
        ask(health.tick(at))
    traffic.rendered(0.25)
    redis.zadd("wf:waiting:topics", {"dashboard.1.1h": 1, "dashboard.1.6h": 2})
    found = collect()
    assert found["watchfloor_tick_lag_seconds",] == 2.5
    assert found["watchfloor_last_render_seconds",] == 0.25
    assert found["watchfloor_queue_depth", "render"] == 2


def test_without_redis_it_fails_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise RedisError("Connection refused")

    monkeypatch.setattr(health, "readings", unreachable)
    with pytest.raises(SourceError, match=r"^Redis does not answer: Connection refused\.$"):
        collect()
