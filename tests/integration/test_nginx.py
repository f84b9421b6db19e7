"""The nginx of `deploy/`: whom it believes about who asks and how, what it passes on, what it says without a server."""

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.stack import free_port
from tests.nginx import nginx
from tests.sources.web import Handler, serving

pytestmark = pytest.mark.integration

SAID = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1"}
HIDDEN = [
    *("/ping/a-key/0", "/Ping/a-key", "//ping/a-key", "/api/v1/alerts/webhook/a-key"),
    *("/on-call/7.ics?key=a-key", "/write?db=a&p=a-key", "/query?p=a-key&q=SHOW"),
]
"""Addresses that hold a key."""
PROXY, NEIGHBOUR = "127.0.0.1", "127.0.0.2"


class Repeats(Handler):
    """Answers with the headers that reach it."""

    def do_GET(self) -> None:
        self.answer(200, json.dumps({name.lower(): value for name, value in self.headers.items()}))


class Refuses(Handler):
    """Answers before it has all of a body, as Watchfloor does to one that drips."""

    def do_POST(self) -> None:
        assert self.rfile.read(2) == b"ab"
        self.answer(408, "A request has to arrive within 60 seconds.")


def headers(url: str, address: str, **more: str) -> Any:
    """Return what reaches the server when `address` asks."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address), trust_env=False) as client:
        return client.get(url, headers={**SAID, **more}).json()


@pytest.mark.parametrize(
    ("trusted", "address", "believed"),
    [
        (PROXY, PROXY, ("203.0.113.9", "https")),  # whom the proxy saw, not what the client wrote before it
        (PROXY, NEIGHBOUR, (NEIGHBOUR, "http")),
        ("none", PROXY, (PROXY, "http")),
        ("172.30.250.1 127.0.0.2/32", NEIGHBOUR, ("203.0.113.9", "https")),
    ],
)
def test_it_takes_the_word_of_its_proxy_alone(
    tmp_path: Path, trusted: str, address: str, believed: tuple[str, str]
) -> None:
    with serving(Repeats) as web, nginx(web, tmp_path, trusted) as front:
        came = headers(f"{front}/", address)
    assert (came["x-forwarded-for"], came["x-forwarded-proto"]) == believed
    assert "x-forwarded-port" not in came


def test_sockets_and_hosts_pass(tmp_path: Path) -> None:
    with serving(Repeats) as web, nginx(web, tmp_path) as front:
        came = headers(f"{front}/ws/dashboards/shop/", PROXY, Host="watch.example", Upgrade="websocket")
        assert (came["host"], came["upgrade"], came["connection"]) == ("watch.example", "websocket", "upgrade")
        assert "upgrade" not in headers(f"{front}/", PROXY)


def test_a_page_without_a_server_tries_again(tmp_path: Path) -> None:
    with nginx(f"http://127.0.0.1:{free_port()}", tmp_path) as front:
        answer = httpx.get(f"{front}/d/shop/", trust_env=False)
        for hidden in HIDDEN:
            assert httpx.get(front + hidden, trust_env=False).status_code == 503
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert 'http-equiv="refresh"' in answer.text
    assert "connect() failed" in (log := (tmp_path / "log").read_text())
    assert "a-key" not in log


def test_a_body_passes_as_it_comes_so_that_one_that_drips_can_be_ended(tmp_path: Path) -> None:
    with serving(Refuses) as web, nginx(web, tmp_path) as front:
        to = urlsplit(front)
        with socket.create_connection((to.hostname, to.port), timeout=10) as client:
            client.sendall(b"POST /api/v1/samples HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab")
            assert client.recv(100).startswith(b"HTTP/1.1 408 ")
