"""Kinds that check something say in one way whether it is up, so that no page takes a failing check for a good one."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from metrics.sources.base import Noted
from metrics.sources.registry import kinds


@pytest.fixture(scope="module")
def shut() -> Iterator[int]:
    """Return a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("http_check", {"url": "http://127.0.0.1:{}/"}),
        ("tcp_check", {"host": "127.0.0.1", "port": "{}"}),
        ("tls_certificate", {"host": "127.0.0.1", "port": "{}"}),
        ("dns_check", {"query": "example.org", "server": "127.0.0.1", "port": "{}", "timeout_s": 0.2}),
    ],
)
def test_what_does_not_answer_is_down(kind: str, config: dict[str, Any], shut: int) -> None:
    filled = {name: value.format(shut) if isinstance(value, str) else value for name, value in config.items()}
    found = kinds()[kind].collect(kinds()[kind].config_class.model_validate(filled))
    assert isinstance(found, Noted)
    assert found.verdict == "down"
    assert found.note.endswith(".")
    assert [one.value for one in found if one.metric.endswith("_up")] == [0.0]
