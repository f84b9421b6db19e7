import socket

import pytest

from dashboard_project import addresses


@pytest.mark.parametrize(
    ("host", "reached", "shown", "interface"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", "http://localhost:8000", "127.0.0.1"),
        ("0.0.0.0", "http://127.0.0.1:8000", "http://localhost:8000", "0.0.0.0"),
        ("::", "http://[::1]:8000", "http://localhost:8000", r"\:\:"),
        ("[::1]", "http://[::1]:8000", "http://localhost:8000", r"\:\:1"),
        ("192.0.2.7", "http://192.0.2.7:8000", "http://192.0.2.7:8000", "192.0.2.7"),
    ],
)
def test_forms_of_an_address(host: str, reached: str, shown: str, interface: str) -> None:
    assert addresses.reach(host, 8000) == reached
    assert addresses.show(host, 8000) == shown
    assert addresses.endpoint(host, 8000, 50) == f"tcp:port=8000:interface={interface}:backlog=50"


def test_a_taken_port_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert addresses.why_not_free("127.0.0.1", port) == "address already in use"
        assert addresses.why_not_free("0.0.0.0", port) == "address already in use"
    assert addresses.why_not_free("127.0.0.1", port) is None


def test_an_address_of_another_machine_is_noticed() -> None:
    assert addresses.why_not_free("192.0.2.7", 8000) == "cannot assign requested address"
