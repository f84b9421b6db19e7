"""The cost of rooms to one web process: a message to many open pages, who is there, and how many messages are taken.

A message to a room with open pages: how late it comes, and how many messages a second of the server's processor
delivers, beside the frames of the fan-out of dashboards at its limit in the same run; what comes close together is one
frame. Presence: a crowd in a room while others come and go, beside the same coming and going in another room. Messages
taken through sockets, beside bare INSERTs.
"""

import argparse
import json
import re
import socket
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

import psycopg

from benchmarks import fanout, postgresql
from benchmarks.common import (
    LOAD_CORE,
    SERVER_CORE,
    Installation,
    Process,
    milliseconds,
    percentile,
    pin,
    table,
    usage,
    wait_for_port,
)
from benchmarks.sockets import Counts, Swarm, client_frame, handshake

SENT = re.compile(rb"sent-([0-9.]+)")
MESSAGE = b'<article id="m-'
RATES = (5, 50, 200)
"""Messages a second, to a room with open pages."""
SENDS_EACH = 15.0
"""Messages a second of one socket: a quarter less than it may."""
SETTLES_S = 4.0
PEOPLE = (
    "from metrics.access.principal import SYSTEM; from metrics.actions import rooms, tokens;"
    "print(json.dumps([[rooms.create(SYSTEM, f'Room {n}').pk for n in range(%d)],"
    "[tokens.create(SYSTEM, f'person {n}', 'edit') for n in range(%d)]]))"
)


@dataclass(frozen=True)
class Place:
    """A web process on one core, with ids of rooms and tokens of people who may write in them."""

    installation: Installation
    web: Process
    rooms: list[int]
    people: list[str]

    def path(self, room: int, form: str = "html") -> str:
        return f"/ws/rooms/{self.rooms[room]}/?format={form}"

    def crowd(self, count: int, room: int = 0, first: int = 0) -> Swarm:
        """Open `count` pages of a room, each of another person."""
        crowd = People(self.installation.port, self.path(room), self.people[first:])
        crowd.connect(count)
        if crowd.refused:
            raise RuntimeError(f"{crowd.refused} of {count} sockets were refused.")
        return crowd


class People(Swarm):
    """Sockets of one person each."""

    def __init__(self, port: int, path: str, tokens: Sequence[str]) -> None:
        super().__init__(port, path, sent=SENT, mark=MESSAGE)
        self._tokens = cycle(tokens)

    def _open(self) -> socket.socket | None:
        self._token = next(self._tokens)
        return super()._open()


@contextmanager
def place(rooms: int, people: int, **env: str) -> Iterator[Place]:
    with Installation(**env) as installation, ExitStack() as stack:
        made = installation.manage("shell", "-v0", "-c", "import json;" + PEOPLE % (rooms, people))
        command = [sys.executable, "-m", "benchmarks.servers.hub", "daphne", str(installation.port)]
        web = Process(command, SERVER_CORE, installation.env)
        stack.callback(web.stop)
        wait_for_port(installation.port)
        ids, tokens = json.loads(made)
        yield Place(installation, web, ids, tokens)


class Writer:
    """Sockets that write at a rate, from a thread of their own; what they are sent is read and thrown away."""

    def __init__(self, where: Place, rooms: Sequence[int], rate: float) -> None:
        address = ("127.0.0.1", where.installation.port)
        self._rate, self._sockets = rate, []
        for room, token in zip(rooms, reversed(where.people), strict=False):
            sock = socket.create_connection(address, 10)
            sock.sendall(handshake(where.path(room), token))
            sock.settimeout(60)
            sock.recv(1, socket.MSG_PEEK)  # the server is up, and has opened it
            self._sockets.append(sock)
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._write, self._read)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._threads[0].join()
        for sock in self._sockets:
            sock.close()

    def _write(self) -> None:
        began = time.monotonic() + 1
        for number, sock in enumerate(cycle(self._sockets)):
            if self._ends.wait(max(0.0, began + number / self._rate - time.monotonic())):
                return
            sock.sendall(client_frame(1, b'{"say": "sent-%f"}' % time.time()))

    def _read(self) -> None:
        while not self._ends.wait(0.05):
            for sock in self._sockets:
                with suppress(OSError):
                    sock.recv(1 << 20, socket.MSG_DONTWAIT)


# --- A message to open pages --------------------------------------------------------------------------------


def to_pages(pages: int, seconds: float) -> list[list[str]]:
    """Return the rows of the fan-out, and of messages at rising rates."""
    yardstick = fanout.measure("hub", pages, seconds, None).step
    assert yardstick is not None
    of_core = yardstick.counts.frames / yardstick.cpu_s
    rows = [_row("fan-out of dashboards at its limit", yardstick.counts, yardstick.cpu_s, of_core)]
    with place(1, pages + 60) as where:
        crowd = where.crowd(pages)
        crowd.read(SETTLES_S)
        for rate in RATES:
            writers = [0] * max(1, round(rate / SENDS_EACH))
            with Writer(where, writers, rate):
                crowd.read(SETTLES_S / 2)
                before = usage(where.web.pid).cpu_s
                counts = crowd.read(seconds)
                rows.append(_row(f"{rate} messages/s", counts, usage(where.web.pid).cpu_s - before, of_core))
            crowd.read(1)
        crowd.close()
    return rows


def _row(what: str, counts: Counts, cpu_s: float, of_core: float) -> list[str]:
    latencies = (milliseconds(percentile(counts.latencies_s, at)) for at in (50, 99))
    came = counts.marked or counts.frames
    each = came / cpu_s
    return [
        what,
        f"{counts.frames / counts.seconds:,.0f}",
        f"{came / counts.seconds:,.0f}",
        " / ".join(latencies),
        f"{cpu_s / counts.seconds:.2f}",
        f"{each:,.0f}",
        f"{each / of_core:.2f}",
    ]


# --- Presence -----------------------------------------------------------------------------------------------


def presence(people: int, per_s: float, seconds: float) -> list[list[str]]:
    """Return the rows of a crowd while nobody comes, others come and go elsewhere, and beside it."""
    rows = []
    with place(2, people + 200) as where:
        crowd = where.crowd(people)
        crowd.read(SETTLES_S)
        for what, room in (("nobody comes", None), ("in another room", 1), ("in the same room", 0)):
            ends = threading.Event()
            thread = threading.Thread(target=_come_and_go, args=(where, room, per_s, people, ends), daemon=True)
            if room is not None:
                thread.start()
            crowd.read(SETTLES_S)
            before = usage(where.web.pid).cpu_s
            counts = crowd.read(seconds)
            cpu = (usage(where.web.pid).cpu_s - before) / counts.seconds
            ends.set()
            if room is not None:
                thread.join()
            each = counts.size_bytes / counts.seconds / people
            rows.append([what, f"{100 * cpu:.1f}", f"{counts.frames / counts.seconds / people:.2f}", f"{each:,.0f}"])
        crowd.close()
    return rows


def _come_and_go(where: Place, room: int, per_s: float, first: int, ends: threading.Event) -> None:
    """Open a socket of somebody else so many times a second; each stays for three seconds."""
    here: deque[socket.socket] = deque()
    tokens = cycle(where.people[first:])
    began, number = time.monotonic(), 0
    while not ends.wait(max(0.0, began + number / per_s - time.monotonic())):
        number += 1
        sock = socket.create_connection(("127.0.0.1", where.installation.port), 10)
        sock.sendall(handshake(where.path(room), next(tokens)))
        here.append(sock)
        if len(here) > 3 * per_s:
            here.popleft().close()
    for sock in here:
        sock.close()


# --- Messages taken -----------------------------------------------------------------------------------------


def taken(database: str, url: str, writers: int, seconds: float) -> list[str]:
    """Return the row of messages a second that are stored, of `writers` in ten rooms, and of bare INSERTs."""
    env = {"DATABASE_URL": url} if url else {}
    with place(10, writers, **env) as where:
        bare = _bare(where, url, seconds)
        rooms = [number % 10 for number in range(writers)]
        with Writer(where, rooms, writers * SENDS_EACH):
            time.sleep(SETTLES_S)
            before, cpu_s, began = _stored(where, url), usage(where.web.pid).cpu_s, time.monotonic()
            time.sleep(seconds)
            count, took = _stored(where, url) - before, time.monotonic() - began
            cpu = (usage(where.web.pid).cpu_s - cpu_s) / took
    offered = f"{writers * SENDS_EACH:,.0f}"
    return [database, f"{bare:,.0f}", offered, f"{count / took:,.0f}", f"{count / took / bare:.2f}", f"{cpu:.2f}"]


def _stored(where: Place, url: str) -> int:
    with _connection(where, url) as connection:
        found = connection.execute("SELECT count(*) FROM metrics_message").fetchone()
        assert found is not None
        return int(found[0])


def _bare(where: Place, url: str, seconds: float) -> float:
    """Return how many rows a second a script stores, a transaction each."""
    insert = f"INSERT INTO bare (room, number, text) VALUES (1, {'%s' if url else '?'}, 'sent-1795202746.123456')"
    with _connection(where, url) as connection:
        connection.execute("CREATE TABLE bare (room integer, number integer PRIMARY KEY, text text)")
        connection.commit()
        began, number = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            connection.execute(insert, (number := number + 1,))
            connection.commit()
        return number / (time.monotonic() - began)


@contextmanager
def _connection(where: Place, url: str) -> Iterator["sqlite3.Connection | psycopg.Connection"]:
    if urlsplit(url).scheme:
        connection: sqlite3.Connection | psycopg.Connection = psycopg.connect(url)
    else:
        connection = sqlite3.connect(where.installation.folder / "watchfloor.sqlite3", timeout=20)
        connection.execute("PRAGMA synchronous=NORMAL")
    try:
        yield connection
    finally:
        connection.close()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks rooms", description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="open pages of a room (%(default)s)")
    parser.add_argument("--people", type=int, default=1000, help="people who are in a room (%(default)s)")
    parser.add_argument("--per-second", type=float, default=50, help="of others who come and go (%(default)s)")
    parser.add_argument("--writers", type=int, default=100, help="sockets that write in ten rooms (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="how long each is measured (%(default)s)")
    parser.add_argument(
        "--only", nargs="+", choices=("pages", "presence", "taken"), default=("pages", "presence", "taken")
    )
    parser.add_argument("--full", action="store_true", help="20 s for each")
    chosen = parser.parse_args(arguments)
    seconds = 20.0 if chosen.full else chosen.seconds
    pin(LOAD_CORE)
    if "pages" in chosen.only:
        headers = ("offered", "frames/s", "messages/s", "p50 / p99 (ms)", "CPU (s/s)", "of one second of CPU", "ratio")
        table(f"Rooms: a message to {chosen.pages:,} open pages", headers, to_pages(chosen.pages, seconds))
    if "presence" in chosen.only:
        title = f"Rooms: {chosen.people:,} people in one, {chosen.per_second:g} others come and go each second"
        told = ("who come and go", "CPU (%)", "frames/s to each", "bytes/s to each")
        table(title, told, presence(chosen.people, chosen.per_second, 4 * seconds))
    if "taken" in chosen.only:
        measured = ("database", "bare INSERTs/s", "offered/s", "messages/s", "ratio", "CPU (s/s)")
        rows = [taken("SQLite", "", chosen.writers, seconds)]
        with postgresql.server() as url:
            rows.append(taken("PostgreSQL", url, chosen.writers, seconds))
        table(f"Rooms: messages taken, {chosen.writers} sockets", measured, rows)
