"""A pytest plugin that lays tests out over several workers, as `--numprocesses auto` asks for."""

import fcntl
import gc
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from typing import IO

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LEAST = 6
MOST = 8
SYSTEMS_MOST = 3
CORES = os.cpu_count() or 1
COMPUTE_MOST = CORES + 1
"""Workers that compute at the same time: for the same, five on two cores take a fifth more of the processor."""
UNBROKEN = "tests/integration/unbroken/"
FAULTS = "tests/integration/faults/"
START_THE_SYSTEM = ("tests/browser/", "tests/integration/")
SHARE_MORE = ("tests/sources/", "tests/contracts/test_openapi_fuzz.py")
"""Tests of which those of a file share servers, or caches that cost seconds; each worker would have its own."""
SHARE_ONE = (FAULTS, UNBROKEN, "tests/browser/")
"""Folders whose tests share a system; but one of them breaks it all the time, and waits the longest."""
BEGIN_ALONE = "tests/browser/test_trouble.py"
WAIT = (
    *(f"tests/{name}/" for name in ("sources", "dashboard_project", "js", "notify", "upgrade", "consumers")),
    "tests/redis_state/",
    "tests/api/test_remote_write.py",
    "tests/contracts/test_coverage.py",
    "tests/views/test_trouble.py",
)
"""Tests that wait, most of them for processes that they start."""
BEGIN = (*SHARE_ONE, BEGIN_ALONE, *START_THE_SYSTEM, *SHARE_MORE, *WAIT)
"""Tests that wait longest first, so that no worker is left alone with them."""

COMPILED = "TEST_COMPILED"
"""Environment variable with a file that says whether a worker has collected all tests, and so compiled them."""

gc.disable()  # while all is imported and collected, of which nothing is garbage
# A process that wakes up would take the processor from another at once, which costs both a tenth of their speed; as a
# batch, it waits for the other's slice to end. All that tests start does the same.
if sys.platform == "linux":
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


if "PYTEST_XDIST_WORKER" not in os.environ:
    _compiled = tempfile.NamedTemporaryFile(prefix="wf-compiled-")  # noqa: SIM115
    os.environ[COMPILED] = _compiled.name
_compiling: IO[str] | None = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Have one worker import and collect before the others do: each would compile everything."""
    global _compiling
    if "PYTEST_XDIST_WORKER" in os.environ:
        file = open(os.environ[COMPILED], "r+")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        if file.read():
            file.close()
        else:
            _compiling = file
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers there are: on two cores three have a system, two compute, and one has tests that wait."""
    return min(max(2 * CORES + 2, LEAST), MOST)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, and with what starts the system in any folder before what does not."""

    def place(item: pytest.Item) -> int:
        found = (number for number, start in enumerate(BEGIN) if item.nodeid.startswith(start))
        return next(found, len(BEGIN) + (item.get_closest_marker("integration") is None))

    items.sort(key=place)


@pytest.hookimpl
def pytest_collection_finish() -> None:
    """Keep what was imported and collected, which stays to the end, from being looked through for garbage.

    The rest is looked through rarely: what tests leave behind is small.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    if _compiling is not None:
        with _compiling:
            _compiling.write("compiled")


def _starts_the_system(scope: str) -> bool:
    return scope.startswith(START_THE_SYSTEM)


def _leaves_room(scope: str) -> bool:
    return scope.startswith((*START_THE_SYSTEM, *WAIT))


class Scheduling(LoadScopeScheduling):
    """Keeps tests that share a system together, those of a file or a folder; any other goes where there is room.

    The marks that xdist offers for it (`--dist loadgroup`) do nothing with pytest 9.2:
    https://github.com/pytest-dev/pytest-xdist/issues/1386.
    """

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Forget the scope with its last test: the base class looks through all that it has with each test."""
        scope = self._split_scope(self.registered_collections[node][item_index])
        super().mark_test_complete(node, item_index, duration)
        if all(self.assigned_work[node].get(scope, {}).values()):
            self.assigned_work[node].pop(scope, None)

    def _reschedule(self, node: WorkerController) -> None:
        """Give `node` more once it has little; but one that is done with systems ends when enough others compute."""
        going_on = [one for one in self.nodes if one is not node and not one.shutting_down]
        computing = sum(not any(map(_leaves_room, self.assigned_work[one])) for one in going_on)
        systems_are_left = _starts_the_system(next(iter(self.workqueue), ""))
        if computing >= COMPUTE_MOST and not systems_are_left and self._pending_of(self.assigned_work[node]) <= 2:
            node.shutdown()
        super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give `node` what comes next, but no system while enough of them run: more would wait for each other.

        Nor a test that waits, unless others enough keep the cores busy.
        """
        others = [work for one, work in self.assigned_work.items() if one is not node]
        systems = sum(any(map(_starts_the_system, work)) for work in others)
        if systems >= SYSTEMS_MOST:
            light = next((scope for scope in self.workqueue if not _starts_the_system(scope)), None)
            if light is not None:
                self.workqueue.move_to_end(light, last=False)
        if next(iter(self.workqueue)).startswith(WAIT):
            busy = sum(bool(work) and not any(map(_leaves_room, work)) for work in others)
            if busy < CORES:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)  # computes
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        for shared in SHARE_ONE:
            if nodeid.startswith(shared) and not nodeid.startswith(BEGIN_ALONE):
                return shared
        return nodeid.partition("::")[0] if nodeid.startswith((*START_THE_SYSTEM, *SHARE_MORE)) else nodeid


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    config.option.loadscopereorder = False  # by the number of tests, which says nothing of how long they take
    return Scheduling(config, log)
