"""How many sources one worker keeps up with: 200 of them, each due every five seconds, and no slot may be missed.

Each asks a little web server for a page, as a check does. A slot is missed if no run began in it, which is counted from
the samples that are stored; the yardstick is what there should be, one for each source and slot.
"""

import argparse
import http.server
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from benchmarks import postgresql
from benchmarks.common import milliseconds, percentile, table
from benchmarks.system import System

EVERY_S = 5
SETTLES_S = 15


class Page(http.server.BaseHTTPRequestHandler):
    """Answers at once, and says nothing about it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def slots(url: str, start: float, end: float) -> dict[str, set[int]]:
    """Return which slots of start ≤ t < end each source has a sample in."""
    query = """
        SELECT labels ->> 'check', at_ms / %s FROM metrics_sample JOIN metrics_series s ON s.id = series_id
        WHERE metric = 'http_up' AND labels ->> 'check' LIKE 'bench %%' AND at_ms >= %s AND at_ms < %s"""
    found: dict[str, set[int]] = {}
    with psycopg.connect(url) as connection:
        for check, slot in connection.execute(query, [EVERY_S * 1000, start * 1000, end * 1000]):
            found.setdefault(check, set()).add(slot)
    return found


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks schedule", description=__doc__)
    parser.add_argument("--sources", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="how long (%(default)s)")
    parser.add_argument("--full", action="store_true", help="for five minutes")
    chosen = parser.parse_args(arguments)
    seconds = 300 if chosen.full else chosen.seconds
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with postgresql.server() as url, System(DATABASE_URL=url) as system:
        for number in range(chosen.sources):
            config = {"url": f"http://127.0.0.1:{server.server_port}/", "name": f"bench {number}"}
            source = {"kind": "http_check", "name": f"bench {number}", "every": EVERY_S, "config": config}
            system.post("/api/v1/sources", source)
        time.sleep(SETTLES_S)
        start = (time.time() // EVERY_S + 1) * EVERY_S
        before = system.usage_of("collect").cpu_s
        end = start + seconds // EVERY_S * EVERY_S
        time.sleep(end - time.time() + EVERY_S)
        cpu_s = system.usage_of("collect").cpu_s - before
        found, lag = slots(url, start, end), ages(url, start, end)
    server.shutdown()
    expected = chosen.sources * (seconds // EVERY_S)
    held = sum(len(one) for one in found.values())
    row = [
        f"{chosen.sources} every {EVERY_S} s, {seconds} s",
        f"{expected:,}",
        f"{held:,}",
        expected - held,
        f"{milliseconds(percentile(lag, 50))} / {milliseconds(percentile(lag, 99))}",
        f"{cpu_s / (seconds + EVERY_S) * 100:.0f} %",
    ]
    headers = ["sources", "slots (yardstick)", "collected", "missed", "into the slot, p50 / p99 (ms)", "worker's CPU"]
    table("Collecting on a schedule, one worker", headers, [row])


def ages(url: str, start: float, end: float) -> list[float]:
    """Return how many seconds after the beginning of its slot each sample was measured."""
    query = """
        SELECT at_ms %% %s FROM metrics_sample JOIN metrics_series s ON s.id = series_id
        WHERE metric = 'http_up' AND labels ->> 'check' LIKE 'bench %%' AND at_ms >= %s AND at_ms < %s"""
    with psycopg.connect(url) as connection:
        rows = connection.execute(query, [EVERY_S * 1000, start * 1000, end * 1000])
        return [int(row[0]) / 1000 for row in rows]
