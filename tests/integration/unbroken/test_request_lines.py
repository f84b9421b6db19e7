"""A request line with a whole address, as proxies send it, is answered like one with a path."""

import socket

import pytest

from tests.integration.bench import SLUG, Bench

pytestmark = pytest.mark.integration

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def first_line(bench: Bench, target: str, headers: str = "Connection: close\r\n", host: str = "") -> str:
    port = bench.stack.port
    host = host or f"127.0.0.1:{port}"
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(10)
        line = f"GET {target.format(here=f'127.0.0.1:{port}')} HTTP/1.1\r\nHost: {host}\r\n"
        connection.sendall(f"{line}Authorization: Bearer {bench.read_token}\r\n{headers}\r\n".encode())
        return connection.recv(100).partition(b"\r\n")[0].decode()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://{here}/healthz", 200),
        ("HTTP://{here}/api/v1/series?metric=load", 200),
        ("http://{here}/api/v1/series", 422),
        ("http://somebody@{here}/healthz", 200),
        ("http://{here}?range=15m", 302),
        ("http://elsewhere.example/sign-in/", 400),
    ],
)
def test_over_http_its_host_counts_and_its_path(bench: Bench, target: str, status: int) -> None:
    assert first_line(bench, target).split()[1] == str(status)
    here_by_another_name = first_line(bench, target, host="127.0.0.1")
    assert here_by_another_name.split()[1] == str(status)


def test_over_a_websocket(bench: Bench) -> None:
    line = first_line(bench, f"http://{{here}}/ws/dashboards/{SLUG}/?range=15m", UPGRADE)
    assert line.startswith("HTTP/1.1 101 ")
