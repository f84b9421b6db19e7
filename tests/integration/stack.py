"""The whole system as its users start it, for tests: `with Stack() as stack: …`."""

import json
import os
import random
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from honcho.environ import parse_procfile

from dashboard_project.processes import die_with_parent
from tests import migrated
from tests.migrated import FILE, OURS, ROOT

PASSWORD = "correct horse battery staple"
READY_S = 120.0
PORTS = range(20_000, 32_000)
SUSPENDS_MOST = 20
LOCKED_S = 1.0
"""For so long a process that goes on may hold SQLite's lock for writing, on a machine that is busy."""
_given: set[int] = set()
STOPS_S = 60.0  # far more than it may take: it tells what hangs from a machine that is busy


def free_port() -> int:
    """Return a port that nothing listens on, another one each time, and that the system gives to nobody who lets it.

    A port that the system chooses could be taken again, as the near end of any connection, before it is listened on.
    """
    for port in random.SystemRandom().sample(PORTS, 100):  # which nobody seeds
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
    raise AssertionError("No port is free.")


class Stack:
    """One `python -m dashboard_project.run`, with a DATA_DIR and a PORT of its own.

    Extra keyword arguments are environment variables. `data_dir` may be that of an earlier stack, to go on
    with its data; it is removed at the end only if this stack made it. Then its database is migrated
    already, but for that of a `FirstStart`.
    """

    is_migrated = True

    def __init__(self, data_dir: Path | None = None, **env: str) -> None:
        self._own_data = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="wf-", dir="/tmp"))
        if self._own_data and self.is_migrated:
            shutil.copy(migrated.file(), self.data_dir / FILE)
        self.port = int(env.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = PASSWORD
        self.env = {name: value for name, value in os.environ.items() if name not in OURS}
        self.env |= {
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "ADMIN_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
            **env,
        }
        self.log = Path(tempfile.mkstemp(prefix="wf-", suffix=".log")[1])
        self.process: subprocess.Popen[bytes] | None = None
        self._manager: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.output())
        self._remove()

    def start(self) -> None:
        """Start the system without waiting for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                die_with_parent(sys.executable, "-m", "dashboard_project.run"),
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        """Return when /readyz answers 200. Raises AssertionError with the output after 120 s, or if it ended."""
        until = time.monotonic() + READY_S
        while self.get("/readyz") != 200:
            assert self.process is not None
            ended = self.process.poll() is not None
            assert not ended, f"It ended.\n{self.output()}"
            assert time.monotonic() < until, f"It is not ready.\n{self.output()}"
            time.sleep(0.1)

    def get(self, path: str) -> int:
        """Return the status of a GET, or 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                status: int = response.status
                return status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command on this system; return what it printed. Raises AssertionError with its refusal."""
        if self._manager is None:
            self._manager = subprocess.Popen(
                die_with_parent(sys.executable, "-m", "tests.integration.manager"),
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._manager.stdin
        assert self._manager.stdout
        print(json.dumps(arguments), file=self._manager.stdin, flush=True)
        answer = json.loads(self._manager.stdout.readline())
        assert not answer["error"], answer["error"]
        return str(answer["printed"])

    def end_manager(self) -> None:
        """End the process that runs commands; the next one starts another."""
        if self._manager is not None:
            self._manager.communicate(timeout=STOPS_S)
            self._manager = None

    def pid_of(self, name: str) -> int:
        """Return the process id of a supervised child. Raises FileNotFoundError when it does not run."""
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    def kill(self, name: str) -> int:
        """Kill a supervised child; return the process id it had."""
        pid = self.pid_of(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, ended: int) -> bool:
        """Whether a child runs again that ended as the process `ended`."""
        try:
            return self.pid_of(name) != ended
        except (FileNotFoundError, ValueError):
            return False

    @contextmanager
    def hanging(self, *names: str) -> Iterator[None]:
        """Have supervised children hang, with their connections open, but none with SQLite's one lock for writing."""
        children = [psutil.Process(self.pid_of(name)) for name in names]
        family = [one for child in children for one in (child, *child.children(recursive=True))]
        try:
            for _ in range(SUSPENDS_MOST):
                for one in family:
                    one.suspend()
                if self._can_be_written():
                    break
                for one in family:
                    one.resume()
                time.sleep(random.uniform(0.05, 0.3))
            else:
                raise AssertionError(f"{names} held the database each of {SUSPENDS_MOST} times.")
            yield
        finally:
            for one in family:
                one.resume()

    def _can_be_written(self) -> bool:
        """Whether the database takes a write, as it does not while a process hangs in the middle of one."""
        if "DATABASE_URL" in self.env:  # PostgreSQL locks rows
            return True
        with closing(sqlite3.connect(self.data_dir / FILE, timeout=LOCKED_S, isolation_level=None)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                return False
            database.execute("ROLLBACK")
            return True

    @contextmanager
    def another(self, *names: str, **env: str) -> Iterator[None]:
        """Run processes of the Procfile once more, with `env` besides, beside those that are supervised."""
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        with ExitStack() as running, self.log.open("ab") as log:
            for name in names:
                command = die_with_parent(sys.executable, *shlex.split(commands[name])[1:])
                process = subprocess.Popen(command, cwd=ROOT, env=self.env | env, stdout=log, stderr=subprocess.STDOUT)
                running.callback(process.wait, STOPS_S)
                running.callback(process.terminate)
            yield

    def output(self) -> str:
        """Return everything that the system printed."""
        return self.log.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop the system as Ctrl-C does; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOPS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _remove(self) -> None:
        try:
            self.end_manager()
            if self.process is not None:
                self.stop()
        finally:
            self.log.unlink(missing_ok=True)
            if self._own_data:
                shutil.rmtree(self.data_dir, ignore_errors=True)


class FirstStart(Stack):
    """One that makes its database when it starts."""

    is_migrated = False
