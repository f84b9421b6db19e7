"""More is watched than can be drawn: 500 variants of 30 widgets, all of which change each second.

Rendering falls behind then, and must do so fairly: each variant waits about as long as every other. Collecting must not
fall behind with it: the yardstick is that every source runs in each of its slots.
"""

import argparse
import http.server
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from select import select

from benchmarks import postgresql
from benchmarks.common import percentile, table
from benchmarks.schedule import EVERY_S, Page, slots
from benchmarks.sockets import client_frame, handshake
from benchmarks.system import System, widgets

WIDGETS = 30
RANGES = ("15m", "1h", "6h", "24h", "7d")
SOURCES = 20
SETTLES_S = 20.0
SAYS_EVERY_S = 10.0
"""A browser answers pings; here a word now and then tells the server as much."""
PROCESSES = ("web", "render", "collect")
VERSION, BEHIND = re.compile(rb'data-version="(\d+)"'), re.compile(rb'data-behind="(\d+)"')


class Watched:
    """One open variant: the versions that came, when, and for how long the page said that rendering was behind."""

    def __init__(self, system: System, slug: str, range: str) -> None:
        self.version, self.came_at, self.behind_s = 0, [time.monotonic()], 0
        self.said_at = time.monotonic()
        self.client = socket.create_connection(("127.0.0.1", system.port), timeout=60)
        self.client.sendall(handshake(f"/ws/dashboards/{slug}/?range={range}", system.token))
        self.fileno = self.client.fileno

    def read(self) -> None:
        heard = self.client.recv(1 << 20)
        assert heard, "a socket was closed"
        self.behind_s = max([self.behind_s, *map(int, BEHIND.findall(heard))])
        version = max(map(int, VERSION.findall(heard)), default=0)
        if version > self.version:
            self.version = version
            self.came_at.append(time.monotonic())
        elif time.monotonic() - self.said_at < SAYS_EVERY_S:
            return
        self.said_at = time.monotonic()
        self.client.sendall(client_frame(0x1, b'{"ack": %d}' % self.version))

    def longest_s(self) -> float:
        """Return the longest time without a new version."""
        times = [*self.came_at, time.monotonic()]
        return max(after - before for before, after in pairwise(times))


def read(watched: Sequence[Watched], until: float) -> None:
    while (left_s := until - time.monotonic()) > 0:
        for one in select(watched, [], [], left_s)[0]:
            one.read()


def push(system: System, stop: threading.Event) -> None:
    """Change every widget once a second, or as often as pushes are answered."""
    while not stop.wait(1):
        with suppress(TimeoutError, ConnectionError):  # the next one changes the same
            system.push({f"pushed_{index}": time.time() % 1000 + index for index in range(WIDGETS)})


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks many_variants", description=__doc__)
    parser.add_argument("--dashboards", type=int, default=100, help="each watched in 5 ranges (%(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="how long (%(default)s)")
    parser.add_argument("--full", action="store_true", help="for five minutes")
    chosen = parser.parse_args(arguments)
    seconds = 300 if chosen.full else chosen.seconds
    stop = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with postgresql.server() as url, System(DATABASE_URL=url) as system:
        for number in range(SOURCES):
            config = {"url": f"http://127.0.0.1:{server.server_port}/", "name": f"bench {number}"}
            system.post(
                "/api/v1/sources", {"kind": "http_check", "name": f"s{number}", "every": EVERY_S, "config": config}
            )
        slugs = [f"many-{number}" for number in range(chosen.dashboards)]
        for slug in slugs:
            system.make_dashboard(slug, widgets(WIDGETS))
        watched = [Watched(system, slug, range) for range in RANGES for slug in slugs]
        pushing = threading.Thread(target=push, args=(system, stop))
        pushing.start()
        read(watched, time.monotonic() + SETTLES_S)
        for one in watched:
            one.came_at, one.behind_s = one.came_at[-1:], 0
        start = (time.time() // EVERY_S + 1) * EVERY_S
        end = start + seconds // EVERY_S * EVERY_S
        before = [system.usage_of(name).cpu_s for name in PROCESSES]
        read(watched, time.monotonic() + end - time.time() + EVERY_S)
        cpu = [system.usage_of(name).cpu_s - then for name, then in zip(PROCESSES, before, strict=True)]
        waits = [one.longest_s() for one in watched]
        stop.set()
        pushing.join()
        missed = SOURCES * (seconds // EVERY_S) - sum(map(len, slots(url, start, end).values()))
    server.shutdown()
    shares = [f"{used / (end - start + EVERY_S) * 100:.0f} %" for used in cpu]
    row = [f"{len(watched)} x {WIDGETS}", missed, f"{percentile(waits, 50):.1f} / {max(waits):.1f}"]
    row += [f"{max(waits) / percentile(waits, 50):.2f}", max(one.behind_s for one in watched), *shares]
    headers = ["variants x widgets", "slots missed", "longest wait for news, median / most (s)", "ratio"]
    headers += ["behind, as pages say (s)", *(f"{name}, CPU" for name in PROCESSES)]
    table(f"More is watched than can be drawn; a push a second, {SOURCES} sources every {EVERY_S} s", headers, [row])
