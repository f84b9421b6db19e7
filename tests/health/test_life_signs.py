"""Signs of life of a process: what is noted goes with that of its worker, once, and each tells of itself alone."""

import threading

import pytest
from redis import Redis, RedisError
from structlog.testing import capture_logs

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


@pytest.mark.parametrize("error", [RedisError, ValueError])
def test_what_redis_did_not_take_is_given_later_unless_something_newer_is(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        life_signs.note("beat", AT + 1)
        raise error("away")

    life_signs.note("alerts", AT)
    life_signs.note("beat", AT)
    with monkeypatch.context() as patch:
        patch.setattr("redis.client.Pipeline.execute", unreachable)
        with pytest.raises(error):
            life_signs.give(standstill.Watch(), AT, 100)
    life_signs.give(standstill.Watch(), AT + 2, 102)
    assert health.signs() == {"alerts": Sign(AT), "beat": Sign(AT + 1)}


@pytest.mark.parametrize(("error", "logged"), [(RedisError, []), (ValueError, ["signs of life were not given"])])
def test_no_error_ends_the_thread(monkeypatch: pytest.MonkeyPatch, error: type[Exception], logged: list[str]) -> None:
    def fails(*_: object) -> None:
        raise error("away")

    monkeypatch.setattr(life_signs, "give", fails)
    with capture_logs() as logs:
        life_signs._try_to_give(standstill.Watch())
    assert [one["event"] for one in logs] == logged


def test_a_process_begins_with_the_first_note_also_one_that_was_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(life_signs, "_thread", None)
    monkeypatch.setattr(life_signs, "_changing", threading.Lock())
    monkeypatch.setattr(life_signs, "_workers", [LifeSign("collect")])
    monkeypatch.setattr(threading.Thread, "start", lambda thread: begun.append(thread.name))
    for second in range(2):
        life_signs.note("alerts", AT + second)
    assert begun == ["life signs"]
    life_signs._forget()
    assert (life_signs._workers, life_signs._noted) == ([], {})
    life_signs.note("alerts", AT + 2)
    assert begun == ["life signs"] * 2
