"""Connections are cut when time is up, and only then."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from metrics.sources import deadline
from metrics.sources.base import SourceError
from metrics.sources.deadline import Deadline


def test_who_reads_is_cut_off_and_told_why() -> None:
    ours, theirs = socket.socketpair()

    def read() -> None:
        with Deadline(0.2) as deadline:
            deadline.watch(ours.fileno())
            assert ours.recv(1) == b""
            raise OSError("cut off")

    with ours, theirs, pytest.raises(SourceError, match=r"^It took longer than 0\.2 s\.$"):
        read()


def test_what_comes_in_time_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(20) as deadline:
            deadline.watch(ours.fileno())
        theirs.send(b"x")
        assert ours.recv(1) == b"x"


def test_who_is_sent_too_much_is_cut_off_and_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "READ_MOST_BYTES", 1024**2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs = server.accept()[0]

    def send() -> None:
        with suppress(OSError):
            theirs.sendall(bytes(16 * 1024**2))

    def read() -> None:
        with Deadline(20) as limits:
            limits.watch(ours.fileno())
            flood = threading.Thread(target=send)
            flood.start()
            while ours.recv(65536):
                pass
            flood.join()
            raise OSError("cut off")

    with ours, theirs, pytest.raises(SourceError, match=r"^It was sent more than 1 MiB\.$"):
        read()


def test_an_error_in_time_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="a bug"), Deadline(20):
        raise ValueError("a bug")


def test_a_descriptor_that_was_closed_and_given_to_another_is_not_cut() -> None:
    ours, theirs = socket.socketpair()
    with theirs, Deadline(0.05) as deadline:
        deadline.watch(ours.fileno())
        ours.close()
        others, peer = socket.socketpair()
        with others, peer:
            others.settimeout(0.2)
            with pytest.raises(TimeoutError):
                others.recv(1)
            assert deadline.passed


def test_a_connection_that_comes_too_late_is_cut_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.001) as deadline:
        while not deadline.passed:
            time.sleep(0)
        deadline.watch(ours.fileno())
        assert ours.recv(1) == b""
        assert 0 < deadline.left_s < 0.01
