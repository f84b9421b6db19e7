"""One system for a whole folder, whose `conftest.py` takes these."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.bench import Bench
from tests.integration.servers import Servers
from tests.integration.stack import Stack


@pytest.fixture(scope="package")
def bench() -> Iterator[Bench]:
    with Stack() as stack:
        made = Bench(stack)
        yield made
        made.client.close()
        stack.end_manager()
        assert stack.stop(signal.SIGTERM) == 0  # as of systemd


@pytest.fixture(scope="package")
def servers(bench: Bench) -> Iterator[Servers]:
    """Other web servers on the same system."""
    with Servers(bench.stack) as made:
        yield made
