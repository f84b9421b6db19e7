"""Real processes, kept running and stopped."""

import errno
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from dashboard_project import supervisor as module
from dashboard_project.processes import Process, plainly
from dashboard_project.supervisor import Command, Supervisor

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(15, 1); print('up', flush=True); time.sleep(60)"]


@pytest.fixture
def output() -> StringIO:
    return StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, output: StringIO) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "run", os.environ, output)
    yield made
    made.kill()


def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid(supervisor: Supervisor, name: str) -> int:
    assert eventually(lambda: supervisor.pid_file(name).exists() and supervisor.pid_file(name).read_text() != "")
    return int(supervisor.pid_file(name).read_text())


def is_up(name: str, output: StringIO) -> bool:
    """Return whether a child has said that it is up, and so has its handlers."""
    return re.search(rf"{name} +\| up", output.getvalue()) is not None


def test_output_is_prefixed_and_stopping_leaves_nothing(supervisor: Supervisor, output: StringIO) -> None:
    supervisor.start(Command("sleeper", SLEEPS))
    child = pid(supervisor, "sleeper")
    assert eventually(lambda: "sleeper | up" in output.getvalue())
    supervisor.stop()
    assert not alive(child)
    assert not supervisor.pid_file("sleeper").exists()


def test_a_child_that_ends_is_started_again(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAY_LEAST_S", 0.01)
    supervisor.start(Command("sleeper", SLEEPS))
    before = pid(supervisor, "sleeper")
    os.kill(before, 9)
    assert eventually(lambda: not supervisor.pid_file("sleeper").exists() or pid(supervisor, "sleeper") != before)
    assert pid(supervisor, "sleeper") != before


def test_the_pause_between_starts_grows(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, output: StringIO
) -> None:
    monkeypatch.setattr(module, "DELAY_LEAST_S", 0.25)
    monkeypatch.setattr(module, "DELAY_MOST_S", 0.5)
    supervisor.start(Command("fails", [sys.executable, "-c", "raise SystemExit(3)"]))
    assert eventually(lambda: output.getvalue().count("ended with code 3") == 3)
    pauses = re.findall(r"again in ([\d.]+) s", output.getvalue())
    assert pauses == ["0.25", "0.5", "0.5"]


def test_the_last_is_stopped_after_all_others(supervisor: Supervisor, tmp_path: Path, output: StringIO) -> None:
    log = tmp_path / "log"
    script = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(float(sys.argv[2])); open(sys.argv[3], 'a').write(sys.argv[1] + ' '); sys.exit()\n"
        "signal.signal(15, end); print('up', flush=True); time.sleep(60)\n"
    )
    for name, takes_s in (("redis", "0"), ("web", "0.3")):
        supervisor.start(Command(name, [sys.executable, "-c", script, name, takes_s, str(log)]))
    assert eventually(lambda: all(is_up(name, output) for name in ("redis", "web")))
    supervisor.stop()
    assert log.read_text() == "web redis "


def test_a_deaf_child_is_killed(supervisor: Supervisor, output: StringIO) -> None:
    supervisor.start(Command("deaf", DEAF))
    child = pid(supervisor, "deaf")
    assert eventually(lambda: is_up("deaf", output))
    supervisor.stop(first_for_s=0.2)
    assert not alive(child)


def test_a_command_that_does_not_exist_says_so(supervisor: Supervisor, output: StringIO) -> None:
    supervisor.start(Command("none", ["/no/such/program"]))
    assert eventually(lambda: "/no/such/program can't be run (No such file or directory)." in output.getvalue())


# Answers everyone who connects with its process id, and goes as a web process does: when another listens.
LISTENS = """
import asyncio, os, signal, sys
from dashboard_project import handover

async def main():
    listener, line, asked = handover.inherited_listener(), handover.Line(), asyncio.Event()
    listener.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await asyncio.sleep(0.3)  # as if it took long to start
    async def answer(reader, writer):
        writer.write(str(os.getpid()).encode())
        writer.close()
    server = await asyncio.start_server(answer, sock=listener)
    line.say(handover.LISTENING)
    await asked.wait()
    line.say(handover.LEAVING)
    await line.hung_up(20)
    server.close()
    await asyncio.sleep(0.5)  # who was accepted is answered

asyncio.run(main())
"""


@pytest.fixture
def door(supervisor: Supervisor) -> Iterator[socket.socket]:
    """The listening socket of a child named `web`."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        supervisor.start(Command("web", [sys.executable, "-c", LISTENS], made))
        yield made


def who_answers(door: socket.socket) -> int:
    with socket.create_connection(door.getsockname(), 10) as connection:
        return int(connection.recv(100))


def test_who_connects_while_a_child_starts_is_answered(supervisor: Supervisor, door: socket.socket) -> None:
    assert who_answers(door) == pid(supervisor, "web")


def test_a_child_that_is_asked_to_go_waits_until_another_listens(supervisor: Supervisor, door: socket.socket) -> None:
    first = who_answers(door)
    os.kill(first, signal.SIGTERM)
    answered = [first]
    while answered[-1] == first:  # and never is anyone refused
        answered.append(who_answers(door))
    assert eventually(lambda: not alive(first))
    assert who_answers(door) == answered[-1] == pid(supervisor, "web")
    supervisor.stop()
    assert not alive(answered[-1])
    assert not supervisor.pid_file("web").exists()


def test_a_child_that_is_killed_leaves_no_door_closed(
    supervisor: Supervisor, door: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIVED_WELL_S", 0)
    first = who_answers(door)
    os.kill(first, signal.SIGKILL)
    assert who_answers(door) != first


def test_stopping_waits_for_nobody_to_take_over(supervisor: Supervisor, door: socket.socket, output: StringIO) -> None:
    first = who_answers(door)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5
    assert not alive(first)
    assert "takes over" not in output.getvalue()


def test_a_child_that_cannot_be_started_is_tried_again(tmp_path: Path, output: StringIO) -> None:
    tried: list[str] = []

    def start(*given: Any) -> Process:
        tried.append("once")
        if len(tried) == 1:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return plainly(*given)

    supervisor = Supervisor(tmp_path / "run", os.environ, output, start)
    supervisor.start(Command("one", SLEEPS))
    try:
        assert eventually(lambda: is_up("one", output), 20)
        assert "could not be started (resource temporarily unavailable); starting it again in 1 s" in output.getvalue()
    finally:
        supervisor.kill()
