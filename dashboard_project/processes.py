"""Starting a process that the kernel ends with the thread that starts it, in a session of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")

Start = Callable[[Sequence[str], Mapping[str, str], Mapping[str, int], bool], "Process"]
"""Runs arguments with an environment, and with files: their names are variables that hold their numbers.

If the last argument is true, what the process says can be read; or else it is said where this one says it.
"""


class Process(Protocol):
    """Parts of `subprocess.Popen` that are used here."""

    pid: int
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


def die_with_parent(*command: str) -> list[str]:
    """Return `command` so that the kernel ends it with the thread that starts it, also if that is killed."""
    return [sys.executable, "-I", "-S", str(DIE_WITH_PARENT), str(os.getpid()), *command]


def plainly(arguments: Sequence[str], env: Mapping[str, str], files: Mapping[str, int], read: bool) -> Process:
    """Start a new program."""
    return subprocess.Popen(
        die_with_parent(*arguments),
        env={**env, **{name: str(number) for name, number in files.items()}},
        pass_fds=tuple(files.values()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if read else None,
        stderr=subprocess.STDOUT if read else None,
        start_new_session=True,
    )
