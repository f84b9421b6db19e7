"""`python -m dashboard_project.fork_server SUPERVISOR`: imports what our processes need, once, and is copied by fork.

`dashboard_project.forks` asks on a socket for a copy, which becomes a child of process SUPERVISOR and runs a
command as `python` would. Once a file that it has read has changed, this process ends: no old code is started.
"""

import ctypes
import gc
import json
import os
import runpy
import select
import socket
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from dashboard_project import build, env
from dashboard_project.die_with_parent import die_with
from dashboard_project.forks import FD, REQUEST_BYTES

FDS_MOST = 8
ADOPTED_LOOK_S = 0.0005
Step = Callable[[], None]
Asked = Callable[[socket.socket], bool]
EARLY = b"dashboard_project.prepare"
FIRST = (
    "dashboard_project.database",
    "dashboard_project.local_redis",
    "dashboard_project.static",
    "django.core.management",
    "django.db.migrations.loader",
    "metrics.actions.bootstrap",
    "metrics.sources.host",
    "metrics.sources.http_check",
    "metrics.sources.watchfloor",
    "metrics.templatetags.talk",
    "metrics.widgets.gallery",
)
"""Modules that the preparation of a start needs, besides the installed apps. It goes on while the others are loaded."""
THEN = (
    "celery.app.trace",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.thread",
    "celery.fixups.django",
    "celery.loaders.app",
    "celery.worker.consumer",
    "channels.routing",
    "consumers.routing",
    "dashboard_project.embedded_beat",
    "dashboard_project.urls",
    "kombu.transport.redis",
    "metrics.api.fast_path",
)
"""Modules that our processes need, besides the tasks. Nothing here may open a file or a connection, or start a thread.

Twisted and Daphne are not among them, because they choose an event loop.
"""


class Files:
    """The files of what was imported, of pages, and of secrets. To look again touches no object that copies share."""

    def __init__(self) -> None:
        self._pages = build.stamp()
        self._paths = ""
        self._changed = array("q")

    def add(self) -> None:
        """Add what was imported since, and the files that settings were read from. Others are known as they were."""
        known = self._paths.splitlines()
        found = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
        found |= {os.environ.get(f"{name}_FILE", "") for name in env.DECLARED}
        new = sorted(found - {*known, ""})
        self._paths = "\n".join([*known, *new])
        self._changed.extend(map(build.changed_ns, new))

    def are_unchanged(self) -> bool:
        return array("q", map(build.changed_ns, self._paths.splitlines())) == self._changed and (
            build.stamp() == self._pages
        )


def main() -> None:
    control, supervisor = socket.socket(fileno=int(os.environ.pop(FD))), int(sys.argv[1])
    gc.disable()
    files = Files()
    steps: tuple[tuple[Step, Asked], ...] = ((load_first, asks_to_prepare), (load_rest, lambda _: True))
    for load, goes_on in steps:
        try:
            load()
        except Exception:
            sys.exit(1)  # what then is started without us says why
        files.add()
        gc.freeze()  # what is not looked at stays shared
        if arguments := copied(control, supervisor, files, goes_on):
            gc.enable()
            run(arguments)
            return


def load_first() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")
    import_redis()
    import django

    django.setup()
    for name in FIRST:
        import_module(name)


@contextmanager
def stand_in(name: str, module: ModuleType | None) -> Iterator[None]:
    """Have all that is imported meanwhile find `module` as `name`; with None it is as if there was no such module."""
    sys.modules[name] = module  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def import_redis() -> None:
    """Import redis-py without the modules that it measures with, which nothing here uses."""
    with stand_in("opentelemetry.sdk", None):
        import_module("redis")


def import_celery() -> None:
    """Import Celery's commands without the shell of one of them: a hundred modules that nothing here uses."""
    shell = ModuleType("click_repl")
    shell.register_repl = lambda group: None  # type: ignore[attr-defined]
    with stand_in("click_repl", shell):
        import_module("celery.bin.amqp")


def load_rest() -> None:
    from django.conf import settings

    import_celery()
    for name in (*settings.CELERY_IMPORTS, *THEN):
        import_module(name)
    from dashboard_project import warm

    for part in warm.SHARED:
        with suppress(Exception):  # the processes try it, too, and say why
            part()


def asks_to_prepare(control: socket.socket) -> bool:
    """Return whether somebody waits for a start to be prepared."""
    return bool(select.select([control], [], [], 0)[0]) and EARLY in control.recv(REQUEST_BYTES, socket.MSG_PEEK)


def copied(control: socket.socket, supervisor: int, files: Files, goes_on: Asked) -> list[str]:
    """Return, in each copy, the arguments that it is to run; in this process none, once it does not go on.

    It ends with whoever asks, and once its code is old. A request is a JSON object, with files: first where the copy
    says its id, then those that `files` names.
    """
    while goes_on(control):
        said, fds, _, _ = socket.recv_fds(control, REQUEST_BYTES, FDS_MOST)
        if not said or not files.are_unchanged():
            sys.exit()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork():
                os._exit(0)  # and so the supervisor adopts the copy
            control.close()
            while os.getppid() == between:
                time.sleep(ADOPTED_LOOK_S)
            die_with(supervisor)
            return become(json.loads(said), fds)
        os.waitpid(between, 0)
        for fd in fds:
            os.close(fd)
    return []


def become(request: dict[str, Any], fds: Sequence[int]) -> list[str]:
    """Make this process the one that was asked for; return its arguments.

    A file that is named `output` is where it writes. The name of any other is a variable that has the file's number.
    """
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    answer, *files = fds
    for name, fd in zip(request["files"], files, strict=True):
        if name == "output":
            os.dup2(fd, 1)
            os.dup2(fd, 2)
            os.close(fd)
        else:
            os.environ[name] = str(fd)
    arguments: list[str] = request["arguments"]
    with suppress(OSError, ValueError):  # nobody's life depends on it
        show(arguments)
    try:
        os.write(answer, str(os.getpid()).encode())
    except BrokenPipeError:  # nobody waits for it any more
        os._exit(1)
    os.close(answer)
    return arguments[1:]


def show(arguments: Sequence[str]) -> None:
    """Have `ps` show `arguments` for this process, as far as there is room; see proc_pid_stat(5)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start, arg_end
    text = "\0".join(arguments).encode()[: end - start - 1]
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


def run(arguments: Sequence[str]) -> None:
    """Do as `python` with these arguments."""
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
