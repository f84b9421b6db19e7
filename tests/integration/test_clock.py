"""The wall clock of a running system is set, back and forward, by half a minute and by an hour.

Every process has libfaketime, which reads from a file how far the wall clock is off, and leaves the monotonic one alone.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import debian
from tests.integration.bench import Bench, shows
from tests.integration.stack import Stack

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent / "faketime"
GOES_ON_S = 30


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

    def now(self) -> float:
        return time.time() + self.off_s


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
    with Stack(**faked) as stack:
        made = Bench(stack)
        yield made
        made.client.close()


def runs_since(bench: Bench, moment: float, until: float) -> int:
    """Return how many runs of the machine's source began between two moments of the system's wall clock."""
    times = bench.runs()["this machine"][1]
    return sum(moment <= at <= until for at in times)


@pytest.mark.parametrize("by_s", [-30, 30, -3600, 3600])
def test_everything_goes_on_when_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page:
        clock.set(by_s)
        moment = clock.now()
        page.wait(lambda: runs_since(bench, moment, clock.now()) >= 2, "what is collected afterwards", GOES_ON_S)
        value = bench.push()
        page.wait(lambda: shows(page, value), "the value pushed afterwards", 20)
        page.becomes_right(10)
        assert page.codes == []
        assert "stopped" not in page.widgets["notice"]
    assert bench.stack.get("/readyz") == 200
    assert bench.stack.output().count("the wall clock was set") == ["-30", "30", "-3600", "3600"].index(str(by_s)) + 1


@pytest.mark.parametrize("by_s", [-3600, 3600])
def test_what_stands_still_is_told_though_the_clock_is_set(bench: Bench, clock: Clock, by_s: int) -> None:
    with bench.page() as page, bench.stack.hanging("beat"):
        clock.set(by_s)
        page.wait(lambda: "Beat stopped" in page.widgets["notice"], "the notice", 30)
        assert bench.stack.get("/readyz") == 503
    bench.stack.wait_until_ready()
