"""Starting our own programs as copies (fork) of one process that has imported what they need: `fork_server.py`.

They start in a tenth of the time, and share the memory of what was imported. A copy is a child of this process like
any other. What can't be copied is started plainly. A fork server that is gone, or has old code, is started again when a
copy is asked for.
"""

import ctypes
import json
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from dashboard_project.processes import Process, plainly

PR_SET_CHILD_SUBREAPER = 36
FD = "WATCHFLOOR_FORKS_FD"
ROOM = " " * 400
"""An argument of the fork server, where its copies write their own: `ps` shows no more than was there at first."""


class Forked:
    """A copy that runs a command."""

    def __init__(self, pid: int, stdout: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self._code: int | None = None
        self._asking = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, or None as long as it runs."""
        with self._asking:  # once it was told, the id may be another's
            if self._code is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._code = os.waitstatus_to_exitcode(status) if pid else None
            return self._code

    def wait(self) -> int:
        """Return the exit code, once it ended."""
        while (code := self.poll()) is None:
            with suppress(ChildProcessError):  # another thread was told
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return code


class Forks:
    """The fork server, a `module` that has `env`. It is started when a copy is asked for."""

    def __init__(self, env: Mapping[str, str], module: str = "dashboard_project.fork_server") -> None:
        self._env = dict(env)
        self._module = module
        self._one_at_a_time = threading.Lock()
        self._process: Process | None = None
        self._control: socket.socket | None = None

    def start(self, arguments: Sequence[str], env: Mapping[str, str], files: Mapping[str, int], read: bool) -> Process:
        """Start a copy, or else a new program; see `processes.Start`."""
        if sys.platform == "linux" and is_python(arguments):
            ours, theirs = os.pipe() if read else (None, None)
            output = None if ours is None else open(ours, "rb")  # noqa: SIM115 (whoever reads it closes it)
            given = {**files, **({} if theirs is None else {"output": theirs})}
            request = {"arguments": arguments, "env": dict(env), "files": list(given)}
            try:
                with self._one_at_a_time:
                    pid = self._copy(json.dumps(request).encode(), list(given.values()))
            finally:
                if theirs is not None:
                    os.close(theirs)
            if pid:
                return Forked(pid, output)
            if output is not None:
                output.close()
        return plainly(arguments, env, files, read)

    def close(self) -> None:
        """End the fork server. Its copies go on."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, 9)  # it may be importing, and has nothing to lose
            self._process.wait()
            self._process = None

    def _copy(self, request: bytes, fds: Sequence[int]) -> int:
        """Return the id of a new copy, or 0 if there is none."""
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # a copy comes to us, as an orphan
        try:
            copy = _copy_of(self._control, request, fds) if self._control is not None else 0
            return copy or _copy_of(self._restarted(), request, fds)
        finally:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0)  # other orphans don't: nobody here would wait for them

    def _restarted(self) -> socket.socket:
        self.close()
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        program = [sys.executable, "-m", self._module, str(os.getpid()), ROOM]
        with theirs:
            self._process = plainly(program, self._env, {FD: theirs.fileno()}, False)
        return self._control


def is_python(arguments: Sequence[str]) -> bool:
    """Whether these run a module or a file with our own Python."""
    return arguments[0] in ("python", sys.executable) and arguments[1].endswith(("-m", ".py"))


def _copy_of(control: socket.socket, request: bytes, fds: Sequence[int]) -> int:
    """Return the id that a copy says, or 0 if the server is gone: nobody has the other end of the pipe, then."""
    answer, theirs = os.pipe()
    with open(answer, "rb") as said:
        try:
            socket.send_fds(control, [request], [theirs, *fds])
        except OSError:
            return 0
        finally:
            os.close(theirs)
        return int(said.read() or 0)
