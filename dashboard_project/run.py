"""`python -m dashboard_project.run`: the whole system on one machine, in one terminal.

Checks what can be checked, starts a Redis if none is given, brings the database up to date, and keeps the
Procfile's processes running until Ctrl-C. Whatever prevents the start is said in one sentence.
"""

import fcntl
import math
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django
import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from honcho.environ import parse_procfile

from dashboard_project import addresses, database, local_redis, static
from dashboard_project.readiness import announce_when_ready
from dashboard_project.supervisor import Command, Supervisor

REDIS_STARTS_S = 10.0
REDIS_ANSWERS_S = 5.0
SAME_REQUEST_S = 1.0  # make passes a signal on that its whole group was sent: that is not impatience


class CannotStartError(Exception):
    """What prevents the start; the text is one sentence for the operator."""


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit code."""
    os.umask(0o077)  # what is written is nobody else's to read
    try:
        django.setup()
        with only_one(settings.DATA_DIR), listener() as door:
            serve(door)
    except (CannotStartError, ImproperlyConfigured, CommandError, local_redis.NoRedisError) as error:
        print(f"watchfloor: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR's lock for as long as this process lives, so that nothing runs twice on the same data."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(data_dir / "run.lock", "w")  # noqa: SIM115
    except OSError as error:
        raise CannotStartError(f"DATA_DIR {data_dir} can't be written ({reason(error)}).") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStartError(f"Watchfloor already runs on DATA_DIR {data_dir}.") from None
        yield


def listener() -> socket.socket:
    """Return a socket that has our port. It is kept for as long as we run, so whoever connects can wait on it."""
    try:
        return addresses.bound(settings.HOST, settings.PORT)
    except OSError as error:
        why = reason(error).lower()
        raise CannotStartError(
            f"Port {settings.PORT} on {settings.HOST} can't be listened on ({why}); set PORT to another."
        ) from None


def serve(door: socket.socket) -> None:
    """Start everything, wait for a signal, stop everything."""
    supervisor = Supervisor(settings.DATA_DIR / "run", child_environment(), sys.stdout)
    asked = asked_to_stop(supervisor)
    try:
        start_redis(supervisor)
        sign_in = prepare()
        if not asked.is_set():
            supervisor.start(*procfile(door))
            announce_when_ready(supervisor.say, sign_in, asked)
        asked.wait()
        supervisor.say("stopping")
    finally:
        asked.set()
        supervisor.stop()


def asked_to_stop(supervisor: Supervisor) -> threading.Event:
    """Return an event that SIGINT and SIGTERM set; asking again ends the children at once."""
    asked = threading.Event()
    first_at = math.inf

    def handle(*_: Any) -> None:
        nonlocal first_at
        now = time.monotonic()
        first_at = min(first_at, now)
        if now - first_at > SAME_REQUEST_S:
            supervisor.kill()
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return asked


def start_redis(supervisor: Supervisor) -> None:
    """Start a Redis of our own, or make sure that the given one answers."""
    if not settings.REDIS_IS_LOCAL:
        return local_redis.wait_for(settings.REDIS_URL, REDIS_ANSWERS_S)
    socket: Path = settings.LOCAL_REDIS_SOCKET
    if socket.parent != settings.DATA_DIR:
        local_redis.prepare_folder(socket)
    (settings.DATA_DIR / local_redis.LOG_NAME).unlink(missing_ok=True)  # so it can't grow for ever
    arguments = local_redis.command(local_redis.find_server(), socket, settings.DATA_DIR)
    supervisor.start(Command("redis", arguments))
    return local_redis.wait_for(settings.REDIS_URL, REDIS_STARTS_S)


def prepare() -> str:
    """Bring the database and the static files up to date; return how to sign in."""
    from metrics.actions.bootstrap import bootstrap

    try:
        database.ask()
        call_command("migrate", interactive=False, verbosity=0)
        static.collect()
        if settings.PLUGINS_DIR.parent == settings.DATA_DIR:  # one that was chosen is there, or comes later
            settings.PLUGINS_DIR.mkdir(exist_ok=True)
        return bootstrap()
    except (DatabaseError, psycopg.Error) as error:
        url = local_redis.without_password(settings.DATABASE_URL)
        raise CannotStartError(f"The database at {url} can't be used ({reason(error)}).") from None
    except OSError as error:
        raise CannotStartError(f"{error.filename} can't be written ({reason(error)}).") from None
    finally:
        connections.close_all()


def procfile(door: socket.socket) -> list[Command]:
    """Return what is wanted of the Procfile, the one place that says how each is run; `web` gets `door`."""
    processes: dict[str, str] = parse_procfile((settings.BASE_DIR / "Procfile").read_text()).processes
    if not settings.STATSD_PORT:
        del processes["statsd"]
    return [Command(name, shlex.split(command), door if name == "web" else None) for name, command in processes.items()]


def child_environment() -> dict[str, str]:
    """Return our environment with what we resolved in it, and with `python` meaning the one that runs this."""
    return {
        # Celery's advice is about pickled tasks, which we don't accept; containers and test machines run as root.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        **os.environ,
        "DATA_DIR": str(settings.DATA_DIR),
        "PORT": str(settings.PORT),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def reason(error: Exception) -> str:
    """Return why, as the end of a sentence."""
    return getattr(error, "strerror", None) or local_redis.reason(error)


if __name__ == "__main__":
    sys.exit(main())
