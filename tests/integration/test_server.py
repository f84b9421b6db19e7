"""The web process alone: it needs neither Redis nor a migrated database to listen."""

import os
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.stack import free_port
from tests.ipv6 import has_ipv6
from tests.migrated import ROOT

pytestmark = pytest.mark.integration


@contextmanager
def server(**env: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard_project.server"],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_listens_on_ipv6_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    with server(HOST="[::1]", PORT=str(port), DATA_DIR=str(tmp_path)) as process:
        wait_until_it_answers(f"http://[::1]:{port}/healthz")
        process.terminate()
        assert process.wait(30) == 0


def test_it_takes_a_listening_socket_that_systemd_passes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # As systemd does: the socket is file descriptor 3, and the process is told that it is meant for it.
        script = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid());"
            "os.execv(sys.executable, [sys.executable, '-m', 'dashboard_project.server'])"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(listener.fileno())],
            cwd=ROOT,
            env={**os.environ, "LISTEN_FDS": "1", "PORT": "1", "DATA_DIR": str(tmp_path)},
            pass_fds=(listener.fileno(),),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            # It connects before anyone listens, and waits.
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as response:
                assert response.status == 200
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


HEAD = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\n"
DRIPS = {  # what comes at once, and what follows byte by byte, for ever
    "a first line": (b"GET /", b"x"),
    "headers": (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "a chunked body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a handshake": (b"GET /ws/dashboards/x/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", b"X-A: b\r\n"),
    "a second request": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /", b"x"),
}


def test_requests_that_drip_are_ended_however_often_a_byte_comes(tmp_path: Path) -> None:
    port = free_port()
    with server(HOST="0.0.0.0", PORT=str(port), DATA_DIR=str(tmp_path), REQUEST_SECONDS="2"):
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz")
        dripping = {}
        for name, (first, _) in DRIPS.items():
            dripping[name] = socket.create_connection(("127.0.0.1", port))
            dripping[name].settimeout(5)
            dripping[name].sendall(first)
        heard = dict.fromkeys(DRIPS, b"")
        until = time.monotonic() + 30
        at = 0
        while dripping and time.monotonic() < until:
            for name, one in list(dripping.items()):
                more = DRIPS[name][1]
                try:
                    if not select.select([one], [], [], 0)[0]:
                        one.sendall(more[at % len(more) :][:1])
                        continue
                    piece = one.recv(65536)
                except OSError:
                    piece = b""
                heard[name] += piece
                if not piece:
                    dripping.pop(name).close()
            at += 1
            time.sleep(0.05)
        assert dripping == {}
    # A byte that crosses the answer on its way has the client's system drop the answer.
    assert any(b"HTTP/1.1 408 Request Timeout" in said for said in heard.values())
    assert b"200 OK" in heard["a second request"]


def wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + 60
    while not answers(url):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "static").mkdir()  # else WhiteNoise warns that nothing is collected
        with server(PORT=str(port), DATA_DIR=str(tmp_path)) as process:
            said = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert said == f"watchfloor: 127.0.0.1:{port} can't be listened on (address already in use).\n"
