"""A system to break, started once for each module; a test that breaks something waits until it is mended."""

from collections.abc import Iterator

import pytest

from tests.integration.bench import Bench
from tests.integration.stack import Stack


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Stack() as stack:
        made = Bench(stack)
        yield made
        made.client.close()


@pytest.fixture
def untroubled(bench: Bench) -> Iterator[None]:
    """Nothing that a client does is an exception in the log."""
    before = len(bench.stack.output())
    yield
    assert "Traceback" not in bench.stack.output()[before:]
