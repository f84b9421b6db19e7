"""What thousands of frames leave behind in a browser: the first thousand against the last.

Chromium shows a dashboard of 24 widgets, and is sent frames that bring all of them as fast as it acknowledges.
Memory is read after a forced collection of garbage. A page that leaks shows ratios that grow with the frames.
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
OFFERED = 200.0  # frames a second: more than any page acknowledges
WARM_FRAMES = 100
SLOWEST = 5.0
COUNT = """() => {
  window.framesShown = 0;
  document.addEventListener("htmx:ws:after:message:incoming", () => { window.framesShown += 1; });
}"""


class Reading(NamedTuple):
    """The page after `frames`; its main thread was busy for `busy_before_s`, and with the reading for `busy_s`."""

    frames: int
    at: float
    heap_mb: float
    nodes: float
    listeners: float
    busy_before_s: float
    busy_s: float


class Soaked:
    """A page that counts its frames, and what it holds."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable")
        page.evaluate(COUNT)

    def read_after(self, frames: int) -> Reading:
        """Wait until the page was sent `frames`, and read what it holds then."""
        condition = f"() => window.framesShown >= {frames}"
        self._page.wait_for_function(condition, polling=200, timeout=(30 + frames / SLOWEST) * 1000)
        shown, at = int(self._page.evaluate("() => window.framesShown")), time.monotonic()
        busy_before_s = self._metrics()["TaskDuration"]
        self._tools.send("HeapProfiler.collectGarbage")
        now = self._metrics()
        heap_mb = now["JSHeapUsedSize"] / 1e6
        return Reading(shown, at, heap_mb, now["Nodes"], now["JSEventListeners"], busy_before_s, now["TaskDuration"])

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
        soaked = Soaked(page)
        feeder.say(OFFERED)
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
        [
            "JS heap after collection (MB)",
            f"{first.heap_mb:.2f}",
            f"{last.heap_mb:.2f}",
            f"{last.heap_mb / first.heap_mb:.2f}",
        ],
        ["DOM nodes", f"{first.nodes:,.0f}", f"{last.nodes:,.0f}", f"{last.nodes / first.nodes:.2f}"],
        [
            "event listeners",
            f"{first.listeners:,.0f}",
            f"{last.listeners:,.0f}",
            f"{last.listeners / first.listeners:.2f}",
        ],
        ["main thread per frame (ms)", *compared(busy_ms(began, first), busy_ms(before_last, last))],
        ["frames/s", *compared(rate(began, first), rate(before_last, last))],
    ]
    table(
        f"Browser soak: {last.frames:,} frames of {WIDGETS} widgets",
        ["", "first thousand", "last thousand", "ratio"],
        rows,
    )


def busy_ms(start: Reading, end: Reading) -> float:
    return (end.busy_before_s - start.busy_s) / (end.frames - start.frames) * 1000


def rate(start: Reading, end: Reading) -> float:
    return (end.frames - start.frames) / (end.at - start.at)


def compared(first: float, last: float) -> list[str]:
    return [f"{first:.2f}", f"{last:.2f}", f"{last / first:.2f}"]
