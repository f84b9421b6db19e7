"""How long a pushed number takes to a page: from before the push connects, to the frame or the page that shows it.

The whole system runs as `make run` starts it. Pushes come one at a time, at random moments, each on a connection
of its own as curl makes them. A change that follows another within 100 ms would wait for those to pass.
"""

import argparse
import random
import re
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from benchmarks.common import milliseconds, percentile, table
from benchmarks.crowd import Crowd
from benchmarks.sockets import VERSION, client_frame, handshake
from benchmarks.system import RANGE, System

SLUG, METRIC = "pushed-page", "pushed"
FIRST_VALUE = 101
LOST_S = 15.0
WATCH = """() => {
  const shown = (window.shownAt = {});
  const look = () => {
    const value = document.querySelector(".widget .value")?.textContent.trim();
    if (value) shown[value] ??= Date.now() / 1000;
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


class OpenPage(AbstractContextManager["OpenPage"]):
    """One socket, read as plainly as can be: `time_of` returns when a value was there."""

    def __init__(self, system: System) -> None:
        self._sock = socket.create_connection(("127.0.0.1", system.port), LOST_S)
        self._sock.sendall(handshake(system.socket_path(SLUG), system.token))

    def time_of(self, value: int) -> float:
        """Read until a fragment shows `value`, acknowledge it, and return the time. Raises TimeoutError."""
        pattern = re.compile(rb'class="value"><b[^>]*>%d\b' % value)
        data = b""
        while not pattern.search(data):
            data += self._sock.recv(1 << 20)
        seen_at = time.time()
        while not (versions := VERSION.findall(data)):
            data += self._sock.recv(1 << 20)
        self._sock.sendall(client_frame(1, b'{"ack": %s}' % versions[-1]))
        return seen_at

    def __exit__(self, *_: object) -> None:
        self._sock.close()


def on_socket(system: System, pushes: int, sockets: int) -> tuple[list[float], int]:
    """Return how long each push took to one socket while `sockets` were open, and how many of them were refused."""
    latencies = []
    with Crowd(system.port, system.socket_path(SLUG), system.token, sockets - 1) as crowd, OpenPage(system) as page:
        time.sleep(2)
        for value in range(FIRST_VALUE, FIRST_VALUE + pushes):
            pushed_at = time.time()
            system.push({METRIC: value})
            latencies.append(page.time_of(value) - pushed_at)
            time.sleep(random.uniform(0.1, 0.3))  # not in step with what the system does every 100 ms
        return latencies, crowd.refused


def in_browser(system: System, pushes: int) -> list[float]:
    """Return how long each push took until the value was in Chromium's document."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import find_or_install

    pushed_at = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(f"{system.url}/d/{SLUG}/?range={RANGE}")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", system.password)
        page.press("[name=password]", "Enter")
        page.wait_for_selector("body[data-live=live]", state="attached")
        page.evaluate(WATCH)
        for value in range(FIRST_VALUE, FIRST_VALUE + pushes):
            pushed_at[value] = time.time()
            system.push({METRIC: value})
            time.sleep(random.uniform(0.4, 0.6))  # asking the page whether it is there would delay it
        time.sleep(1)
        shown_at = page.evaluate("() => window.shownAt")
        browser.close()
    return [shown_at[str(value)] - at for value, at in pushed_at.items() if str(value) in shown_at]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks push_to_page", description=__doc__)
    parser.add_argument("--pushes", type=int, default=100, help="pushes for each row (%(default)s)")
    parser.add_argument("--sockets", type=int, nargs="+", default=[1, 100, 1000], help="open sockets (%(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="leave Chromium out")
    parser.add_argument("--full", action="store_true", help="with 5,000 sockets too")
    chosen = parser.parse_args(arguments)
    found: dict[str, tuple[list[float], int]] = {}
    with System() as system:
        config = {"queries": [{"metric": METRIC}]}
        system.make_dashboard(SLUG, [{"kind": "number", "title": "Pushed", "config": config}])
        for sockets in [*chosen.sockets, *([5000] if chosen.full else [])]:
            found[f"a frame, {sockets:,} sockets open"] = on_socket(system, chosen.pushes, sockets)
        if not chosen.no_browser:
            found["Chromium's document"] = in_browser(system, chosen.pushes), 0
    first = percentile(next(iter(found.values()))[0], 50)
    rows = [
        [
            what,
            len(times),
            refused,
            *(milliseconds(percentile(times, at)) for at in (50, 99)),
            f"{percentile(times, 50) / first:.2f}",
        ]
        for what, (times, refused) in found.items()
    ]
    headers = ["pushed to", "arrived", "sockets refused", "p50 (ms)", "p99 (ms)", "p50, ratio to the first row"]
    table(f"Push to page: {chosen.pushes} pushes each", headers, rows)
