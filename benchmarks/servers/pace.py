"""The rate at which a server or publisher of `benchmarks.fanout` makes frames, and the frame they all send."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator

FRAGMENT_BYTES = 2048
BEHIND_MOST_S = 0.1


def fragment(size_bytes: int = FRAGMENT_BYTES) -> str:
    """Return a widget's HTML of about this size that says at its end when it was made."""
    start, end = '<article id="w-1" class="widget">', f'<b data-sent="{time.time():.6f}"></b></article>'
    return start + "x" * (size_bytes - len(start) - len(end)) + end


def frame(version: int) -> str:
    """Return what the hub sends for such a fragment: the widget and the pulse."""
    return (
        f'<hx-partial hx-target="#w-1" hx-swap="outerMorph">{fragment()}</hx-partial>'
        '<hx-partial hx-target="#pulse" hx-swap="outerMorph"><i id="pulse" hidden data-epoch="0123456789abcdef"'
        f' data-version="{version}" data-time="{time.time():.3f}" data-build="0123456789ab" data-revision="1"></i>'
        "</hx-partial>"
    )


class Pace:
    """The rate that was last read from stdin, 0 at first. The process ends with its stdin."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._next_at = time.monotonic()
        threading.Thread(target=self._listen, daemon=True).start()

    def wait_s(self) -> float | None:
        """Return how long to wait for the next frame, None while there are to be none.

        A sender that is more than `BEHIND_MOST_S` behind does not catch up: it skips the frames that it did not make.
        """
        now = time.monotonic()
        if not self.rate:
            self._next_at = now
            return None
        self._next_at = max(self._next_at + 1 / self.rate, now - BEHIND_MOST_S)
        return max(0.0, self._next_at - now)

    async def ticks(self) -> AsyncIterator[int]:
        """Yield 1, 2, 3 … at the rate."""
        number = 0
        while True:
            wait_s = self.wait_s()
            await asyncio.sleep(0.02 if wait_s is None else wait_s)
            if wait_s is not None:
                yield (number := number + 1)

    def _listen(self) -> None:
        for line in sys.stdin:
            self.rate = float(line)
        os._exit(0)
