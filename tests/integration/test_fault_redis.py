"""Redis goes away and comes back, with its data and without, and every open page is right again."""

import subprocess
from pathlib import Path

import pytest

from dashboard_project import local_redis
from tests.integration.bench import Bench, shows
from tests.integration.stack import Stack, free_port

pytestmark = pytest.mark.integration


def test_redis_killed_and_back_empty(bench: Bench) -> None:
    with bench.page() as page:
        bench.push()
        epoch = page.pulse[0]
        killed = bench.stack.kill("redis")
        # The database takes what Redis can't pass on.
        value = bench.push()
        page.wait(lambda: bench.stack.is_back("redis", killed), "Redis")
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 5)
        page.becomes_right(5)
        assert page.pulse[0] != epoch
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value pushed afterwards", 5)


def test_redis_with_its_data_killed_and_restarted(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "--port": str(port),
        "--bind": "127.0.0.1",
        "--dir": str(tmp_path),
        "--logfile": str(tmp_path / "redis.log"),
        "--appendonly": "yes",
        "--appendfsync": "always",
    }
    arguments = [local_redis.find_server(), *(word for pair in settings.items() for word in pair)]
    redis = subprocess.Popen(arguments)
    try:
        with Stack(REDIS_URL=f"redis://127.0.0.1:{port}/0") as stack:
            bench = Bench(stack)
            with bench.page() as page:
                value = bench.push()
                page.wait(lambda: shows(page, value), "a value")
                epoch = page.pulse[0]
                redis.kill()
                redis.wait()
                value = bench.push()
                redis = subprocess.Popen(arguments)
                page.wait(lambda: shows(page, value), "the value pushed meanwhile", 8)
                page.becomes_right(5)
                assert page.pulse[0] == epoch, "the data came back, and with it the epoch"
            bench.client.close()
    finally:
        redis.terminate()
        redis.wait(10)
