"""Queues: what keeps the system going is served first, by a worker that was told its queues in that order."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from honcho.environ import parse_procfile
from kombu import Consumer
from kombu.message import Message
from redis import Redis

from dashboard_project.celery import app
from metrics.health import life_signs
from metrics.health import store as health
from metrics.health.standstill import Watch
from tasks.alone import alone
from tasks.collect import collect, follow_plugins

COMMANDS: dict[str, str] = parse_procfile((Path(settings.BASE_DIR) / "Procfile").read_text()).processes


def queues_of(process: str) -> list[str]:
    found = re.search(r"-Q (\S+)", COMMANDS[process])
    assert found
    return found[1].split(",")


@pytest.mark.usefixtures("redis")
def test_a_tick_overtakes_renders_that_wait() -> None:
    """As in a worker of one thread: it takes a message only once it has acknowledged the one before."""
    taken: list[str] = []

    def take(_: object, message: Message) -> None:
        taken.append(message.headers["task"])
        message.ack()

    with app.connection_for_read() as connection:
        for _ in range(5):
            app.send_task("tasks.render.render", connection=connection)
        for task in ("tasks.system.tick", "tasks.system.heartbeats"):
            app.send_task(task, connection=connection)
        queues = [app.amqp.queues[name] for name in queues_of("render")]
        with Consumer(connection.channel(), queues, callbacks=[take], accept=["json"], prefetch_count=1):
            while len(taken) < 7:
                connection.drain_events(timeout=5)
    assert taken == ["tasks.system.tick", "tasks.system.heartbeats", *["tasks.render.render"] * 5]


def test_a_worker_takes_no_more_than_it_may_and_notes_nothing_of_it_in_redis(redis: Redis) -> None:
    taken: list[Message] = []
    with app.connection_for_read() as connection:
        for _ in range(2):
            app.send_task("tasks.render.render", connection=connection)
        queues = [app.amqp.queues["render"]]
        with Consumer(
            connection.channel(), queues, callbacks=[lambda _, message: taken.append(message)], prefetch_count=1
        ):
            connection.drain_events(timeout=5)
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=0.2)
            assert len(taken) == 1
            assert not list(redis.scan_iter("*unacked*"))
            taken[0].ack()
            connection.drain_events(timeout=5)
    assert len(taken) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("task", [lambda: collect(0), follow_plugins])
def test_each_task_that_comes_often_shows_that_the_collecting_worker_has_a_thread(task: Any, redis: Redis) -> None:
    assert "collecting" not in health.signs()
    task()
    life_signs.give(Watch(), time.time(), time.monotonic())
    assert "collecting" in health.signs()


def test_each_task_has_a_queue_and_each_queue_one_worker() -> None:
    routed = {queue["queue"] for queue in settings.CELERY_TASK_ROUTES.values()}
    served = [queue for process in ("collect", "render") for queue in queues_of(process)]
    assert sorted(served) == sorted(routed)


def test_what_hangs_takes_one_thread_however_often_it_is_sent() -> None:
    inside, may_end, ran = threading.Semaphore(0), threading.Event(), []

    @alone
    def hangs() -> None:
        ran.append(1)
        inside.release()
        may_end.wait(10)

    first = threading.Thread(target=hangs)
    first.start()
    inside.acquire(timeout=10)
    hangs()
    assert ran == [1]
    may_end.set()
    first.join(10)
    hangs()
    assert ran == [1, 1]
