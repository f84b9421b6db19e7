"""A room full of hosts that no longer answer: what is asked of the others goes on."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.bench import Bench

pytestmark = pytest.mark.integration

HANGING = 24
TIMEOUT_S = 15
RUNS = 7
WITHIN_S = 3 * TIMEOUT_S
"""If threads had to wait for those that hang, one run in `TIMEOUT_S` would be all."""


@pytest.fixture
def silence() -> Iterator[int]:
    """Yield a port that opens, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=2 * HANGING) as server:
        yield server.getsockname()[1]


def test_sources_that_hang_delay_no_other(bench: Bench, silence: int) -> None:
    stack = bench.stack
    token = stack.manage("token", "hangs", "--scope", "admin").strip()
    made: list[int] = []
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client:

        def make(kind: str, every: int, **config: object) -> int:
            name = f"hanging {len(made)}"
            answer = client.post("/sources", json={"kind": kind, "name": name, "every": every, "config": config})
            made.append(answer.json()["id"])
            return made[-1]

        try:
            for _ in range(HANGING):
                make("http_check", 1, url=f"http://127.0.0.1:{silence}/", timeout_s=TIMEOUT_S)
            time.sleep(3)  # all of them hang now
            quick = make("watchfloor", 1)
            until = time.monotonic() + WITHIN_S
            while len(client.get(f"/sources/{quick}/runs").json()["runs"]) < RUNS:
                assert time.monotonic() < until, "A source that answers was not asked."
                time.sleep(0.5)
        finally:
            for id in made:
                client.delete(f"/sources/{id}")
