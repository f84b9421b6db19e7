"""PostgreSQL hangs, and goes on: who asks is refused in time, open pages say so, and nothing accepted is lost."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.bench import Bench, shows
from tests.integration.stack import Stack
from tests.postgresql import Server, postgresql

pytestmark = pytest.mark.integration

NOTICED_S = 20.0
"""After 5 s on a machine that is not busy."""
KNOWN_S = 4.0
"""Less than who is the first to notice waits, however idle the machine is."""
LINES_MOST = 40
"""A line a minute of each kind of trouble in each process; without that limit it was a dozen a second."""


class Unmigrated(Stack):
    is_migrated = False


@contextmanager
def running() -> Iterator[tuple[Server, Bench]]:
    """A system on a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="wf-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with postgresql(folder) as server:
            url = f"postgresql://postgres@/{server.database}?host={folder}&port={server.port}"
            with Unmigrated(DATABASE_URL=url) as stack:
                bench = Bench(stack)
                yield server, bench
                bench.client.close()


def refused_in_s(bench: Bench) -> float:
    """Return how long a push takes to be refused."""
    began = time.monotonic()
    answer = httpx.post(
        f"{bench.stack.url}/api/v1/samples",
        json={"samples": [{"metric": "load", "value": 0}]},
        headers={"Authorization": f"Bearer {bench.push_token}"},
        timeout=60,
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["detail"] == "The database does not answer; nothing was stored. Try again."
    return time.monotonic() - began


def test_postgresql_hangs_and_goes_on() -> None:
    with running() as (server, bench), bench.page() as page:
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value", 30)
        before = len(bench.stack.output())
        with server.hanging():
            assert refused_in_s(bench) < NOTICED_S
            assert max(refused_in_s(bench) for _ in range(5)) < KNOWN_S
            assert bench.stack.get("/healthz") == 200
            for path in ("/d/faults/", "/wall/faults/", "/alerts/", "/readyz"):
                began = time.monotonic()
                answer = bench.client.get(path, headers={"Accept": "text/html"})
                assert (answer.status_code, time.monotonic() - began < KNOWN_S) == (503, True), path
                assert "The database does not answer" in answer.text
            page.wait(lambda: "The database stopped answering " in page.widgets["notice"], "the notice", 25)
        until = time.monotonic() + 10
        while bench.stack.get("/readyz") != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value pushed afterwards", 10)
        page.wait(lambda: "stopped" not in page.widgets["notice"], "the notice to go", 20)
        page.becomes_right(10)
        assert page.codes == []
        said = bench.stack.output()[before:]
        assert "Traceback" not in said
        assert said.count("\n") <= LINES_MOST, said
