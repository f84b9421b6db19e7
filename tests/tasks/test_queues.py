"""Queues: what keeps the system going is served first, by a worker that was told its queues in that order."""

import re
import threading
from pathlib import Path

import pytest
from django.conf import settings
from honcho.environ import parse_procfile
from kombu import Consumer
from kombu.message import Message

from dashboard_project.celery import app
from tasks.alone import alone

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
        for task in ("tasks.system.tick", "tasks.system.sweep"):
            app.send_task(task, connection=connection)
        queues = [app.amqp.queues[name] for name in queues_of("render")]
        with Consumer(connection.channel(), queues, callbacks=[take], accept=["json"], prefetch_count=1):
            while len(taken) < 7:
                connection.drain_events(timeout=5)
    assert taken == ["tasks.system.tick", "tasks.system.sweep", *["tasks.render.render"] * 5]


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
