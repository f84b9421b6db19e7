"""Limits on a whole conversation, of time and of bytes, for libraries that limit only each read, or nothing."""

import os
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from metrics.sources.base import SourceError

READ_MOST_BYTES = 64 * 1024 * 1024
LOOK_S = 0.05
"""How often is looked at how much has come: at a gigabyte a second, 50 MB may come between two looks."""
BYTES_RECEIVED = struct.Struct("128xQ")
"""Where Linux tells how much has come: `tcpi_bytes_received` of `struct tcp_info` (include/uapi/linux/tcp.h)."""


class Deadline:
    """`with Deadline(10) as deadline`: connections given to `watch` are cut after 10 seconds, whoever reads them.

    They are also cut when more than READ_MOST_BYTES came over one of them, where the system tells (TCP on Linux): then
    a SourceError leaves the block, as for an exception that leaves it after time is up.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._twins: list[socket.socket] = []
        self._over = threading.Event()
        self._is_flooded = False
        self._watcher = threading.Thread(target=self._watch, name="deadline", daemon=True)

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
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        is_flooded = self._is_flooded or self._has_come() > READ_MOST_BYTES  # also all of it between two looks
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()
        if error is not None and not isinstance(error, Exception):
            return
        if is_flooded:
            raise SourceError(f"It was sent more than {READ_MOST_BYTES // 1024**2} MiB.") from error
        if error is not None and self.passed:
            raise SourceError(f"It took longer than {self._timeout_s:g} s.") from error

    def _watch(self) -> None:
        while not self._over.wait(min(LOOK_S, self.left_s)):
            self._is_flooded = self._has_come() > READ_MOST_BYTES
            if self._is_flooded or self.passed:
                self._cut()
                return

    def _has_come(self) -> int:
        with self._lock:
            return max(map(_received_bytes, self._twins), default=0)

    def _cut(self) -> None:
        with self._lock:
            for twin in self._twins:
                with suppress(OSError):  # it is closed already
                    twin.shutdown(socket.SHUT_RDWR)


def _received_bytes(connection: socket.socket) -> int:
    """Return how much has come over `connection`, read or not; 0 where nobody knows."""
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED.size)
        (received,) = BYTES_RECEIVED.unpack(info)
    except (OSError, AttributeError, struct.error):
        return 0
    return int(received)
