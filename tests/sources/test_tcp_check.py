"""TCP checks against real ports: ones that answer, ones that do not, and one that never stops talking."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dashboard_project import local_redis
from metrics.sample import check
from metrics.sources.base import Noted
from metrics.sources.network_policy import Forbidden, limited
from metrics.sources.tcp_check import TcpCheck, TcpCheckConfig
from tests.integration.stack import free_port
from tests.prometheus import running, wait_until_open
from tests.sources.names import lead


@contextmanager
def port(talk: Callable[[socket.socket], None] = lambda _: None) -> Iterator[int]:
    """Have `talk` talk to who connects; yield the port."""

    def serve() -> None:
        try:
            client, _ = listening.accept()
            with client:
                talk(client)
        except OSError:  # the other side left, or the test is over
            pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def collect(port: int, **fields: Any) -> Noted:
    """Run one check; return its samples and its note, having checked that they would be accepted."""
    found = TcpCheck().collect(TcpCheckConfig(**{"host": "127.0.0.1", "port": port, "timeout_s": 5, **fields}))
    check(found, time.time())
    assert isinstance(found, Noted)
    assert [one.metric for one in found] == ["tcp_up", "tcp_latency_seconds"]
    assert bool(found[0].value) is not bool(found.note)
    return found


def test_a_port_that_opens_is_up() -> None:
    with port() as number:
        up, latency = collect(number)
    assert (up.value, up.labels) == (1, {"check": f"127.0.0.1:{number}"})
    assert 0 < latency.value < 5


def test_a_port_that_is_closed_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    assert collect(number).note == f"127.0.0.1 port {number} does not open (Connection refused)."


def test_a_name_that_nobody_has_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch)
    note = collect(1, host="nobody.test").note
    assert note == "The name nobody.test can't be looked up (Name or service not known)."


def test_where_the_source_may_not_connect_to_is_an_error() -> None:
    with limited(), pytest.raises(Forbidden):
        collect(1)


def test_a_greeting_may_come_in_pieces() -> None:
    def greet(client: socket.socket) -> None:
        for piece in (b"220 mail", b".example ES", b"MTP\r\n"):
            client.sendall(piece)
            time.sleep(0.02)

    with port(greet) as number:
        assert collect(number, expect=" ESMTP").note == ""


def test_what_is_sent_is_answered_by_a_redis(tmp_path: Path) -> None:
    number = free_port()
    command = [local_redis.find_server(), "--port", str(number), "--bind", "127.0.0.1", "--save", ""]
    with running([*command, "--dir", str(tmp_path)], tmp_path / "log"):
        wait_until_open(number, tmp_path / "log")
        found = collect(number, send="PING\r\n", expect="+PONG", name="cache")
    assert (found.note, found[0].labels) == ("", {"check": "cache"})


@pytest.mark.parametrize("said", [b"", b"554 go away\r\n", b"x" * 200_000])
def test_another_answer_is_down(said: bytes) -> None:
    with port(lambda client: client.sendall(said)) as number:
        assert collect(number, expect="220").note == f"127.0.0.1 port {number} answered without '220'."


def test_no_answer_is_down_in_the_time_that_was_allowed() -> None:
    def listen(client: socket.socket) -> None:
        client.recv(1)

    with port(listen) as number:
        began = time.monotonic()
        found = collect(number, expect="220", timeout_s=0.3)
    assert found.note == f"127.0.0.1 port {number} did not answer '220' within 0.3 s."
    assert time.monotonic() - began < 3


def test_a_byte_at_a_time_is_down_in_the_time_that_was_allowed() -> None:
    def drip(client: socket.socket) -> None:
        for _ in range(200):
            client.sendall(b"x")
            time.sleep(0.05)

    with port(drip) as number:
        began = time.monotonic()
        assert collect(number, expect="220", timeout_s=0.4)[0].value == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "fields",
    [{}, {"host": "x"}, {"port": 1}, {"host": "", "port": 1}, {"host": "x", "port": 0}, {"host": "x", "port": 65536}],
)
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TcpCheckConfig(**fields)
