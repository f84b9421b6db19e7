"""`python -m metrics.notify.sending.fork_server KIND`: imports what a kind of channel needs, and starts those who send.

For each socket that comes through its standard input, which is a socket too, it starts a copy of itself (fork), which
sends one message (`sender.py`). It sees no message, so that none leaves anything to the next one. It ends with its
standard input, and those who send then do not.
"""

import gc
import os
import signal
import socket
import sys

from metrics.notify.sending import sender

UNUSED = ("click", "opentelemetry")
"""Modules that httpx and redis load where they are installed, for a command and to measure: as long as all else."""


def main() -> None:
    for name in UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    sender.load(sys.argv[1])
    gc.freeze()  # what is not looked at stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for how they ended
    control = socket.socket(fileno=0)
    while True:
        _, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not fds:
            return
        if os.fork() == 0:
            _become(fds[0])
            sender.main()
        os.close(fds[0])


def _become(opened: int) -> None:
    """Make this process one of its own, which hears and says all through the socket `opened`."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for standard in (0, 1, 2):
        os.dup2(opened, standard)
    os.close(opened)


if __name__ == "__main__":
    main()
