"""The wall clock of a running system is set, back and forward, by half a minute and by an hour.

Every process has libfaketime, which reads from a file how far the wall clock is off, and leaves the monotonic clock.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import debian
from tests.integration.bench import Bench, shows
from tests.integration.stack import Stack

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent / "faketime"


class Clock:
    """The wall clock of a system, `off_s` seconds from the true one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.off_s = 0
        self.set(0)

    def set(self, by_s: int) -> None:
        self.off_s += by_s
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.off_s:+d}\n")
        new.rename(self.file)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock") / "off")


@pytest.fixture(scope="module")
def bench(clock: Clock) -> Iterator[Bench]:
    debian.installed("faketime", "faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock.file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }
    with Stack(None, **faked) as stack:
        made = Bench(stack)
        yield made
        made.client.close()


def runs(bench: Bench) -> int:
    """Return how many runs of sources there were."""
    return int(bench.stack.manage("shell", "-v0", "-c", "from metrics.models import Run; print(Run.objects.count())"))


@pytest.mark.parametrize("by_s", [-30, 30, -3600, 3600])
def test_everything_goes_on_when_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page:
        before = runs(bench)
        clock.set(by_s)
        page.wait(lambda: runs(bench) >= before + 4, "what is collected afterwards", 40)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed afterwards", 20)
        page.becomes_right(10)
        assert page.codes == []
        assert "stopped" not in page.widgets["notice"]
        assert ("set back" in page.widgets["notice"]) == (by_s < 0)
    assert bench.stack.get("/readyz") == 200
    assert bench.stack.output().count("the wall clock was set") == ["-30", "30", "-3600", "3600"].index(str(by_s)) + 1


@pytest.mark.parametrize("by_s", [-3600, 3600])
def test_what_stands_still_is_told_though_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page, bench.stack.hanging("beat"):
        clock.set(by_s)
        page.wait(lambda: "Beat stopped" in page.widgets["notice"], "the notice", 30)
        assert bench.stack.get("/readyz") == 503
    bench.stack.wait_until_ready()
