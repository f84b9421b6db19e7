"""How fast samples and pings come in over HTTP: one web process on one core, PostgreSQL, everything stored and counted.

The yardstick of the batches is a bare script that writes the same rows in the same order with COPY, into a table that
is made like the system's own, on the same core; of the single pushes it is the same push through Django's handler.
"""

import argparse
import json
import os
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psycopg

from benchmarks import postgresql
from benchmarks.common import LOAD_CORE, SERVER_CORE, milliseconds, percentile, pin, table
from benchmarks.system import System

SERIES, ROWS, SENDERS = 100, 1000, 16
TABLE = "CREATE TABLE plain (LIKE metrics_sample INCLUDING ALL)"
STEP_S = 0.01
WAIT_S = 60.0


@dataclass
class Load:
    """Results of some requests: how many got which status, how long each took, and all together."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def good(self) -> int:
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)

    @property
    def per_s(self) -> float:
        return self.good / self.seconds


class Connection:
    """One HTTP connection that sends a request, reads its answer, and sends the next."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.connect_ex(("127.0.0.1", port))
        self.began = 0.0
        self.left = self.answer = b""

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.left = request
        self.go_on()

    def go_on(self) -> None:
        if self.left:
            try:
                self.left = self.left[self.sock.send(self.left) :]
            except (BlockingIOError, OSError):
                return

    def status(self) -> int | None:
        """Return the status of the answer once all of it is there; 0 if the connection is gone."""
        try:
            data = self.sock.recv(65_536)
        except BlockingIOError:
            return None
        except OSError:
            return 0
        self.answer += data
        head, _, body = self.answer.partition(b"\r\n\r\n")
        if b"\r\n\r\n" not in self.answer or len(body) < _length(head):
            return None if data else 0
        self.answer = b""
        return int(head[9:12])


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def run(port: int, requests: Iterator[bytes], connections: int, until_s: float = WAIT_S) -> Load:
    """Send `requests` over `connections` that each wait for their answer; return once all are answered."""
    load, selector, began = Load(), selectors.DefaultSelector(), time.perf_counter()
    for request in _first(requests, connections):
        one = Connection(port)
        one.send(request)
        selector.register(one.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
    while selector.get_map() and time.perf_counter() - began < until_s:
        for key, events in selector.select(1):
            _go_on(key.data, events, selector, requests, load)
    load.seconds = time.perf_counter() - began
    load.statuses[0] = load.statuses.get(0, 0) + len(selector.get_map())
    selector.close()
    return load


def _first(requests: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _, request in zip(range(count), requests, strict=False):
        yield request


def _go_on(
    one: Connection, events: int, selector: selectors.BaseSelector, requests: Iterator[bytes], load: Load
) -> None:
    if events & selectors.EVENT_WRITE:
        one.go_on()
        if not one.left:
            selector.modify(one.sock, selectors.EVENT_READ, one)
    if not events & selectors.EVENT_READ or (status := one.status()) is None:
        return
    load.statuses[status] = load.statuses.get(status, 0) + 1
    load.latencies_s.append(time.perf_counter() - one.began)
    following = next(requests, None) if status else None
    if following is None:
        selector.unregister(one.sock)
        one.sock.close()
    else:
        one.send(following)
        if one.left:
            selector.modify(one.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, one)


def post(path: str, body: bytes, token: str, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def rows(count: int, newest: float) -> Iterator[list[tuple[int, float, float]]]:
    """Yield batches of (series, Unix seconds, value), none of them twice, as time goes on."""
    oldest = newest - count * ROWS // SERIES * STEP_S
    for first in range(0, count * ROWS, ROWS):
        yield [(row % SERIES, round(oldest + row // SERIES * STEP_S, 3), row / 7) for row in range(first, first + ROWS)]


def batches(system: System, count: int, newest: float) -> list[bytes]:
    """Return a request for each batch of `rows`."""
    made = []
    for batch in rows(count, newest):
        samples = [
            {"metric": "bench_rows", "value": value, "labels": {"series": str(series)}, "at": at}
            for series, at, value in batch
        ]
        made.append(post("/api/v1/samples", json.dumps({"samples": samples}).encode(), system.token))
    return made


def copied(url: str, count: int, newest: float) -> float:
    """Return how many rows a second a bare script writes with COPY, a commit for each batch of `rows`."""
    made = [[(series, round(at * 1000), value) for series, at, value in batch] for batch in rows(count, newest)]
    with psycopg.connect(url) as connection:
        connection.execute(TABLE)
        connection.commit()
        began = time.perf_counter()
        for batch in made:
            with connection.cursor() as cursor, cursor.copy("COPY plain (series_id, at_ms, value) FROM STDIN") as copy:
                for row in batch:
                    copy.write_row(row)
            connection.commit()
        return count * ROWS / (time.perf_counter() - began)


def stored(url: str, metric: str) -> int:
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM metrics_sample JOIN metrics_series ON id = series_id WHERE metric = %s"
        row = connection.execute(query, [metric]).fetchone()
    return int(row[0]) if row else 0


def pings_stored(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM metrics_ping").fetchone()
    return int(row[0]) if row else 0


def one_push(system: System, metric: str, *headers: str) -> bytes:
    body = json.dumps({"samples": [{"metric": metric, "value": 42}]}).encode()
    return post("/api/v1/samples", body, system.token, *headers)


def _forever(request: bytes, seconds: float) -> Iterator[bytes]:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        yield request


def _heartbeats(system: System, url: str, count: int) -> list[str]:
    """Make `count` heartbeats, as rows, and return their keys."""
    keys = [f"bench-{number:08}" for number in range(count)]
    jobs = f"[Heartbeat(name=f'job {{i}}', key=f'bench-{{i:08}}', every_s=3600) for i in range({count})]"
    code = f"from metrics.models import Heartbeat; Heartbeat.objects.bulk_create({jobs})"
    system.manage("shell", "-v0", "-c", code)
    return keys


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pushes", description=__doc__)
    parser.add_argument("--batches", type=int, default=200, help="batches of 1,000 samples (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="of single pushes (%(default)s)")
    parser.add_argument("--pings", type=int, default=10_000, help="heartbeats that ping at once (%(default)s)")
    parser.add_argument("--full", action="store_true", help="with 1,000 batches")
    chosen = parser.parse_args(arguments)
    count, newest = 1000 if chosen.full else chosen.batches, time.time()
    with postgresql.server() as url, System(DATABASE_URL=url, PUSH_SAMPLES_PER_MINUTE="100000000") as system:
        web = system.pid_of("web")
        os.sched_setaffinity(web, {SERVER_CORE})
        pin(SERVER_CORE)
        plain = copied(url, count, newest)
        pin(LOAD_CORE)
        _batches(system, url, count, newest, plain)
        _singles(system, url, chosen.seconds)
        _pings(system, url, chosen.pings)


def _batches(system: System, url: str, count: int, newest: float, plain: float) -> None:
    cells = [["a bare script with COPY (yardstick)", f"{plain:,.0f}", "1.00", "-", "-"]]
    requests = batches(system, count, newest)
    before = system.usage_of("web").cpu_s
    load = run(system.port, iter(requests), connections=SENDERS)
    cpu_s = system.usage_of("web").cpu_s - before
    per_s = load.good * ROWS / load.seconds
    assert stored(url, "bench_rows") == load.good * ROWS, "not everything that was answered 2xx is stored"
    cells.append(
        [
            f"batches of 1,000 over HTTP, {SENDERS} senders",
            f"{per_s:,.0f}",
            f"{per_s / plain:.2f}",
            f"{load.good}/{count}",
            f"{cpu_s / load.good / ROWS * 1e6:.1f}",
        ]
    )
    headers = ["way", "rows/s", "ratio to yardstick", "answered 2xx", "web, CPU per row (µs)"]
    table("Batches into PostgreSQL, one web process", headers, cells)


def _singles(system: System, url: str, seconds: float) -> None:
    found: list[tuple[str, str, Load, float]] = []
    ways = {"through Django's handler (yardstick)": "Content-Encoding: identity", "the fast path": "Accept: */*"}
    for number, (name, header) in enumerate(ways.items()):
        metric = f"bench_single_{number}"
        before = system.usage_of("web").cpu_s
        load = run(system.port, _forever(one_push(system, metric, header), seconds), connections=32)
        found.append((name, metric, load, system.usage_of("web").cpu_s - before))
    first = found[0][2].per_s
    rows = [
        [
            name,
            f"{load.per_s:,.0f}",
            f"{load.per_s / first:.1f}",
            f"{load.good / cpu_s:,.0f}",
            f"{milliseconds(percentile(load.latencies_s, 50))} / {milliseconds(percentile(load.latencies_s, 99))}",
            f"{stored(url, metric)}/{load.good}",
        ]
        for name, metric, load, cpu_s in found
    ]
    headers = ["way", "pushes/s", "ratio", "pushes per CPU second", "latency p50 / p99 (ms)", "stored/answered 2xx"]
    table("Single pushes, 32 connections, one web process", headers, rows)


def _pings(system: System, url: str, count: int) -> None:
    keys = _heartbeats(system, url, count)
    requests = [f"GET /ping/{key} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode() for key in keys]
    before = system.usage_of("web").cpu_s
    load = run(system.port, iter(requests), connections=count)
    cpu_s = system.usage_of("web").cpu_s - before
    row = [
        f"{count:,}",
        f"{load.good:,}",
        f"{pings_stored(url):,}",
        f"{load.seconds:.1f}",
        f"{percentile(load.latencies_s, 50):.1f} / {percentile(load.latencies_s, 99):.1f}",
        f"{load.good / cpu_s:,.0f}",
    ]
    last = ["until the last answer (s)", "latency p50 / p99 (s)", "pings per CPU second"]
    headers = ["pings at once", "answered 2xx", "stored", *last]
    table("Heartbeats at a full hour: a connection each, all opened at once", headers, [row])
