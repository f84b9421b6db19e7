"""Proxies that are trusted to say where a request comes from."""

from ipaddress import ip_network

import pytest
from pytest_django import Settings

from dashboard_project.daphne_extensions.http_limits import is_trusted_proxy


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        (None, True),  # a unix socket
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("172.30.250.7", True),
        ("::ffff:172.30.250.7", True),
        ("fd00::5%eth0", True),
        ("172.30.251.7", False),
        ("172.17.0.1", False),
        ("10.0.0.1", False),
        ("192.168.0.1", False),
        ("fe80::1%eth0", False),
        ("203.0.113.5", False),
    ],
)
def test_this_machine_and_proxies_that_were_named_are_trusted(settings: Settings, address: str, trusted: bool) -> None:
    settings.TRUSTED_PROXIES = [ip_network("172.30.250.0/24"), ip_network("fd00::/8")]
    assert is_trusted_proxy(address) == trusted


def test_nobody_else_is_unless_named(settings: Settings) -> None:
    assert settings.TRUSTED_PROXIES == []
    assert not is_trusted_proxy("172.17.0.1")
