"""A time limit on a whole conversation, for libraries that limit only each read, or nothing."""

import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from metrics.sources.base import SourceError


class Deadline:
    """`with Deadline(10) as deadline`: connections given to `watch` are cut after 10 seconds, whoever reads them.

    What comes out of the block as an exception after that is a SourceError that says so.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []
        self._timer = threading.Timer(timeout_s, self._cut)
        self._timer.daemon = True

    @property
    def left_s(self) -> float:
        """Seconds that are left, and never 0, which many libraries take for "for ever"."""
        return max(0.001, self._until - time.monotonic())

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._until

    def watch(self, descriptor: int) -> None:
        """Cut the connection behind this file descriptor when time is up, under whatever number it is open then."""
        with self._lock:
            self._twins.append(socket.socket(fileno=os.dup(descriptor)))
        if self.passed:
            self._cut()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()
        if isinstance(error, Exception) and self.passed:
            raise SourceError(f"It took longer than {self._timeout_s:g} s.") from error

    def _cut(self) -> None:
        with self._lock:
            for twin in self._twins:
                with suppress(OSError):  # it is closed already
                    twin.shutdown(socket.SHUT_RDWR)
