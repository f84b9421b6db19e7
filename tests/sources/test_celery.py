"""A real Celery application: its queues, its workers, and that asking leaves it alone."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from celery import Celery as Application

from metrics.sample import Sample, check
from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.celery import Celery, CeleryConfig, _each
from tests.prometheus import running
from tests.redis_server import Server
from tests.sources.between import Between
from tests.sources.documented import undocumented

APPLICATION = """
import os
import time
from celery import Celery

app = Celery("shop", broker="{broker}")
app.conf.broker_transport_options = {options}
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True

@app.task(name="shop.add")
def add(a, b):
    return a + b

@app.task(name="shop.wait")
def wait(file):
    while not os.path.exists(file):
        time.sleep(0.1)
"""
WORKER = ["-A", "shop", "worker", "-P", "threads", "-c", "3", "--without-mingle"]


def broker(server: Server, database: int) -> str:
    return f"redis://:{quote(server.password)}@127.0.0.1:{server.port}/{database}"


@contextmanager
def worker(server: Server, folder: Path, database: int, name: str, prefix: str = "") -> Iterator[None]:
    """Run a worker of the application until the end of the block."""
    folder.mkdir(exist_ok=True)
    options = {"global_keyprefix": prefix, "visibility_timeout": 36_000}
    (folder / "shop.py").write_text(APPLICATION.format(broker=broker(server, database), options=options))
    command = [sys.executable, "-m", "celery", "--quiet", "--workdir", str(folder), *WORKER, "-n", name]
    with running(command, folder / f"{name}.log"):
        yield


def on(server: Server, database: int, **fields: Any) -> CeleryConfig:
    where = {"host": "127.0.0.1", "port": server.port, "password": server.password, "database": database}
    return CeleryConfig.model_validate({**where, "name": "shop", **fields})


def collected(config: CeleryConfig) -> list[Sample]:
    samples = Celery().collect(config)
    check(samples, time.time())
    return samples


def values(config: CeleryConfig) -> dict[tuple[str, ...], float]:
    return {
        (one.metric, *(value for label, value in one.labels.items() if label != "server")): one.value
        for one in collected(config)
    }


def eventually(config: CeleryConfig, expected: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Return the values once they are as expected: workers need a moment to start, and to work."""
    until = time.monotonic() + 90
    while not expected.items() <= (found := values(config)).items():
        assert time.monotonic() < until, found
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def two_workers(a_redis: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Two workers of an application; yields the database that is its broker."""
    with ExitStack() as stack:
        for name in ("first@here", "second@here"):
            stack.enter_context(worker(a_redis, tmp_path_factory.mktemp(name), 5, name))
        eventually(on(a_redis, 5), {("celery_workers",): 2})
        yield 5


def application(server: Server, database: int) -> Application:
    return Application("shop", broker=broker(server, database), set_as_current=False)


def test_workers_say_what_they_do_and_did(a_redis: Server, two_workers: int, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    with application(a_redis, two_workers) as app:
        for _ in range(6):
            app.send_task("shop.add", (1, 2))
        app.send_task("shop.wait", (str(ends),))
    config = on(a_redis, two_workers)
    until = time.monotonic() + 60
    try:
        while (working := work(found := values(config))) != (6, 1):
            assert time.monotonic() < until, working
    finally:
        ends.touch()
    assert found["celery_pool_size", "first@here"] == 3
    assert values(config)["celery_queue_depth", "celery"] == 0
    done = [one for one in collected(config) if one.metric == "celery_tasks_total"]
    assert {one.labels["worker"] for one in done} <= {"first@here", "second@here"}
    assert {one.type for one in done} == {"counter"}


def work(found: dict[tuple[str, ...], float]) -> tuple[float, float]:
    """Return how many additions were done, and how many tasks run."""
    done = sum(value for key, value in found.items() if key[0] == "celery_tasks_total" and key[2] == "shop.add")
    return done, sum(value for key, value in found.items() if key[0] == "celery_tasks_running")


def test_every_metric_is_documented(a_redis: Server, two_workers: int) -> None:
    found = collected(on(a_redis, two_workers))
    assert len({one.metric for one in found}) > 4
    assert undocumented(found) == set()


def test_without_workers_there_are_none_and_queues_have_their_depth(a_redis: Server) -> None:
    with application(a_redis, 6) as app:
        for priority in (0, 0, 3, 6, 9):
            app.send_task("shop.add", (1, 2), queue="mail", priority=priority)
    found = values(on(a_redis, 6, queues=["mail", "empty"], reply_s=0.2))
    assert found == {
        ("celery_queue_depth", "mail"): 5,
        ("celery_queue_depth", "empty"): 0,
        ("celery_unacknowledged",): 0,
        ("celery_workers",): 0,
    }


def test_workers_need_not_be_asked(a_redis: Server, two_workers: int) -> None:
    assert ("celery_workers",) not in values(on(a_redis, two_workers, workers=False))


def test_a_prefix_of_the_application(a_redis: Server, tmp_path: Path) -> None:
    with worker(a_redis, tmp_path / "app", 7, "only@here", prefix="shop:"):
        eventually(on(a_redis, 7, key_prefix="shop:"), {("celery_workers",): 1, ("celery_pool_size", "only@here"): 3})
        with a_redis.client as client:
            client.select(7)
            client.rpush("shop:other", "a", "b")
        assert values(on(a_redis, 7, key_prefix="shop:", queues=["other"]))["celery_queue_depth", "other"] == 2


def test_asking_hands_nothing_out_again(a_redis: Server, two_workers: int) -> None:
    """A task that was not acknowledged for hours may still be worked on: only the application knows."""
    with a_redis.client as client:
        client.select(two_workers)
        client.zadd("unacked_index", {"tag": time.time() - 5 * 3600})
        client.hset("unacked", "tag", '[{"body": "", "headers": {}, "properties": {}}, "celery", "celery"]')
        try:
            assert values(on(a_redis, two_workers, reply_s=0.5))["celery_unacknowledged",] == 1
            assert client.zscore("unacked_index", "tag")
            assert client.hexists("unacked", "tag")
        finally:
            client.delete("unacked", "unacked_index")


def test_asking_leaves_nothing_behind(a_redis: Server) -> None:
    with a_redis.client as client:
        client.select(8)
        client.flushdb()
        values(on(a_redis, 8, reply_s=0.2))
        assert [key for key in client.scan_iter() if not key.startswith("_kombu.binding")] == []


def test_an_address_that_is_off_limits_is_not_connected_to(a_redis: Server) -> None:
    with network_policy.limited(), pytest.raises(SourceError, match="loopback"):
        collected(on(a_redis, 5))


def test_a_broker_that_freezes_is_given_up_and_depths_that_were_read_are_kept(
    a_redis: Server, two_workers: int
) -> None:
    began = time.monotonic()
    with (
        Between(a_redis.port, freeze_on=b"PUBLISH") as between,
        pytest.raises(SourceError, match=r"^It took longer than 2 s\.$") as failed,
    ):
        collected(on(a_redis, two_workers, port=between.port, timeout_s=2))
    assert time.monotonic() - began < 8
    assert {one.metric for one in failed.value.samples} == {"celery_queue_depth", "celery_unacknowledged"}


def test_one_queue_that_is_none_loses_no_other(a_redis: Server) -> None:
    with a_redis.client as client:
        client.select(9)
        client.set("text", "x")
        client.rpush("mail", "a")
    found = Celery().collect(on(a_redis, 9, queues=["text", "mail"], workers=False))
    assert {one.labels["queue"]: one.value for one in found if "queue" in one.labels} == {"mail": 1}
    assert found.note.startswith("Left out: Queue text can't be read (WRONGTYPE ")


def test_one_worker_that_answers_something_else_loses_no_other() -> None:
    """So does one that has no pool, or can't say."""
    good = {"total": {"shop.add": 6}, "pool": {"max-concurrency": 3}}
    stats = {"a": {"error": "no"}, "b": {"total": {}, "pool": "N/A"}, "c": None, "d": good}
    found = list(_each(stats, {"a": {"error": "no"}, "d": [{}]}, {}))
    assert [(one.metric, one.value, one.labels["worker"]) for one in found] == [
        ("celery_tasks_total", 6, "d"),
        ("celery_tasks_running", 1, "d"),
        ("celery_pool_size", 3, "d"),
    ]
