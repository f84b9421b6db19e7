"""Copies of a process that has imported what they need: real ones, that import little."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest

from dashboard_project import build, run
from dashboard_project import forks as module
from dashboard_project.fork_server import Files
from dashboard_project.forks import Forked, Forks
from dashboard_project.preparation import CannotStartError
from dashboard_project.processes import Process, die_with_parent

ROOT = Path(__file__).parents[2]
SERVER = """
from importlib import import_module
from pathlib import Path
from dashboard_project import build, env, fork_server
build.FOLDERS = (Path(__file__).with_name("templates"),)
env.text("SECRET", "", "A secret.")
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
forks = Forks(os.environ, "server")
started = forks.start(["python", "-m", "program", "stay"], os.environ, {}, True)
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
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").touch()
    (tmp_path / "secret").touch()
    return tmp_path


@pytest.fixture
def env(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{code}{os.pathsep}{ROOT}", "SECRET_FILE": str(code / "secret")}


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


@pytest.mark.parametrize("file", ["templates/page.html", "templates/added.html", "secret"])
def test_a_changed_page_or_secret_is_loaded_anew(file: str, forks: Forks, env: dict[str, str], code: Path) -> None:
    process, said = started(forks, env)
    process.wait()
    (code / file).write_text("new")
    changed, new = started(forks, env)
    changed.wait()
    assert new["loaded_by"] != said["loaded_by"]


def test_what_changes_while_more_is_imported_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "FOLDERS", ())
    first, second = (tmp_path / name for name in ("first.py", "second.py"))
    first.touch()
    second.touch()
    files = Files()
    for name, path in (("first", first), ("second", second)):
        imported = ModuleType(name)
        imported.__file__ = str(path)
        monkeypatch.setitem(sys.modules, name, imported)
        files.add()
        os.utime(first, ns=(1, 1) if name == "second" else (2, 2))
        assert not files.are_unchanged()


def test_what_is_no_program_of_ours_is_started_plainly(forks: Forks, env: dict[str, str]) -> None:
    process = forks.start([sys.executable, "-c", "raise SystemExit(3)"], env, {}, False)
    assert not isinstance(process, Forked)
    assert process.wait() == 3


@pytest.mark.parametrize(
    ("server", "answer_s", "trouble"),
    [
        ("raise SystemExit(1)", 60.0, "what they share can't be loaded"),
        ("import time; time.sleep(60)", 0.2, "the fork server did not answer for 0.2 s"),
    ],
)
def test_without_a_server_programs_are_started_plainly_and_this_is_said_once(
    server: str, answer_s: float, trouble: str, env: dict[str, str], code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted, tried, reported = Forks._restarted, list[Forks](), list[str]()

    def restart(forks: Forks) -> socket.socket:
        tried.append(forks)
        return restarted(forks)

    monkeypatch.setattr(Forks, "_restarted", restart)
    monkeypatch.setattr(module, "ANSWER_S", answer_s)
    (code / "server.py").write_text(server)
    with closing(Forks(env, "server")) as forks:
        for _ in range(2):
            process, said = started(forks, env)
            assert not isinstance(process, Forked)
            assert said["loaded_by"] == process.pid
            assert process.wait() == 7
        forks.report_to(reported.append)
        assert reported == [f"processes are started one by one: {trouble}"]
        assert tried == [forks]
        monkeypatch.setattr(module, "ANSWER_S", 60.0)
        (code / "server.py").write_text(SERVER)
        forks._again_at = 0.0
        process, _ = started(forks, env)
        assert isinstance(process, Forked)
        assert process.wait() == 7


def test_what_is_too_large_to_be_passed_on_is_started_plainly(forks: Forks, env: dict[str, str]) -> None:
    first, said = started(forks, env)
    large, _ = started(forks, env | {f"LARGE_{number}": "x" * 100_000 for number in range(3)})
    later, same = started(forks, env)
    assert [isinstance(one, Forked) for one in (first, large, later)] == [True, False, True]
    assert same["loaded_by"] == said["loaded_by"]
    assert [one.wait() for one in (first, large, later)] == [7, 7, 7]


def test_whoever_asks_while_another_asks_is_not_kept(forks: Forks, env: dict[str, str]) -> None:
    process, _ = started(forks, env, "stay")
    assert isinstance(process, Forked)
    with process._asking:
        assert process.poll() is None
    assert ended(process) == -signal.SIGKILL


def test_an_end_that_the_kernel_told_nobody_is_an_end() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        copy = Forked(process.pid, None)
        assert (copy.poll(), copy.wait()) == (0, 0)


def test_the_server_outlives_the_thread_that_asked_first(forks: Forks, env: dict[str, str]) -> None:
    found: list[int] = []

    def ask() -> None:
        process, said = started(forks, env)
        process.wait()
        found.append(said["loaded_by"])

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(set(found)) == 1


def test_children_that_a_launcher_would_have_us_ignore_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise CannotStartError("No.")

    monkeypatch.setattr(run, "Forks", refuse)
    before, mask = signal.signal(signal.SIGCHLD, signal.SIG_IGN), os.umask(0o077)
    try:
        assert run.main() == 1
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGCHLD, before)
        os.umask(mask)


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


def test_a_shell_and_measuring_that_nothing_here_uses_are_left_out() -> None:
    code = (
        "from dashboard_project import fork_server; fork_server.import_redis(); fork_server.import_celery();"
        " import sys, celery.bin.celery, redis;"
        " print([name for name in ('prompt_toolkit', 'opentelemetry.sdk.metrics') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "[]\n"
