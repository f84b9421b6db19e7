"""Who asks whether samples arrive when beat does not: a web process, once in a while, however many there are."""

from typing import Any

import pytest
from redis import Redis, RedisError
from structlog.testing import capture_logs

from metrics.live import arrivals, health
from tests.make import AT

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tasks that were sent, with their queues."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda self, name, queue, **_: sent.append((name, queue)))
    return sent


def test_beat_asks_itself_while_it_runs(asked: list[tuple[str, Any]]) -> None:
    health.record_beat(AT)
    for after in (0, 5, 14):
        arrivals.ask_without_beat(AT + after)
    assert asked == []


def test_a_system_that_just_starts_has_no_beat_yet(asked: list[tuple[str, Any]]) -> None:
    arrivals.ask_without_beat(AT)
    assert asked == []


def test_without_beat_one_of_all_asks_and_again_when_the_time_has_come(
    asked: list[tuple[str, Any]], redis: Redis
) -> None:
    health.record_beat(AT)
    for _ in range(5):
        arrivals.ask_without_beat(AT + 15)
    assert asked == [("tasks.system.arrivals", "system")]
    assert 0 < int(redis.ttl("wf:looking")) <= 10
    redis.delete("wf:looking")
    arrivals.ask_without_beat(AT + 25)
    assert len(asked) == 2


def test_a_redis_that_is_away_is_no_error_for_who_asks(
    asked: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(health, "ages", away)
    with capture_logs() as logs:
        arrivals.ask_without_beat(AT)
    assert [one["log_level"] for one in logs] == ["warning"]
    assert asked == []


def test_the_task_is_the_one_that_beat_sends() -> None:
    from dashboard_project.celery import app

    entry = app.conf.beat_schedule["arrivals"]
    assert (entry["task"], entry["schedule"]) == (arrivals.LOOK_TASK, arrivals.EVERY_S)
