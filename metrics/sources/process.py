"""Running a program that may hang, flood, or leave others behind: what it costs is bounded."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from metrics.sources.base import SourceError

OUTPUT_MOST_BYTES = 64 * 1024
CHUNK_BYTES = 8192
KILLED_S = 2.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit `code` (negative: the signal that ended it), and what it wrote."""

    code: int
    output: str
    errors: str


def run(command: Sequence[str], timeout_s: float, environment: Mapping[str, str]) -> Finished:
    """Run `command`, without a shell, in a process group that is gone when this returns.

    Raises SourceError if it can't be started, takes too long, or writes too much.
    """
    until = time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{command[0]} can't be run ({reason}).") from None
    try:
        output, errors = _read(process, until)
        code = process.wait(max(0.0, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise SourceError(f"It took longer than {timeout_s:g} s.") from None
    finally:
        end(process)
    return Finished(code, output.decode(errors="replace"), errors.decode(errors="replace"))


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill `process` and all that it started, unless that left its session, and forget it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk can't even be killed
        process.wait(KILLED_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(OSError):
                pipe.close()


def _read(process: "subprocess.Popen[bytes]", until: float) -> tuple[bytes, bytes]:
    """Read both pipes until nobody can write into them any more. Raises TimeoutError, and SourceError for a flood."""
    assert process.stdout
    assert process.stderr
    found = {process.stdout: bytearray(), process.stderr: bytearray()}
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
            if sum(map(len, found.values())) > OUTPUT_MOST_BYTES:
                raise SourceError(f"It wrote more than {OUTPUT_MOST_BYTES // 1024} KiB.")
    return bytes(found[process.stdout]), bytes(found[process.stderr])
