"""Starting our own programs as copies (fork) of one process that has imported what they need: `fork_server.py`.

They start in a tenth of the time, and share the memory of what was imported. A copy is a child of this process like any
other. A program that can't be copied is started plainly. A fork server that is gone, or has old code, is started again
when a copy is asked for; one that can't load it, or hangs, after a minute.
"""

import ctypes
import errno
import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO

from dashboard_project.processes import Process, plainly

PR_SET_CHILD_SUBREAPER = 36
FD = "WATCHFLOOR_FORKS_FD"
REQUEST_BYTES = 256 * 1024
ANSWER_S = 30.0
AGAIN_AFTER_S = 60.0
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
        if not self._asking.acquire(blocking=False):  # it may be held below the handler of a signal that asks
            return self._code
        try:
            if self._code is None:  # once it was told, the id may be another's
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        except ChildProcessError:  # the kernel told somebody else; Popen takes this for 0, too
            self._code = 0
        finally:
            self._asking.release()
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
        # The kernel ends the fork server with the thread that starts it: this one lives as long as we do.
        self._thread = ThreadPoolExecutor(1, "forks")
        self._again_at = 0.0
        self._trouble = ""
        self._unreported: list[str] = []
        self._say: Callable[[str], None] = self._unreported.append

    def report_to(self, say: Callable[[str], None]) -> None:
        """Have `say` called with each trouble, also with what there was before."""
        self._say = say
        for line in self._unreported:
            say(line)

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
        if time.monotonic() < self._again_at:
            return 0
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # a copy comes to us, as an orphan
        try:
            copy = _copy_of(self._control, request, fds) if self._control is not None else 0
            if copy := copy or _copy_of(self._restarted(), request, fds):
                self._trouble = ""
                return copy
            trouble = "what they share can't be loaded"
        except TooLargeError:
            return self._none("their environment is too large to be passed on")
        except OSError as error:
            trouble = error.strerror or str(error)
        finally:
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0)  # other orphans don't: nobody here would wait for them
        self.close()
        self._again_at = time.monotonic() + AGAIN_AFTER_S
        return self._none(trouble)

    def _none(self, trouble: str) -> int:
        """Say once why there is no copy; return 0."""
        if trouble != self._trouble:
            self._say(f"processes are started one by one: {trouble}")
        self._trouble = trouble
        return 0

    def _restarted(self) -> socket.socket:
        self.close()
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        program = [sys.executable, "-m", self._module, str(os.getpid()), ROOM]
        with theirs:
            files = {FD: theirs.fileno()}
            self._process = self._thread.submit(plainly, program, self._env, files, False).result()
        return self._control


class TooLargeError(Exception):
    """A request that no socket takes."""


def is_python(arguments: Sequence[str]) -> bool:
    """Whether these run a module or a file with our own Python."""
    return arguments[0] in ("python", sys.executable) and arguments[1].endswith(("-m", ".py"))


def _copy_of(control: socket.socket, request: bytes, fds: Sequence[int]) -> int:
    """Return the id that a copy says, or 0 if the server is gone: nobody has the other end of the pipe, then.

    Raises TimeoutError if there is no answer, and TooLargeError.
    """
    if len(request) > REQUEST_BYTES:
        raise TooLargeError
    answer, theirs = os.pipe()
    with open(answer, "rb") as said:
        try:
            socket.send_fds(control, [request], [theirs, *fds])
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                raise TooLargeError from None
            return 0
        finally:
            os.close(theirs)
        answered = select.poll()
        answered.register(answer, select.POLLIN)
        if not answered.poll(1000 * ANSWER_S):
            raise TimeoutError(f"the fork server did not answer for {ANSWER_S:g} s")
        return int(said.read1(32) or 0)
