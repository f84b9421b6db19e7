"""Redis goes away or runs full and comes back, with its data and without, and every open page is right again."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis as redis_client

from dashboard_project import local_redis
from tests.integration.bench import SLUG, Bench, shows
from tests.integration.page import Page
from tests.integration.servers import PLAIN, Servers
from tests.integration.stack import Stack, free_port

pytestmark = pytest.mark.integration

FULL_FOR_S = 6.0
LINES_MOST = 15
"""Each kind of trouble is a line a minute in each process; without that limit it was a dozen a second."""


def test_redis_killed_and_back_empty(bench: Bench, servers: Servers) -> None:
    """Under our server, and under those that share no frames."""
    plain = servers.started(*PLAIN)
    with ExitStack() as opened:
        pages = [opened.enter_context(bench.page())]
        pages += [opened.enter_context(Page(bench.client, SLUG, port=server.port)) for server in plain]
        bench.push()
        epoch = pages[0].pulse[0]
        killed = bench.stack.kill("redis")
        # The database takes what Redis can't pass on.
        value = bench.push()
        pages[0].wait(lambda: bench.stack.is_back("redis", killed), "Redis")
        for page in pages:
            page.wait(partial(shows, page, value), "the value pushed meanwhile", 5)
            page.becomes_right(5)
            assert page.pulse[0] != epoch
        value = bench.push()
        for page in pages:
            page.wait(partial(shows, page, value), "a value pushed afterwards", 5)


@contextmanager
def out_of_memory(bench: Bench) -> Iterator[None]:
    """Have the system's Redis take nothing more."""
    with redis_client.Redis(unix_socket_path=str(bench.stack.data_dir / "redis.sock")) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)


def test_redis_out_of_memory(bench: Bench) -> None:
    with bench.page() as page:
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value", 20)
        before = len(bench.stack.output())
        with out_of_memory(bench):
            value = bench.push()  # the database takes what Redis can't pass on
            page.wait(lambda: bench.ready()["redis"] == "is out of memory", "/readyz to say so")
            assert bench.stack.get("/readyz") == 503
            time.sleep(FULL_FOR_S)
            said = bench.stack.output()[before:]
        page.wait(lambda: shows(page, value), "the value pushed meanwhile", 20)
        page.becomes_right(10)
        assert page.codes == []
    assert "maxmemory" in said
    assert "Traceback" not in said
    assert said.count("\n") <= LINES_MOST, said
    bench.stack.wait_until_ready()


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
        redis.wait(60)
