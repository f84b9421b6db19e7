"""Signs of life of a process: what is noted goes with that of its worker, once, and each tells of itself alone."""

import pytest
from redis import Redis, RedisError

from metrics.health import life_signs, standstill
from metrics.health import store as health
from metrics.health.store import LifeSign, Sign

AT = 1_795_176_000.0


@pytest.fixture(autouse=True)
def _of_another_process(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> None:
    monkeypatch.setattr(life_signs, "_workers", [])
    monkeypatch.setattr(life_signs, "_noted", {})


def test_beat_that_hangs_gives_no_newer_sign_though_its_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_signs, "_workers", [LifeSign("render")])
    life_signs.note("beat", AT, 7)
    for second in range(3):
        life_signs.give(standstill.Watch(), AT + second, 100 + second)
    assert health.signs() == {"beat": Sign(AT, 7), "render": Sign(AT + 2, 2)}


def test_beat_may_be_a_process_by_itself() -> None:
    life_signs.give(standstill.Watch(), AT, 100)
    assert health.signs() == {}
    life_signs.note("beat", AT, 1)
    life_signs.give(standstill.Watch(), AT, 100)
    assert health.signs() == {"beat": Sign(AT, 1)}


def test_a_sign_is_given_once_as_another_process_may_have_given_a_newer_one() -> None:
    life_signs.note("alerts", AT)
    life_signs.give(standstill.Watch(), AT, 100)
    health.record("alerts", AT + 5)
    life_signs.give(standstill.Watch(), AT + 6, 106)
    assert health.signs() == {"alerts": Sign(AT + 5)}


def test_what_redis_did_not_take_is_given_later_unless_something_newer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        life_signs.note("beat", AT + 1)
        raise RedisError("away")

    life_signs.note("alerts", AT)
    life_signs.note("beat", AT)
    with monkeypatch.context() as patch:
        patch.setattr("redis.client.Pipeline.execute", away)
        with pytest.raises(RedisError):
            life_signs.give(standstill.Watch(), AT, 100)
    life_signs.give(standstill.Watch(), AT + 2, 102)
    assert health.signs() == {"alerts": Sign(AT), "beat": Sign(AT + 1)}
