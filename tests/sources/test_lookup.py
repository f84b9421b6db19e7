"""Lookups: real ones, ones that hang, and too many that do."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metrics.sources import lookup


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Have every lookup hang until the test is over; return how many were asked for."""
    over, asked = threading.Event(), []

    def answer(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        over.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    yield lambda: len(asked)
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("lookup "):
            thread.join(5)


def test_a_name_of_this_machine_is_found() -> None:
    assert set(lookup.start("localhost").result(5)) <= {"127.0.0.1", "::1"}


def test_an_address_is_itself() -> None:
    assert lookup.start("192.0.2.7").result(5) == ["192.0.2.7"]


@pytest.mark.parametrize("host", ["nobody.invalid", "", "a..b", "x" * 300, "nul\x00.example"])
def test_what_is_no_name_of_anybody_is_an_error(host: str) -> None:
    with pytest.raises((OSError, ValueError)):
        lookup.start(host).result(10)


def test_who_gives_up_does_not_spoil_it_for_the_others(hang: Callable[[], int]) -> None:
    first = lookup.start("slow.example")
    with pytest.raises(TimeoutError):
        first.result(0.01)
    assert not first.cancel()
    assert lookup.start("slow.example") is first
    assert hang() == 1


def test_only_so_many_may_hang(hang: Callable[[], int]) -> None:
    for number in range(lookup.UNDER_WAY_MOST):
        lookup.start(f"{number}.example")
    with pytest.raises(lookup.TooMany):
        lookup.start("one-more.example")
    lookup.start("1.example")


def test_a_process_ends_though_a_lookup_hangs() -> None:
    program = """
import socket, time
from metrics.sources import lookup
socket.getaddrinfo = lambda *_, **__: time.sleep(20)
lookup.start("slow.example")
"""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", program], check=True, timeout=15)
    assert time.monotonic() - began < 10
