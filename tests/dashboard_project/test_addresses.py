"""Addresses of the web process: to reach, to show, and to bind."""

import socket
from urllib.parse import urlsplit

import pytest

from dashboard_project import addresses
from tests.ipv6 import has_ipv6


@pytest.mark.parametrize(
    ("host", "reached", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000", "http://localhost:8000"),
        ("::", "http://[::1]:8000", "http://localhost:8000"),
        ("[::1]", "http://[::1]:8000", "http://localhost:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000", "http://192.0.2.7:8000"),
    ],
)
def test_forms_of_an_address(host: str, reached: str, shown: str) -> None:
    assert addresses.url_of(host, 8000) == reached
    assert addresses.show(host, 8000) == shown


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "[::1]", "::"])
def test_what_is_bound_is_reached(host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with addresses.bound(host, 0) as bound:
        bound.listen()
        where = urlsplit(addresses.url_of(host, bound.getsockname()[1]))
        socket.create_connection((where.hostname, where.port), 5).close()


def why_not(host: str, port: int) -> str | None:
    try:
        addresses.bound(host, port).close()
    except OSError as error:
        return error.strerror
    return None


def test_a_taken_port_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert why_not("127.0.0.1", port) == "Address already in use"
        assert why_not("0.0.0.0", port) == "Address already in use"
    assert why_not("127.0.0.1", port) is None


def test_an_address_of_another_machine_is_noticed() -> None:
    assert why_not("192.0.2.7", 8000) == "Cannot assign requested address"
