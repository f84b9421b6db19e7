"""`python guard.py LINE MEMORY_BYTES COMMAND…`: runs COMMAND, and has nothing that it started outlive it.

LINE is a socket that was inherited. When its other end is closed, because whoever holds it wants the end or was killed,
COMMAND is ended too. Orphans come to this process, whatever session they made for themselves (prctl(2),
PR_SET_CHILD_SUBREAPER), and so it finds them all; elsewhere than on Linux only its own children. On LINE is said what
the exit code can't say: `errno N` if COMMAND can't be run, `left N` if processes had to be ended.

A program of its own that imports little: one runs beside each plug-in.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ENDS_S = 5.0
LOOK_S = 0.005


def main() -> None:
    line, memory_bytes, command = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:]
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    child = os.fork()
    if not child:
        _become(command, memory_bytes, line)
    _let_go_of_pipes()
    status = _wait(child, line, woken)
    if left := _end_all():
        with suppress(OSError):  # nobody listens any more
            line.send(b"left %d\n" % left)
    _end_like(status)


def _become(command: list[str], memory_bytes: int, line: socket.socket) -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    os.setsid()
    try:
        os.execvp(command[0], command)  # noqa: S606 (its whole purpose)
    except OSError as error:
        line.send(b"errno %d\n" % (error.errno or 0))
    os._exit(127)


def _let_go_of_pipes() -> None:
    """Have what the command writes into end with the command, not with us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _wait(child: int, line: socket.socket, woken: int) -> int | None:
    """Wait for the end of `child`; return its status, None if the line was closed before."""
    while True:
        ready, _, _ = select.select([line.fileno(), woken], [], [])
        with suppress(BlockingIOError):
            os.read(woken, 4096)
        status = _reap(child)
        if status is not None or line.fileno() in ready:
            return status


def _reap(child: int = 0) -> int | None:
    """Forget processes that ended; return the status of `child` if it is one. Raises ChildProcessError without any."""
    found = None
    while (ended := os.waitpid(-1, os.WNOHANG))[0]:
        found = ended[1] if ended[0] == child else found
        if found is not None:
            break
    return found


def _end_all() -> int:
    """End all that is left of what was started; return how many those were."""
    ended, until = set[int](), time.monotonic() + ENDS_S
    with suppress(ChildProcessError):  # which means that nothing is left
        while time.monotonic() < until:
            _reap()
            found = _descendants()
            ended |= found
            for pid in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(LOOK_S)
    return len(ended)


def _descendants() -> set[int]:
    """Return what runs below this process."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                children.setdefault(int(parent), []).append(int(name))
    found, waiting = set[int](), [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def _end_like(status: int | None) -> None:
    """End as the command did: with its exit code, or by the signal that ended it."""
    code = 1 if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with suppress(OSError, ValueError):  # some can't be handled in the first place
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main()
