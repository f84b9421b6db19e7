"""Clients that read too slowly, send too much, or send nonsense: they hurt only themselves."""

import json
import socket
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.bench import HELD_UP_S, SLUG, Bench, nobody_was_held_up, shows, until_closed
from tests.integration.page import Page
from tests.integration.servers import PLAIN, Servers
from tests.integration.stack import free_port
from tests.prometheus import wait_until_open

pytestmark = pytest.mark.integration


def test_a_reader_that_stops_reading_hurts_only_itself(bench: Bench, servers: Servers) -> None:
    plain = servers.started(*PLAIN)
    processes = [bench.stack.pid_of("web"), *(server.process.pid for server in plain)]
    ports = [bench.stack.port, *(server.port for server in plain)]
    memory = [_bytes_once_loaded(pid) for pid in processes]
    with ExitStack() as opened:
        pages = [opened.enter_context(Page(bench.client, SLUG, port=port)) for port in ports]
        deaf = [opened.enter_context(_deaf(bench, port)) for port in ports[:-1]]
        opened.enter_context(_deaf(bench, ports[-1]))  # uvicorn waits in `send` for it, in its own time
        until = time.monotonic() + 40
        closed = [False] * len(deaf)
        waits_s: list[list[float]] = [[] for _ in ports]
        while time.monotonic() < until and not all(closed):
            value = bench.push()
            for page, waited_s in zip(pages, waits_s, strict=True):
                waited_s.append(page.wait(partial(shows, page, value), "a value", HELD_UP_S))
            closed = [was or _was_dropped(one) for was, one in zip(closed, deaf, strict=True)]
            time.sleep(0.5)  # it is the reader that is tried, and not how fast values come
    grown = [psutil.Process(pid).memory_info().rss - was for pid, was in zip(processes, memory, strict=True)]
    assert all(closed), "a reader that acknowledges nothing for 30 s is sent away"
    assert all(nobody_was_held_up(each) for each in waits_s)
    assert max(grown) < 8 * 1024 * 1024, "what is kept for it is bounded"


def _bytes_once_loaded(pid: int) -> int:
    """Return the memory of a process once it grows no more: what it has begun to load ahead is there."""
    process, until = psutil.Process(pid), time.monotonic() + 60
    held = process.memory_info().rss
    while time.monotonic() < until:
        time.sleep(1)
        before, held = held, process.memory_info().rss
        if held - before < 64 * 1024:
            break
    return held


def test_a_reader_at_one_kilobyte_a_second_does_not_make_the_others_wait(bench: Bench) -> None:
    with bench.page() as page, _deaf(bench, bench.stack.port) as slow:
        stop = threading.Event()
        read = bytearray()

        def trickle() -> None:
            while not stop.wait(1):
                with suppress(OSError):
                    read.extend(slow.recv(1024))

        reader = threading.Thread(target=trickle, daemon=True)
        reader.start()
        waits_s = []
        for _ in range(20):
            value = bench.push()
            waits_s.append(page.wait(partial(shows, page, value), "a value", HELD_UP_S))
        stop.set()
        reader.join(5)
        page.becomes_right(5)
    assert nobody_was_held_up(waits_s)
    assert b"hx-partial" in read


@pytest.mark.usefixtures("untroubled")
def test_a_client_that_floods_is_told_and_sent_away(bench: Bench) -> None:
    with bench.page() as page:
        with bench.socket() as flood:
            with suppress(ConnectionClosed):
                for _ in range(5000):
                    flood.send('{"ack": 1}')
            _, code = until_closed(flood)
        assert code in (1006, 1008), "1006: it was cut off while it still sent, and its own system dropped the rest"
        value = bench.push()
        page.wait(lambda: shows(page, value), "a value, on another page", 5)


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("nonsense", 1008, "A message is"),
        ("[1, 2]", 1008, "A message is"),
        ('{"ack": "4"}', 1008, "A message is"),
        ("x" * 2000, 1008, "at most 1024 characters"),
        (b"\x00\x01", 1008, "at most 1024 characters"),
        ("x" * 100_000, 1009, ""),
    ],
)
@pytest.mark.usefixtures("untroubled")
def test_what_a_client_must_not_send(bench: Bench, message: str | bytes, code: int, said: str) -> None:
    with bench.socket() as client:
        client.recv(5)
        client.send(message)
        heard, closed = until_closed(client)
    assert closed == code
    assert said in "".join(json.loads(text)["error"] for text in heard if text.startswith("{"))


def test_limits_of_sockets_are_told_to_the_client(bench: Bench) -> None:
    port = free_port()
    with bench.stack.another("web", PORT=str(port), SOCKETS_PER_USER="2"):
        wait_until_open(port, bench.stack.log)
        with bench.socket(port=port) as first, bench.socket(port=port) as second:
            first.recv(20)
            second.recv(20)
            with bench.socket(port=port) as third:
                assert until_closed(third) == ([], 1013)
            first.close()
            with bench.socket(port=port) as again:
                assert "pulse" in str(again.recv(20))


def _deaf(bench: Bench, port: int) -> socket.socket:
    """A socket that did its handshake, with a small buffer, and reads nothing from then on."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0.2)
    client.connect(("127.0.0.1", port))
    client.sendall(
        f"GET /ws/dashboards/{SLUG}/?range=15m HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {bench.read_token}\r\n\r\n".encode()
    )
    return client


def _was_dropped(client: socket.socket) -> bool:
    """Whether the server ended the connection, found out without reading from it."""
    try:
        client.sendall(b"\x8a\x80\x00\x00\x00\x00")  # a pong, which the server ignores
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
