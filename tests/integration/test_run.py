"""`make run`, as its users see it: it starts, says why it can't, survives, and leaves nothing behind."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest
from statsd import StatsClient

from tests.integration.stack import STOPS_S, FirstStart, Stack, free_port

pytestmark = pytest.mark.integration

CHILDREN = ("redis", "web", "collect", "render")


@pytest.fixture
def unstarted() -> Iterator[Callable[..., Stack]]:
    """Make stacks that are not started, and removed at the end."""
    made: list[Stack] = []

    def make(data_dir: Path | None = None, **env: str) -> Stack:
        made.append(Stack(data_dir, **env))
        return made[-1]

    yield make
    for stack in made:
        stack._remove()


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Every process that was started with this DATA_DIR, but this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DATA_DIR") == str(data_dir) and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def eventually(condition: Callable[[], bool], within_s: float) -> bool:
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture(scope="module")
def first() -> Iterator[Stack]:
    """One that makes its database, with a token in it; it is stopped before another goes on with that."""
    with FirstStart() as stack:
        assert stack.manage("token", "kept", "--scope", "read").strip()
        stack.end_manager()
        yield stack


@pytest.fixture(scope="module")
def lasting(first: Stack) -> Iterator[Stack]:
    """One on the data of the first, that a test leaves as it found it; but for the last one."""
    first.stop()
    with Stack(first.data_dir, STATSD_PORT=str(free_port())) as running:
        yield running


def test_it_starts_says_how_to_sign_in_and_stops_without_a_trace(first: Stack) -> None:
    for name in CHILDREN:
        assert psutil.pid_exists(first.pid_of(name))
    assert eventually(lambda: "is ready" in first.output(), 5)
    assert f"http://localhost:{first.port}/d/this-machine/" in first.output()
    assert "admin" in first.output()

    began = time.monotonic()
    assert first.stop() == 0
    assert time.monotonic() - began < 30
    assert processes_of(first.data_dir) == []
    assert list((first.data_dir / "run").iterdir()) == []
    assert "Traceback" not in first.output()


def test_it_goes_on_where_it_was(lasting: Stack) -> None:
    assert lasting.get("/healthz") == 200
    with pytest.raises(AssertionError, match="kept"):  # the name is taken: the first run's data is there
        lasting.manage("token", "kept", "--scope", "read")
    lasting.end_manager()


def test_statsd_runs_and_what_it_has_is_stored_when_it_is_stopped(lasting: Stack) -> None:
    assert eventually(lambda: "listening for StatsD" in lasting.output(), 60)
    with closing(StatsClient("127.0.0.1", int(lasting.env["STATSD_PORT"]))) as client:
        client.incr("orders", 5)
    os.kill(lasting.pid_of("statsd"), signal.SIGTERM)
    assert eventually(lambda: "ended with code 0" in lasting.output(), 60)
    assert "orders_total" in lasting.manage("export_samples")
    lasting.end_manager()


def test_a_killed_child_is_started_again(lasting: Stack) -> None:
    for name in ("render", "redis"):
        killed = lasting.kill(name)
        assert eventually(partial(lasting.is_back, name, killed), 90)
    lasting.wait_until_ready()


def test_processes_are_copies_of_one_that_has_nothing_open(lasting: Stack) -> None:
    assert lasting.process is not None
    children = psutil.Process(lasting.process.pid).children()
    commands = {one.pid: " ".join(one.cmdline()).strip() for one in children}
    (server,) = [one for one in children if "dashboard_project.fork_server" in commands[one.pid]]
    assert server.num_threads() == 1
    assert server.num_fds() == 4  # the standard ones, and where it is asked
    web = lasting.pid_of("web")
    assert commands[web] == "python -m dashboard_project.server"
    assert os.getsid(web) == web


def test_two_runs_on_the_same_data_are_refused(lasting: Stack, unstarted: Callable[..., Stack]) -> None:
    folder = lasting.data_dir
    assert refusal(unstarted(folder)) == f"watchfloor: Watchfloor already runs on DATA_DIR {folder}."


def test_a_port_in_use_is_refused(unstarted: Callable[..., Stack]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(unstarted(PORT=str(port)))
    assert said == (
        f"watchfloor: Port {port} on 127.0.0.1 can't be listened on (address already in use); set PORT to another."
    )


def test_a_data_dir_that_cannot_be_written_is_refused(tmp_path: Path, unstarted: Callable[..., Stack]) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    assert refusal(unstarted(DATA_DIR=str(folder))) == (
        f"watchfloor: DATA_DIR {folder} can't be written (Not a directory)."
    )


def test_a_redis_that_does_not_answer_is_refused_without_telling_its_password(
    unstarted: Callable[..., Stack],
) -> None:
    said = refusal(unstarted(REDIS_URL="redis://:hush@127.0.0.1:1/0"))
    assert said.startswith("watchfloor: The Redis at redis://127.0.0.1:1/0 does not answer (")
    assert "hush" not in said


def test_a_database_that_does_not_answer_is_refused_without_telling_its_password(
    unstarted: Callable[..., Stack],
) -> None:
    said = refusal(unstarted(DATABASE_URL="postgresql://me:hush@127.0.0.1:1/none"))
    assert said.startswith("watchfloor: The database at postgresql://127.0.0.1:1/none can't be used (")
    assert "hush" not in said


def test_a_bad_setting_is_refused(unstarted: Callable[..., Stack]) -> None:
    said = refusal(unstarted(DATABASE_POOL="many"))
    assert said == "watchfloor: DATABASE_POOL must be a whole number from 1 to 500, not 'many'."


def test_children_do_not_outlive_a_killed_run(lasting: Stack) -> None:
    assert lasting.process is not None
    lasting.process.kill()
    assert eventually(lambda: processes_of(lasting.data_dir) == [], 15)


def refusal(stack: Stack) -> str:
    """Start what must not start; return the one line it says, having checked the exit code."""
    stack.start()
    assert stack.process is not None
    assert stack.process.wait(STOPS_S) == 1
    (line,) = stack.output().splitlines()
    return line
