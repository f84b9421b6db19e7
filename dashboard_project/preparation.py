"""The process that prepares a start, as what runs everything sees it.

Preparing a start needs Django, and keeping processes running does not. So a process that ends does the first,
`dashboard_project.prepare`, and gives its memory back. The two talk over a pair of sockets, which nobody else can read:
how to sign in may hold a password.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard_project.processes import Start, plainly

COMMAND = (sys.executable, "-m", "dashboard_project.prepare")
FD = "WATCHFLOOR_PREPARATION_FD"
GO = "go"


class CannotStartError(Exception):
    """A reason that prevents the start; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Settings that the start needs: `local_redis` is the socket of a Redis to start, or empty.

    `base_url` is the address to show, `asked_url` the one that reaches the web process from here.
    """

    data_dir: str
    host: str
    port: int
    base_url: str
    asked_url: str
    local_redis: str
    statsd: bool


class Preparation:
    """Prepares a start in a process of its own, which does not outlive this one."""

    def __init__(self, start: Start = plainly, env: Mapping[str, str] = os.environ) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            # In a session of its own: Ctrl-C is for us to hear, and a migration is not to end half-way.
            self._process = start(COMMAND, env, {FD: theirs.fileno()}, False)
        self._words = self._line.makefile("r")

    def facts(self) -> Facts:
        """Return what the settings say. Raises CannotStartError if they can't be used."""
        return Facts(**self._answer())

    def finish(self) -> str:
        """Have everything prepared, Redis being started; return how to sign in. Raises CannotStartError."""
        with suppress(OSError):  # it has ended, as its answer tells
            self._line.sendall(f"{GO}\n".encode())
        sign_in: str = self._answer()["sign_in"]
        self._process.wait()
        return sign_in

    def close(self) -> None:
        """End the process, if it has not ended."""
        self._words.close()
        self._line.close()
        self.kill()
        self._process.wait()

    def kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _answer(self) -> dict[str, Any]:
        line = self._words.readline()
        if not line:
            raise CannotStartError("The start could not be prepared; what is above says why.")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise CannotStartError(answer["refused"])
        return answer
