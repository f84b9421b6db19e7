"""How long it takes until everyone whom one request notifies has it on the page, in every tab.

The whole system runs as `make run` starts it, on PostgreSQL. A program posts one notification to everyone; each person
has several sockets open, as tabs have, in a few client processes. Yardsticks of the same run are the bare INSERT of the
same rows, and a bare `group_send` of one message to itself.

Then one of many is notified: two web processes have 500 sockets on 50 rooms, of 50 people, and one has three of them.
"""

import argparse
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Thread
from typing import Any

from benchmarks.common import (
    LOAD_CORE,
    ROOT,
    free_port,
    milliseconds,
    percentile,
    pin,
    raise_file_limit,
    table,
    wait_for_port,
)
from benchmarks.cost_by_viewers import postgresql
from benchmarks.sockets import handshake
from benchmarks.system import System

PATH = "/ws/notifications/?personal=1"
CLIENTS = 2
OPENS_WITHIN_S = 120.0
LOST_S = 15.0
PAUSE_S = 1.0
SOCKETS, ONE_S_TABS = 500, 3
PEOPLE = """
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from importlib import import_module
made = User.objects.bulk_create([User(username=f"person {n}", password="!") for n in range(COUNT)])
cookies = []
for user in made:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    cookies.append(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
print(json.dumps(cookies))
"""
YARDSTICKS = """
import asyncio, json, time
from datetime import UTC, datetime
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from metrics.models import Notification
users = list(User.objects.filter(username__startswith="person ").values_list("pk", flat=True))
inserts = []
for round in range(5):
    rows = [
        Notification(user_id=user, number=10**9, kind="message", text="x" * 60, by="token", at=datetime.now(UTC))
        for user in users
    ]
    began = time.perf_counter()
    Notification.objects.bulk_create(rows)
    inserts.append(time.perf_counter() - began)
    Notification.objects.filter(number=10**9).delete()
async def sends():
    layer, found = get_channel_layer(), []
    channel = await layer.new_channel()
    await layer.group_add("yardstick", channel)
    for round in range(20):
        began = time.perf_counter()
        await layer.group_send("yardstick", {"type": "x", "people": [[user, 1, 1, True] for user in users]})
        await layer.receive(channel)
        found.append(time.perf_counter() - began)
    return found
print(json.dumps([inserts, asyncio.run(sends())]))
"""


class Client:
    """A process that holds the sockets of some people and says when each of them got a notification."""

    def __init__(self, port: int, cookies: Sequence[str], tabs: int) -> None:
        command = [sys.executable, "-m", "benchmarks.notify", str(port), str(tabs)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self.say(json.dumps(list(cookies)))

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(system: System, people: int, tabs: int, rounds: int) -> list[str]:
    """Notify `people`, each with `tabs` sockets, several times; return the row of the table."""
    cookies = json.loads(system.manage("shell", "-v0", "-c", PEOPLE.replace("COUNT", str(people))))
    inserts, sends = json.loads(system.manage("shell", "-v0", "-c", YARDSTICKS))
    posts: list[float] = []
    latencies: list[float] = []
    missing = 0
    with ExitStack() as stack:
        clients = [Client(system.port, cookies[first::CLIENTS], tabs) for first in range(CLIENTS)]
        for client in clients:
            stack.callback(client.stop)
        opened = sum(client.hear() for client in clients)
        for number in range(rounds):
            time.sleep(PAUSE_S)
            mark = f"It is done: number {number} of many things that people should know."
            for client in clients:
                client.say(mark)
            for client in clients:
                client.hear()
            began = time.time()
            system.post("/api/v1/notifications", {"to": "everyone", "text": mark})
            posts.append(time.time() - began)
            for client in clients:
                seen, lost = client.hear()
                latencies += [at - began for at in seen]
                missing += lost
    insert, send, post = (statistics.median(values) for values in (inserts, sends, posts))
    return [
        f"{people:,}",
        f"{opened:,}",
        str(missing),
        f"{milliseconds(percentile(latencies, 50))} / {milliseconds(percentile(latencies, 99))}",
        milliseconds(max(latencies, default=float("nan"))),
        milliseconds(post),
        milliseconds(insert),
        f"{post / insert:.1f}",
        milliseconds(send),
    ]


def measure_one(system: System, rounds: int) -> list[str]:
    """Notify one person of many, who has three tabs on two web processes; return the row of the table."""
    cookies = json.loads(system.manage("shell", "-v0", "-c", PEOPLE.replace("person", "one").replace("COUNT", "50")))
    rooms = [system.post("/api/v1/rooms", {"title": f"Room {number}"})["id"] for number in range(len(cookies))]
    second = free_port()
    poll, sockets = select.epoll(), dict[int, socket.socket]()
    with ExitStack() as stack:
        stack.enter_context(system.another("web", PORT=str(second)))
        wait_for_port(second, OPENS_WITHIN_S)
        whose = [0] * ONE_S_TABS + [1 + number % (len(cookies) - 1) for number in range(SOCKETS - ONE_S_TABS)]
        for number, person in enumerate(whose):
            path = f"/ws/rooms/{rooms[number % len(rooms)]}/?personal=1"
            sock = stack.enter_context(_open((system.port, second)[number % 2], cookies[person], path))
            sockets[sock.fileno()] = sock
            poll.register(sock.fileno(), select.EPOLLIN)
        latencies, reached = list[float](), list[int]()
        for number in range(rounds):
            _read(poll, sockets, b"", PAUSE_S)
            mark = f"Only one is told: number {number}."
            began = time.time()
            post = Thread(target=system.post, args=("/api/v1/notifications", {"to": "user:one 0", "text": mark}))
            post.start()
            seen = _read(poll, sockets, mark.encode(), PAUSE_S)
            post.join()
            reached.append(len(seen))
            latencies += [at - began for at in seen]
    return [
        f"{len(sockets):,}",
        f"{len(rooms):,}",
        ", ".join(sorted({str(count) for count in reached})),
        f"{milliseconds(percentile(latencies, 50))} / {milliseconds(percentile(latencies, 99))}",
        milliseconds(max(latencies, default=float("nan"))),
    ]


def hold(port: int, tabs: int) -> None:
    """Open the sockets of the people whose cookies stdin has, and wait for each text that it names."""
    raise_file_limit()
    cookies = json.loads(sys.stdin.readline())
    poll, sockets = select.epoll(), dict[int, socket.socket]()
    for cookie in cookies:
        for _ in range(tabs):
            sock = _open(port, cookie)
            sockets[sock.fileno()] = sock
            poll.register(sock.fileno(), select.EPOLLIN)
    _say(len(sockets))
    while mark := sys.stdin.readline().strip().encode():
        _read(poll, sockets, b"", 0.5)  # bells that were compared meanwhile
        _say("armed")
        seen = _read(poll, sockets, mark, LOST_S)
        _say([seen, len(sockets) - len(seen)])


def _open(port: int, cookie: str, path: str = PATH) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), OPENS_WITHIN_S)
    headers = f"Cookie: {cookie}\r\nOrigin: http://localhost\r\n\r\n".encode()
    sock.sendall(handshake(path)[:-2] + headers)
    answer = sock.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    sock.setblocking(False)
    return sock


def _read(poll: select.epoll, sockets: dict[int, socket.socket], mark: bytes, for_s: float) -> list[float]:
    """Read for so long, or until every socket had `mark`; return when each had."""
    tails, seen, until = dict[int, bytes](), dict[int, float](), time.monotonic() + for_s
    while len(seen) < len(sockets) and (left_s := until - time.monotonic()) > 0:
        for number, _ in poll.poll(left_s):
            data = tails.get(number, b"") + sockets[number].recv(1 << 16)
            tails[number] = data[-len(mark) :] if mark else b""
            if mark and mark in data:
                seen.setdefault(number, time.time())
    return list(seen.values())


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks notify", description=__doc__)
    parser.add_argument("--people", type=int, help="(100, or 1,000 with --full)")
    parser.add_argument("--tabs", type=int, default=3, help="sockets of each (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--full", action="store_true", help="1,000 people")
    chosen = parser.parse_args(arguments)
    people = chosen.people or (1000 if chosen.full else 100)
    with ExitStack() as stack:
        url = postgresql(stack)
        system = stack.enter_context(System(DATABASE_URL=url))
        pin(LOAD_CORE)
        row = measure(system, people, chosen.tabs, chosen.rounds)
        of_one = measure_one(system, chosen.rounds)
    headers = (
        "people", "sockets", "lost", "on the page, p50 / p99 (ms)", "last (ms)", "request (ms)",
        "bare INSERT (ms)", "request to INSERT", "bare group_send (ms)",
    )  # fmt: skip
    table(f"Notifying everyone: {chosen.tabs} tabs each, PostgreSQL, {chosen.rounds} times", headers, [row])
    headers_of_one = ("sockets", "topics", "sockets reached", "on the page, p50 / p99 (ms)", "last (ms)")
    table(f"Notifying one with three tabs, two web processes, {chosen.rounds} times", headers_of_one, [of_one])


if __name__ == "__main__":
    hold(int(sys.argv[1]), int(sys.argv[2]))
    os._exit(0)
