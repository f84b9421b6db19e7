"""How one web process takes over from another, so that whoever connects meanwhile finds one that listens.

`make run` holds the listening socket itself and passes it to each web process, with a line back. On the line a
process says when it listens, and when it was asked to go. Then the supervisor starts another, and hangs up on the
first once the second listens: that lets it go. systemd may pass a socket too, but no line; see sd_listen_fds(3).
"""

import os
import socket

LISTENING = "listening"
LEAVING = "leaving"
LISTENER_FD = "WATCHFLOOR_LISTENER_FD"
LINE_FD = "WATCHFLOOR_LINE_FD"
SYSTEMD_FD = 3
IS_FROM_SYSTEMD = os.environ.get("LISTEN_PID") == str(os.getpid())


def inherited_listener() -> socket.socket | None:
    """Return the listening socket that this process was started with, if it was."""
    number = os.environ.pop(LISTENER_FD, str(SYSTEMD_FD) if IS_FROM_SYSTEMD else "")
    return socket.socket(fileno=int(number)) if number else None


class Line:
    """A process's line to the supervisor; without one, it goes at once when it is asked to."""

    def __init__(self) -> None:
        number = os.environ.pop(LINE_FD, "")
        self._socket = socket.socket(fileno=int(number)) if number else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def say(self, word: str) -> None:
        if self._socket is not None:
            try:
                self._socket.send(f"{word}\n".encode())
            except OSError:  # nobody is there any more, and nobody needs to know
                self._socket = None

    async def hung_up(self, within_s: float) -> None:
        """Return once the supervisor hung up, or after `within_s`."""
        import asyncio  # not above: the supervisor has no loop, and stays for as long as the system runs

        if self._socket is not None:
            try:
                await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 1), within_s)
            except (OSError, TimeoutError):
                return
