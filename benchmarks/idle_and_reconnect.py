"""Memory of an idle socket in the web process, and the time until all sockets are back after its restart.

Restarted twice: asked to stop by SIGTERM, where another takes over first, and killed, where nobody could.

The clients wait before they come back as the page does, by the settings in its template: a delay that doubles with
each failure up to a most, give or take a part of it at random.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.common import ROOT, percentile, table
from benchmarks.sockets import VERSION, client_frame, handshake
from benchmarks.system import System, widgets

SLUG = "idle"
TEMPLATE = ROOT / "templates" / "dashboard" / "_live.html"
TRY_S = 20.0
IDLE_S = 6.0
BACK_S = 120.0
SETTLES_S = 32.0  # a process that lived for less is started again only after a second
CLOSE, PING, PONG, TEXT = 0x8, 0x9, 0xA, 0x1


class Page:
    """One client that keeps itself connected.

    `shown_at` is when its present connection first brought a frame, and `lost_at` when the one before it ended.

    `closes` counts how connections ended, and `failures` those that never began, of all clients together.
    """

    closes: ClassVar[Counter[str]] = Counter()
    failures: ClassVar[int] = 0
    settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, port: int, request: bytes) -> None:
        self._port, self._request = port, request
        self.shown_at: float | None = None
        self.lost_at = 0.0

    async def live(self) -> None:
        attempt = 0
        while True:
            try:
                await self._connection()
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                if self.shown_at is None:
                    Page.failures += 1
                else:
                    Page.closes["without a close frame"] += 1
            attempt = 1 if self.shown_at else attempt + 1
            if self.shown_at:
                self.lost_at = time.monotonic()
            self.shown_at = None
            await asyncio.sleep(self._delay_s(attempt))

    async def _connection(self) -> None:
        """Open a socket and stay until it ends, by a close frame or an exception."""
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self._port), TRY_S)
        try:
            writer.write(self._request)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TRY_S)
            if b" 101 " not in answer.partition(b"\r\n")[0]:
                raise ConnectionRefusedError
            while True:
                opcode, payload = await asyncio.wait_for(self._frame(reader), None if self.shown_at else TRY_S)
                if opcode == CLOSE:
                    Page.closes[f"{int.from_bytes(payload[:2], 'big')}"] += 1
                    return
                if opcode == PING:
                    writer.write(client_frame(PONG, payload))
                if opcode == TEXT:
                    self.shown_at = self.shown_at or time.monotonic()
                    if versions := VERSION.findall(payload):
                        writer.write(client_frame(TEXT, b'{"ack": %s}' % versions[-1]))
        finally:
            writer.close()

    @classmethod
    def _delay_s(cls, attempt: int) -> float:
        delay_ms = min(cls.settings["reconnectDelay"] * 2 ** (attempt - 1), cls.settings["reconnectMaxDelay"])
        return float(delay_ms / 1000 * (1 + random.uniform(-1, 1) * cls.settings["reconnectJitter"]))

    @staticmethod
    async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
        return first & 0xF, await reader.readexactly(length)


async def measure(system: System, sockets: int) -> tuple[float, list[list[object]]]:
    """Return what an idle socket weighs, in kB, and a row for each way of restarting."""
    request = handshake(system.socket_path(SLUG), system.token)
    Page.settings = json.loads(TEMPLATE.read_text().partition("hx-config='")[2].partition("'")[0])["ws"]
    empty = system.usage_of("web").rss_bytes
    pages = [Page(system.port, request) for _ in range(sockets)]
    tasks = []
    for page in pages:
        tasks.append(asyncio.create_task(page.live()))
        await asyncio.sleep(0.004)
    await all_shown(pages, 0)
    await asyncio.sleep(IDLE_S)
    held = system.usage_of("web").rss_bytes - empty
    rows = [await restart(system, pages, how) for how in (signal.SIGTERM, signal.SIGKILL)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return held / sockets / 1000, rows


async def restart(system: System, pages: Sequence[Page], how: signal.Signals) -> list[object]:
    """Restart the web process, and return how the pages fared."""
    Page.closes, Page.failures = Counter(), 0
    began = time.monotonic()
    os.kill(system.pid_of("web"), how)
    await all_shown(pages, began)
    back = [page for page in pages if page.shown_at and page.shown_at > page.lost_at > began]
    first_lost_at = min((page.lost_at for page in back), default=began)
    without_s = [page.shown_at - page.lost_at for page in back if page.shown_at]
    back_s = [page.shown_at - first_lost_at for page in back if page.shown_at]
    await asyncio.sleep(SETTLES_S)
    return [
        f"{len(pages):,}",
        how.name,
        f"{len(back):,}",
        Page.failures,
        f"{first_lost_at - began:.1f}",
        *(f"{percentile(without_s, at):.2f}" for at in (50, 99)),
        *(f"{percentile(back_s, at):.1f}" for at in (50, 99, 100)),
        ", ".join(f"{what}: {count:,}" for what, count in Page.closes.most_common()),
    ]


async def all_shown(pages: Sequence[Page], since: float) -> None:
    """Return once every page was sent a frame on a connection opened after `since`, or after `BACK_S`."""
    until = time.monotonic() + BACK_S
    while time.monotonic() < until and not all(page.shown_at and page.shown_at > since for page in pages):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks idle_and_reconnect", description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--full", action="store_true", help="5,000 sockets too")
    chosen = parser.parse_args(arguments)
    rows, idle = [], []
    for sockets in [chosen.sockets, *([5000] if chosen.full else [])]:
        with System() as system:
            system.make_dashboard(SLUG, widgets(4))
            held, restarts = asyncio.run(measure(system, sockets))
            rows += restarts
            idle.append([f"{sockets:,}", f"{held:.1f}"])
    table("Idle sockets", ["sockets", "memory per idle socket (kB)"], idle)
    headers = [
        "sockets",
        "web process restarted by",
        "back",
        "tries that failed",
        "first page lost after (s)",
        "a page without, p50 (s)",
        "p99 (s)",
        "back after the first was lost, p50 (s)",
        "p99 (s)",
        "last (s)",
        "how they were closed",
    ]
    table("The web process restarted: seconds until a page has a new frame", headers, rows)
