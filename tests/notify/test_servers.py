"""The processes from which those that send come: nothing is left in them, and they come and go."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from metrics.notify.sending import process, servers
from metrics.notify.sending.process import Job
from metrics.notify.sending.servers import Server
from tests.browser.person import SOON_S
from tests.notify.receivers import hook
from tests.notify.test_webhook import MESSAGE, SECRET

KEY = "wf:delivered:test-servers"


pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "nobody else may know")
        made = Server("webhook")
        made.start()
    yield made
    made.end()


def started(server: Server) -> tuple[socket.socket, int]:
    return server.sender(time.monotonic() + SOON_S)


def test_each_message_has_a_process_of_its_own_with_nothing_of_ours_and_of_others(server: Server) -> None:
    (one, first), (other, second) = started(server), started(server)
    with one, other:
        assert len({first, second, os.getpid()}) == 3
        for pid in (first, second):
            about = Path(f"/proc/{pid}")
            assert os.getsid(pid) == pid
            assert b"nobody else may know" not in (about / "environ").read_bytes()
            assert len(list((about / "task").iterdir())) == 1
            assert {found.name for found in (about / "fd").iterdir()} == {"0", "1", "2"}


def test_a_process_without_a_job_ends(server: Server) -> None:
    opened, _ = started(server)
    with opened:
        opened.shutdown(socket.SHUT_WR)
        assert opened.recv(100) == b""


def test_one_that_was_killed_is_started_again_and_who_sends_goes_on() -> None:
    opened, pid = started(servers.of("webhook"))
    with opened:
        before = psutil.Process(pid).parent()
        assert before is not None
        before.kill()
        with hook() as receiver:
            assert process.send(Job("webhook", {"url": receiver.url, "secret": SECRET}, True, MESSAGE, KEY))
        opened.shutdown(socket.SHUT_WR)
        assert opened.recv(100) == b""
    again, pid = started(servers.of("webhook"))
    with again:
        assert psutil.Process(pid).parent() != before


def test_one_that_loads_for_long_goes_on_loading_for_who_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (tmp_path / "sitecustomize.py").write_text(f"open({str(gate)!r}).read()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = Server("webhook")
    with pytest.raises(TimeoutError):
        server.sender(time.monotonic() + 0.01)
    assert server.is_running
    loading = server._process
    assert loading is not None
    gate.write_bytes(b"")  # it waits for a reader
    opened, pid = started(server)
    with opened:
        assert psutil.Process(pid).ppid() == loading.pid
    server.end()


def hanging(server: Server) -> subprocess.Popen[bytes]:
    """Have `server` load, and then hang; return its process."""
    started(server)[0].close()
    process = server._process
    assert process is not None
    psutil.Process(process.pid).suspend()
    return process


def test_one_that_loaded_and_starts_nothing_is_replaced() -> None:
    server = Server("webhook")
    before = hanging(server)
    with pytest.raises(TimeoutError):
        server.sender(time.monotonic() + 0.01)
    assert before.poll() is not None
    again, pid = started(server)
    with again:
        assert psutil.Process(pid).ppid() != before.pid
    server.end()


def test_one_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "ENDS_WITHIN_S", 0.01)
    server = Server("webhook")
    before = hanging(server)
    server.end()
    assert before.poll() is not None


def test_one_that_nobody_needs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "UNUSED_S", 0.0)
    server = Server("webhook")
    server.start()
    assert server.ends is not None
    server.ends.join(SOON_S)
    assert not server.is_running
