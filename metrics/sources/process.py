"""Running a program that may hang, flood, eat memory or leave others behind: what it costs is bounded."""

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from metrics.sources.base import SourceError

log = structlog.get_logger(__name__)

GUARD = Path(__file__).with_name("guard.py")
OUTPUT_MOST_BYTES = 64 * 1024
CHUNK_BYTES = 65_536
KILLED_S = 6.0
"""A little more than the guard takes at most, for a machine that is busy."""


class TooSlow(SourceError):
    """The program did not end in time, and was ended."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit `code` (negative: the signal that ended it), and what it wrote."""

    code: int
    output: str
    errors: str


class Guarded(subprocess.Popen[bytes]):
    """A program under a guard, which ends all that it started when it ends, when `end` is called, and when we go.

    Raises OSError and ValueError if even the guard can't be run.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        memory_bytes: int,
        cwd: str | Path = "/",
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self._command = command[0]
        self._line, theirs = socket.socketpair()
        guard = [sys.executable, "-I", "-S", str(GUARD), str(theirs.fileno()), str(memory_bytes)]
        try:
            super().__init__(
                [*guard, *command],
                env=dict(environment),
                cwd=cwd,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()

    def __del__(self) -> None:
        self._line.close()
        super().__del__()

    def end(self) -> None:
        """End the program and all that it started, and forget it. Raises SourceError if it could not be run at all."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk can't even be killed
            self.wait(KILLED_S)
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        said = self._said()
        self._line.close()
        if said.startswith("errno "):
            raise SourceError(f"{self._command} can't be run ({os.strerror(int(said[6:]))}).")
        if said.startswith("left "):
            log.warning("a program left processes behind, which were ended", program=self._command, processes=said[5:])

    def _said(self) -> str:
        with suppress(OSError):
            self._line.setblocking(False)
            return self._line.recv(100).decode().partition("\n")[0]
        return ""


def run(
    command: Sequence[str],
    timeout_s: float,
    environment: Mapping[str, str],
    memory_bytes: int,
    output_most_bytes: int = OUTPUT_MOST_BYTES,
) -> Finished:
    """Run `command`, without a shell; it and all that it started is gone when this returns.

    Each process of it may have `memory_bytes`. Raises SourceError if it can't be started, takes too long, or writes too
    much.
    """
    until = time.monotonic() + timeout_s
    try:
        process = Guarded(command, environment, memory_bytes)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{command[0]} can't be run ({reason}).") from None
    try:
        output, errors = _read(process, until, output_most_bytes)
        code = process.wait(max(0.0, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise TooSlow(f"It took longer than {timeout_s:g} s.") from None
    finally:
        process.end()
    return Finished(code, output.decode(errors="replace"), errors.decode(errors="replace"))


def _read(process: Guarded, until: float, most_bytes: int) -> tuple[bytes, bytes]:
    """Read both pipes until nobody can write into them any more. Raises TimeoutError, and SourceError for a flood."""
    assert process.stdout
    assert process.stderr
    found: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe in found:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                found[key.fileobj] += chunk  # type: ignore[index]
            if sum(map(len, found.values())) > most_bytes:
                raise SourceError(f"It wrote more than {most_bytes // 1024} KiB.")
    return bytes(found[process.stdout]), bytes(found[process.stderr])
