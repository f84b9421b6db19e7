"""A pytest plugin that lays tests out over several workers, as `--numprocesses auto` asks for."""

import gc
import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LEAST = 4
MOST = 8
START_THE_SYSTEM = ("tests/browser/", "tests/integration/")


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers there are: two a core, because the tests that take longest mostly wait."""
    return min(max(2 * (os.cpu_count() or 1), LEAST), MOST)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(START_THE_SYSTEM))


@pytest.hookimpl
def pytest_collection_finish() -> None:
    """Keep what was imported and collected, which stays to the end, from being looked through for garbage."""
    gc.collect()
    gc.freeze()


class Scheduling(LoadScopeScheduling):
    """Keeps the tests of a file together where the file starts the system; any other goes where there is room.

    The marks that xdist offers for it (`--dist loadgroup`) do nothing with pytest 9.2:
    https://github.com/pytest-dev/pytest-xdist/issues/1386.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(START_THE_SYSTEM) else nodeid


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    config.option.loadscopereorder = False  # by the number of tests, which says nothing of how long they take
    return Scheduling(config, log)
