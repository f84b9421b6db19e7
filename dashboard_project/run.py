"""`python -m dashboard_project.run`: the whole system on one machine, in one terminal.

Starts a Redis if none is given, has everything prepared, while the Procfile's processes import what they need, and
keeps them running until Ctrl-C. One sentence says what prevents the start. It stays as long as the system runs, so it
never imports Django.
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
from contextlib import closing, contextmanager
from pathlib import Path

from honcho.environ import parse_procfile

from dashboard_project import addresses, local_redis
from dashboard_project.forks import Forks
from dashboard_project.preparation import CannotStartError, Facts, Preparation
from dashboard_project.prepared import Prepared
from dashboard_project.readiness import announce_when_ready
from dashboard_project.supervisor import Command, Supervisor

BASE_DIR = Path(__file__).resolve().parent.parent
SAME_REQUEST_S = 1.0  # make passes a signal on that its whole group was sent: that is not impatience


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit code."""
    os.umask(0o077)  # what is written is nobody else's to read
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a launcher may have us ignore it, and then no child's end is told
    try:
        with closing(Forks(environment())) as forks, closing(Preparation(forks.start, environment())) as preparation:
            facts = preparation.facts()
            with only_one(Path(facts.data_dir)), listener(facts) as bound:
                serve(facts, preparation, bound, forks)
    except (CannotStartError, local_redis.NoRedisError) as error:
        print(f"watchfloor: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before there is anything to stop
        return 130
    return 0


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR's lock for as long as this process lives, so that nothing runs twice on the same data."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(data_dir / "run.lock", "w")  # noqa: SIM115
    except OSError as error:
        raise CannotStartError(f"DATA_DIR {data_dir} can't be written ({error.strerror or error}).") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStartError(f"Watchfloor already runs on DATA_DIR {data_dir}.") from None
        yield


def listener(facts: Facts) -> socket.socket:
    """Return a socket that has our port. It is kept for as long as we run, so whoever connects can wait on it."""
    try:
        return addresses.bound(facts.host, facts.port)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CannotStartError(
            f"Port {facts.port} on {facts.host} can't be listened on ({why}); set PORT to another."
        ) from None


def serve(facts: Facts, preparation: Preparation, bound: socket.socket, forks: Forks) -> None:
    """Start everything, wait for a signal, stop everything."""
    env = {**environment(), "DATA_DIR": facts.data_dir, "PORT": str(facts.port)}
    supervisor = Supervisor(Path(facts.data_dir) / "run", env, sys.stdout, forks.start)
    forks.report_to(supervisor.say)
    asked = asked_to_stop(supervisor, preparation)
    try:
        start_redis(facts, supervisor)
        prepared = Prepared()
        commands = procfile(facts, bound, prepared)
        supervisor.start(*(one for one in commands if one.waits is not None))
        try:
            sign_in = preparation.finish()
        except CannotStartError:
            if not asked.is_set():  # or else it ended because somebody was impatient
                raise
        if not asked.is_set():
            prepared.say()
            supervisor.start(*(one for one in commands if one.waits is None))
            announce_when_ready(supervisor.say, facts, sign_in, asked)
        asked.wait()
        supervisor.say("stopping")
    finally:
        asked.set()
        supervisor.stop()


def asked_to_stop(supervisor: Supervisor, preparation: Preparation) -> threading.Event:
    """Return an event that is set after SIGINT and SIGTERM; asking again ends the children at once."""
    asked = threading.Event()
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    # A handler interrupts whatever holds a lock, such as one that was called for the signal before: so none takes any.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def hear() -> None:
        first_at = math.inf
        with woken, waker:
            while woken.recv(1):
                now = time.monotonic()
                first_at = min(first_at, now)
                if now - first_at > SAME_REQUEST_S:
                    preparation.kill()
                    supervisor.kill()
                asked.set()

    threading.Thread(target=hear, name="signals", daemon=True).start()
    return asked


def start_redis(facts: Facts, supervisor: Supervisor) -> None:
    """Start a Redis of our own, unless one is given."""
    if not facts.local_redis:
        return
    data_dir, socket_path = Path(facts.data_dir), Path(facts.local_redis)
    if socket_path.parent != data_dir:
        local_redis.prepare_folder(socket_path)
    (data_dir / local_redis.LOG_NAME).unlink(missing_ok=True)  # so it can't grow for ever
    arguments = local_redis.command(local_redis.find_server(), socket_path, data_dir)
    supervisor.start(Command("redis", arguments))


def procfile(facts: Facts, bound: socket.socket, prepared: Prepared) -> list[Command]:
    """Return what is wanted of the Procfile, the one place that says how each is run; `web` gets `bound`.

    Commands of manage.py don't wait for `prepared`: they are started then.
    """
    processes: dict[str, str] = parse_procfile((BASE_DIR / "Procfile").read_text()).processes
    if not facts.statsd:
        del processes["statsd"]
    return [
        Command(
            name,
            shlex.split(command),
            listener=bound if name == "web" else None,
            waits=None if name == "statsd" else prepared.reader,
        )
        for name, command in processes.items()
    ]


def environment() -> dict[str, str]:
    """Return our environment for children, with `python` meaning the one that runs this."""
    return {
        # Celery's advice is about pickled tasks, which we don't accept; containers and test machines run as root.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        **os.environ,
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "CELERY_SKIP_CHECKS": "1",  # what prepares a start runs them
    }


if __name__ == "__main__":
    sys.exit(main())
