"""Records of the system's parts about themselves, and how old they are."""

from collections import Counter

import pytest
from django.conf import settings
from redis import RedisError

from dashboard_project.celery import app
from metrics.health import own_metrics, traffic
from metrics.health import store as health
from metrics.health.store import Sign
from metrics.live import waiting
from metrics.live.topic import variant
from metrics.redis_state.round_trip import ask

AT = 1_795_176_000.0

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count from zero, whichever tests this process ran before."""
    monkeypatch.setattr(traffic, "_counts", Counter())


def test_before_anything_ran_there_is_no_sign() -> None:
    assert health.signs() == {}


def test_each_has_its_own_sign() -> None:
    health.record("beat", AT, 12.34)
    health.record("sweep", AT - 3)
    assert health.signs() == {"beat": Sign(AT, 12.3), "sweep": Sign(AT - 3, 0)}


def test_a_process_that_was_stopped_counts_anew() -> None:
    sign, running_s = health.LifeSign("beat"), []
    for ticks in (101, 102, 106.9, 120, 121):
        ask(sign.at(AT, ticks))
        running_s.append(health.signs()["beat"].running_s)
    assert running_s == [0, 1, 5.9, 0, 1]


@pytest.mark.parametrize(("ticks", "lag_s"), [([0], 0), ([0, 1], 0), ([0, 0.5], 0), ([0, 4], 3), ([0, 4, 5], 0)])
def test_the_lag_is_what_a_tick_came_later_than_a_second_after_the_one_before(ticks: list[float], lag_s: float) -> None:
    for tick in ticks:
        ask(health.tick(AT + tick))
    assert health.readings(AT).tick_lag_s == pytest.approx(lag_s)


def test_queues_are_counted_where_celery_keeps_them() -> None:
    with app.connection_for_write() as connection:
        for queue in {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}:
            app.send_task("tasks.nothing", queue=queue, connection=connection)
            app.send_task("tasks.nothing", queue=queue, connection=connection)
    waiting.add([variant(1, "1h"), variant(1, "6h"), variant(1, "24h")])
    assert health.readings(AT).queues == {"collect": 2, "system": 2, "render": 3}


def test_renders_are_counted_and_timed() -> None:
    for duration_s in (0.004, 0.03, 100):
        traffic.rendered(duration_s)
    totals = health.readings(AT).traffic
    assert totals.last_render_s == 100
    assert sum(totals.render.counts) == 3
    assert totals.render.counts[-1] == 1
    assert totals.render.sum_s == pytest.approx(100.034)


async def test_what_was_sent_is_added_up_over_processes_and_counted_once() -> None:
    traffic.sent(1, 100)
    traffic.delivered(0.02)
    await traffic.flush()
    traffic.sent(1, 50)
    traffic.conflated(1)
    await traffic.flush()
    await traffic.flush()
    totals = health.readings(AT).traffic
    assert (totals.frames, totals.bytes, totals.conflated, sum(totals.delivery.counts)) == (2, 150, 1, 1)


async def test_what_could_not_be_added_up_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: object, **__: object) -> None:
        raise RedisError("away")

    traffic.sent(1, 100)
    with monkeypatch.context() as patch:
        patch.setattr("redis.asyncio.client.Pipeline.execute", unreachable)
        with pytest.raises(RedisError):
            await traffic.flush()
    await traffic.flush()
    assert health.readings(AT).traffic.frames == 1


def test_the_exposition_is_what_prometheus_reads() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    traffic.rendered(0.03)
    families = {family.name: family for family in text_string_to_metric_families(own_metrics.exposition(AT).decode())}
    assert {"watchfloor_queue_depth", "watchfloor_sockets", "watchfloor_frames"} <= set(families)
    buckets = {s.labels["le"]: s.value for s in families["watchfloor_render_seconds"].samples if "le" in s.labels}
    assert (buckets["0.025"], buckets["0.05"], buckets["+Inf"]) == (0, 1, 1)
    assert all(family.documentation for family in families.values())


def test_without_redis_it_is_an_error_for_the_caller_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise RedisError("away")

    with monkeypatch.context() as patch:
        patch.setattr("redis.Redis.execute_command", unreachable)
        with pytest.raises(RedisError):
            health.readings(AT)
