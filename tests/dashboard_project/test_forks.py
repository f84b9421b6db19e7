"""Copies of a process that has imported what they need: real ones, that import little."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from dashboard_project.forks import Forked, Forks
from dashboard_project.processes import Process, die_with_parent

ROOT = Path(__file__).parents[2]
SERVER = """
from importlib import import_module
from dashboard_project import fork_server
fork_server.load_first = lambda: import_module("loaded")
fork_server.load_rest = lambda: None
fork_server.main()
"""
LOADED = """
import os
VALUE, PID = {value}, os.getpid()
"""
PROGRAM = """
import json, loaded, os, sys, time
given = os.environ.pop("GIVEN", None)
if given:
    os.write(int(given), b"here")
facts = {"arguments": sys.argv[1:], "value": loaded.VALUE, "loaded_by": loaded.PID, "name": os.environ.get("NAME")}
print(json.dumps(facts | {"parent": os.getppid(), "session": os.getsid(0), "main": __name__}), flush=True)
if "stay" in sys.argv:
    time.sleep(60)
sys.exit(7)
"""
HOLDER = """
import os, sys, time
from dashboard_project.forks import Forks
started = Forks(os.environ, "server").start(["python", "-m", "program", "stay"], os.environ, {}, True)
started.stdout.readline()
print(started.pid, flush=True)
time.sleep(60)
"""


def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with the modules that the fork server runs and loads, and the program that its copies run."""
    for name, text in (("server", SERVER), ("loaded", LOADED.format(value=1)), ("program", PROGRAM)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.fixture
def env(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{code}{os.pathsep}{ROOT}"}


@pytest.fixture
def forks(env: dict[str, str]) -> Iterator[Forks]:
    with closing(Forks(env, "server")) as made:
        yield made


def started(forks: Forks, env: dict[str, str], *arguments: str) -> tuple[Process, dict[str, Any]]:
    """Start the program; return its process and what it said."""
    process = forks.start(["python", "-m", "program", *arguments], env, {}, True)
    assert process.stdout is not None
    with process.stdout:
        return process, json.loads(process.stdout.readline())


def ended(process: Process, number: int = signal.SIGKILL) -> int:
    os.kill(process.pid, number)
    return process.wait()


def test_a_copy_runs_as_python_would(forks: Forks, env: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    process = forks.start(["python", "-m", "program", "a b", "c"], env | {"NAME": "value"}, {"GIVEN": theirs}, True)
    os.close(theirs)
    assert process.stdout is not None
    with process.stdout, open(ours, "rb") as given:
        said = json.loads(process.stdout.read())
        assert given.read() == b"here"
    assert process.wait() == process.poll() == 7
    assert said.pop("loaded_by") != process.pid
    assert said == {
        "arguments": ["a b", "c"],
        "value": 1,
        "name": "value",
        "parent": os.getpid(),
        "session": process.pid,
        "main": "__main__",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")
def test_a_copy_looks_like_what_it_runs_and_has_nothing_of_others(forks: Forks, env: dict[str, str]) -> None:
    first, _ = started(forks, env, "stay")
    second, _ = started(forks, env, "stay")
    looks = psutil.Process(second.pid)
    assert looks.cmdline()[:4] == ["python", "-m", "program", "stay"]
    assert set("".join(looks.cmdline()[4:])) == set()
    assert looks.num_fds() == 3
    assert ended(first) == ended(second) == -signal.SIGKILL


def test_copies_outlive_the_server_and_another_is_started_for_the_next_one(forks: Forks, env: dict[str, str]) -> None:
    first, said = started(forks, env, "stay")
    os.kill(said["loaded_by"], signal.SIGKILL)
    second, later = started(forks, env, "stay")
    assert later["loaded_by"] != said["loaded_by"]
    assert first.poll() is None
    assert ended(first, signal.SIGTERM) == ended(second, signal.SIGTERM) == -signal.SIGTERM


def test_code_that_has_changed_is_loaded_anew(forks: Forks, env: dict[str, str], code: Path) -> None:
    process, said = started(forks, env)
    process.wait()
    again, same = started(forks, env)
    again.wait()
    assert same["loaded_by"] == said["loaded_by"]
    (code / "loaded.py").write_text(LOADED.format(value=20))
    changed, new = started(forks, env)
    changed.wait()
    assert new["value"] == 20


def test_what_is_no_program_of_ours_is_started_plainly(forks: Forks, env: dict[str, str]) -> None:
    process = forks.start([sys.executable, "-c", "raise SystemExit(3)"], env, {}, False)
    assert not isinstance(process, Forked)
    assert process.wait() == 3


def test_without_a_server_a_program_is_started_plainly(env: dict[str, str], code: Path) -> None:
    (code / "server.py").write_text("raise SystemExit(1)")
    with closing(Forks(env, "server")) as forks:
        process, said = started(forks, env)
    assert not isinstance(process, Forked)
    assert said["loaded_by"] == process.pid
    assert process.wait() == 7


def test_copies_do_not_outlive_a_killed_supervisor(env: dict[str, str]) -> None:
    with subprocess.Popen(
        die_with_parent(sys.executable, "-c", HOLDER), env=env, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        copy = psutil.Process(int(holder.stdout.readline()))
        family = [copy, *psutil.Process(holder.pid).children()]
        holder.kill()
    assert len(set(family)) == 2  # the copy, and the server
    assert eventually(lambda: not any(one.is_running() for one in family))
