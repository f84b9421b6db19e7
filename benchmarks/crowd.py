"""Viewers in a process of their own, so that reading what they are sent delays nobody who measures.

`python -m benchmarks.crowd PORT PATH TOKEN COUNT` opens sockets, says how many on stdout, and reads until its
stdin ends.
"""

import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from benchmarks.common import ROOT, raise_file_limit
from benchmarks.sockets import Swarm

OPENS_S = 120.0


class Crowd:
    """`with Crowd(…) as crowd:` opens `count` sockets; `refused` of them did not open."""

    def __init__(self, port: int, path: str, token: str, count: int) -> None:
        self.refused = 0
        self._count = count
        self._command = [sys.executable, "-m", "benchmarks.crowd", str(port), path, token, str(count)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self._count:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
            assert self._process.stdout is not None
            self.refused = int(json.loads(self._process.stdout.readline())["refused"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.communicate("")


def main() -> None:
    port, path, token, count = sys.argv[1:]
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    raise_file_limit()
    swarm = Swarm(int(port), path, token, acknowledge=True)
    swarm.connect(int(count), OPENS_S)
    swarm.read_first()
    print(json.dumps({"refused": swarm.refused}), flush=True)
    while True:
        swarm.read(1)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
