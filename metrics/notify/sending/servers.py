"""Processes from which those that send come (`fork_server.py`): one a kind of channel, and none for long.

Each is started as soon as somebody may have to be told, so that it has loaded by then, and is ended once it was unused
for a minute. One that is gone is started again.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
UNUSED_S = 60.0
ENDS_WITHIN_S = 60.0
"""Time that one that still loads has to see that it is to end."""
OURS = ("ADMIN_PASSWORD", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "EMAIL_URL", "REDIS_URL", "SECRET_KEY")
"""Environment variables that the processes are not given: what they need of them is in their jobs."""


class GoneError(Exception):
    """The process ended before it started the one that sends."""


class Server:
    """The process from which all come that send through a `kind` of channels."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.ends: threading.Timer | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Have it load, unless it did; in a minute it ends."""
        with self._lock:
            self._running()

    def sender(self, until: float) -> tuple[socket.socket, int]:
        """Return a socket to a new process that sends, and its id. Raises GoneError, and TimeoutError.

        `until` is a time of time.monotonic.
        """
        ours, theirs = socket.socketpair()
        process = None
        try:
            with theirs, self._lock:
                process, control = self._running()
                socket.send_fds(control, [b"-"], [theirs.fileno()])
            ours.settimeout(max(0.001, until - time.monotonic()))
            said = ours.recv(20)
            if not said:
                raise GoneError
            self._loaded = process
        except BaseException as error:
            ours.close()
            is_loading = isinstance(error, TimeoutError) and process is not self._loaded
            if process is not None and not is_loading:  # who comes next would have to wait for all of it again
                self._kill(process)  # it waits for something, or ends and may not be seen as ended yet
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise GoneError from None
            raise
        return ours, int(said)

    def end(self, unless_used: bool = False) -> None:
        """End it, or leave it if another timer than the one that calls this waits by now. Those who send go on."""
        with self._lock:
            if unless_used and threading.current_thread() is not self.ends:
                return
            process, control, self._process, self._control = self._process, self._control, None, None
        if control is not None and process is not None:
            control.close()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if self._process is process:
                self._process = None
        process.kill()
        process.wait()

    def _running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self.ends is not None:
            self.ends.cancel()
        self.ends = threading.Timer(UNUSED_S, self.end, [True])
        self.ends.daemon = True
        self.ends.start()
        if self._process is None or self._control is None or self._process.poll() is not None:
            if self._control is not None:
                self._control.close()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "metrics.notify.sending.fork_server", self._kind],
                    env=_environment(),
                    cwd="/",
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
        return self._process, self._control


of = cache(Server)


def _environment() -> dict[str, str]:
    ours = {*OURS, *(f"{name}_FILE" for name in OURS), "SECRET_KEY_FALLBACKS", "SECRET_KEY_FALLBACKS_FILE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "HOME": "/nonexistent"}  # no .netrc of whoever runs us
