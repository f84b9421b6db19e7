"""Growth of a browser's memory over thousands of frames: the first thousand against the last.

Chromium shows a dashboard of 24 widgets, and is sent frames that bring all of them, as many as it acknowledges in
time. Memory is read after a forced collection of garbage. In a page that leaks, ratios grow with the frames.
"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.common import OTHER_CORE, SERVER_CORE, Installation, Process, table, wait_for_port
from benchmarks.servers.feeder import RANGE

SLUG, WIDGETS = "soak", 24
PASSWORD = "correct horse battery staple"
OFFERED = 20.0  # frames a second: with more, 256 KiB would be owed before the page acknowledges, and frames conflated
WARM_FRAMES = 100
SLOWEST = 2.0
STARTS_S = 120.0
COUNT = """() => {
  window.framesShown = 0;
  document.addEventListener("htmx:ws:after:message:incoming", () => { window.framesShown += 1; });
}"""


class Moment(NamedTuple):
    """How many frames the page was sent by then, and for how long its main thread was busy."""

    frames: int
    at: float
    busy_s: float


class Reading(NamedTuple):
    """Readings of the page while it was sent nothing, from `paused` to `resumed`."""

    paused: Moment
    resumed: Moment
    heap_mb: float
    nodes: float
    listeners: float


class Soaked:
    """A page that counts its frames, and what it holds."""

    def __init__(self, page: Any, feeder: Process) -> None:
        self._page, self._feeder = page, feeder
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable")
        page.evaluate(COUNT)

    def read_after(self, frames: int) -> Reading:
        """Send frames until there were `frames`, pause, and read what the page holds."""
        self._feeder.say(OFFERED)
        condition = f"() => window.framesShown >= {frames}"
        self._page.wait_for_function(condition, polling=200, timeout=(STARTS_S + frames / SLOWEST) * 1000)
        paused = self._moment()
        self._feeder.say(0)
        for _ in range(2):  # what the first collection finds, only the second may free
            self._page.wait_for_timeout(1000)
            self._tools.send("HeapProfiler.collectGarbage")
        now = self._metrics()
        return Reading(paused, self._moment(), now["JSHeapUsedSize"] / 1e6, now["Nodes"], now["JSEventListeners"])

    def _moment(self) -> Moment:
        shown = int(self._page.evaluate("() => window.framesShown"))
        return Moment(shown, time.monotonic(), self._metrics()["TaskDuration"])

    def _metrics(self) -> dict[str, float]:
        return {one["name"]: one["value"] for one in self._tools.send("Performance.getMetrics")["metrics"]}


def wait_for_page(url: str, within_s: float = 60) -> None:
    """Return once the dashboard exists: until then a visitor is told that there is none."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except urllib.error.URLError:
            time.sleep(0.5)
    raise TimeoutError(url)


def soak(url: str, feeder: Process, frames: int) -> list[Reading]:
    """Return readings at the beginning, and at the end of the first and of the last thousand frames."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import find_or_install

    thousand = min(1000, frames // 2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(url)
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_selector("body[data-live=live]", state="attached")
        soaked = Soaked(page, feeder)
        after = [0, thousand, frames - thousand, frames]
        readings = [soaked.read_after(WARM_FRAMES + one) for one in after]
        browser.close()
    return readings


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks browser_soak", description=__doc__)
    parser.add_argument("--frames", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--full", action="store_true", help="20,000 frames")
    chosen = parser.parse_args(arguments)
    frames = 20_000 if chosen.full else chosen.frames
    with Installation(ADMIN_PASSWORD=PASSWORD) as installation:
        module = [sys.executable, "-m", "benchmarks.servers.hub", "daphne", str(installation.port)]
        web = Process(module, SERVER_CORE, installation.env)
        feeder = Process(
            [sys.executable, "-m", "benchmarks.servers.feeder", SLUG, str(WIDGETS)], OTHER_CORE, installation.env
        )
        try:
            wait_for_port(installation.port)
            url = f"http://127.0.0.1:{installation.port}/d/{SLUG}/?range={RANGE}"
            began, first, before_last, last = soak(url, feeder, frames)
        finally:
            feeder.stop()
            web.stop()
    rows = [
        ["JS heap after collection (MB)", *compared(first.heap_mb, last.heap_mb)],
        ["DOM nodes after collection", *compared(first.nodes, last.nodes)],
        ["event listeners", *compared(first.listeners, last.listeners)],
        ["main thread per frame (ms)", *compared(busy_ms(began, first), busy_ms(before_last, last))],
        ["frames/s", *compared(rate(began, first), rate(before_last, last))],
    ]
    title = f"Browser soak: {last.paused.frames:,} frames of {WIDGETS} widgets"
    table(title, ["", "first thousand", "last thousand", "ratio"], rows)


def busy_ms(start: Reading, end: Reading) -> float:
    frames = end.paused.frames - start.resumed.frames
    return (end.paused.busy_s - start.resumed.busy_s) / frames * 1000


def rate(start: Reading, end: Reading) -> float:
    return (end.paused.frames - start.resumed.frames) / (end.paused.at - start.resumed.at)


def compared(first: float, last: float) -> list[str]:
    return [f"{first:,.2f}", f"{last:,.2f}", f"{last / first:.2f}"]
