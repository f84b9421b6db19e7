"""Parts that the benchmarks share: the machine, its cores, processes and their cost, and tables."""

import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

from dashboard_project import local_redis
from dashboard_project.processes import die_with_parent

QUIET = {"LOG_LEVEL": "ERROR", "SOCKETS_PER_PROCESS": "100000", "SOCKETS_PER_USER": "100000"}
"""Settings that let one benchmark open more sockets than one user may."""
NOTHING = "-"
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("Django", "channels", "channels_redis", "daphne", "Twisted", "autobahn", "uvicorn", "websockets", "redis")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[1 % len(CORES)]
OTHER_CORE = CORES[2 % len(CORES)] if len(CORES) > 2 else LOAD_CORE
"""Where Redis and the publisher run: never on the server's core, unless there is only one."""


def machine() -> str:
    """Return what this was measured on, as Markdown."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Machine: {model}, {len(CORES)} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB,"
        f" Linux {platform.release()}; load average before: {load}\n"
        f"Python {platform.python_version()}, {versions}"
    )


def raise_file_limit(wanted: int = 65_536) -> None:
    """Allow as many open files as may be, up to `wanted`: a socket is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def pin(*cores: int) -> None:
    """Keep this process, and those it starts from now on, on these cores."""
    os.sched_setaffinity(0, cores)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, within_s: float = 30) -> None:
    """Return once something listens. Raises TimeoutError."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


class Usage(NamedTuple):
    """Memory that a process and its children hold, and CPU time that they have used."""

    rss_bytes: int
    cpu_s: float


def usage(pid: int) -> Usage:
    """Return what the process `pid` and its children use."""
    root = psutil.Process(pid)
    rss, cpu = 0, 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
            rss, cpu = rss + process.memory_info().rss, cpu + times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return Usage(rss, cpu)


class Process:
    """A child on one core, which ends with this process at the latest; `say` writes a line to its stdin."""

    def __init__(self, command: Sequence[str], core: int, env: Mapping[str, str] | None = None) -> None:
        self._popen = subprocess.Popen(
            die_with_parent(*command),
            cwd=ROOT,
            env=dict(env or os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, {core}),
        )
        self.pid = self._popen.pid

    def say(self, line: object) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{line}\n")
        self._popen.stdin.flush()

    def stop(self, within_s: float = 5) -> None:
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


class Installation:
    """Data of its own: a migrated SQLite database with the demo dashboard, a Redis, a token that may read."""

    slug = "this-machine"

    def __init__(self, **env: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wf-bench-", dir="/tmp"))
        self.port = free_port()
        given = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")}
        self.env = {**given, "DATA_DIR": str(self.folder), "PORT": str(self.port), **QUIET, **env}
        redis_socket = self.folder / "redis.sock"
        command = local_redis.command(local_redis.find_server(), redis_socket, self.folder)
        self.redis = Process(command, OTHER_CORE)
        local_redis.wait_for(f"unix://{redis_socket}", 10)
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        self.manage("bootstrap")
        self.token = self.manage("token", "benchmark", "--scope", "read").strip()

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE, text=True).stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.redis.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of `values` do not exceed; nan for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def milliseconds(seconds: float) -> str:
    return NOTHING if seconds != seconds else f"{seconds * 1000:,.3g}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"


def table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(headers)} |\n|{'|'.join(' --- ' for _ in headers)}|")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
    sys.stdout.flush()
