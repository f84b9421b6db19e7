"""Outlets: one for each socket, whose `write` never waits, whatever the server.

Daphne's `send` never waits, and ours can write one prepared frame to every socket. Other servers wait in `send` for a
slow reader: there a task per socket does the waiting, so that nobody else has to. Two limits bound how much may pile
up: the credit that `consumers.stream` grants, and the bytes that `consumers.log_stream` lets wait.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from consumers.codes import NORMAL
from consumers.frame import Frame

EXTENSION = "watchfloor.prepared"
"""The ASGI extension by which our own server offers an object with `prepare`, `window_bits`, `write`,
`waiting_bytes` and `listen`."""

Hear = Callable[[str], bool]
"""Takes a text and returns whether that was all; if not, it comes once more as an ASGI message."""
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def close(send: Send, code: int) -> None:
    """Close a socket with `code`, or with 1000 where the server lets no application send it.

    autobahn, and so Daphne as it comes, takes 1000 and what begins with 3000: not 1008, 1012 and 1013.
    """
    try:
        await send({"type": "websocket.close", "code": code})
    except Exception:  # autobahn raises nothing more exact
        await send({"type": "websocket.close", "code": NORMAL})


class Outlet(Protocol):
    """The way to one socket."""

    def write(self, frame: Frame) -> None: ...

    def waiting_bytes(self) -> int:
        """Return how much was written that the client has not read, as far as the server tells."""

    def close(self, code: int) -> None: ...

    def listen(self, hear: Hear) -> None:
        """Have `hear` get each text that comes, where the server can do that without a queue and a task."""


class PreparedOutlet:
    """Writes the same prepared bytes to every socket of the process that is compressed alike."""

    __slots__ = ("_offer", "_prepare", "_send", "_window_bits", "_write", "waiting_bytes")

    def __init__(self, send: Send, offer: Any) -> None:
        self._send = send
        self._offer = offer
        self._prepare = offer.prepare
        self._write = offer.write
        self._window_bits: int = offer.window_bits
        self.waiting_bytes: Callable[[], int] = offer.waiting_bytes

    def write(self, frame: Frame) -> None:
        prepared = frame.prepared.get(self._window_bits)
        if prepared is None:
            prepared = frame.prepared[self._window_bits] = self._prepare(frame.text, self._window_bits)
        self._write(prepared)

    def listen(self, hear: Hear) -> None:
        self._offer.listen(hear)

    def close(self, code: int) -> None:
        keep(asyncio.ensure_future(close(self._send, code)))


class QueuedOutlet:
    """Hands plain text to a server whose `send` may wait; a task of its own does the waiting."""

    __slots__ = ("_queue", "_send", "_sending")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[Frame | int] = deque()
        self._sending: asyncio.Future[None] | None = None

    def write(self, frame: Frame) -> None:
        self._put(frame)

    def waiting_bytes(self) -> int:
        return sum(one.size_bytes for one in self._queue if isinstance(one, Frame))

    def close(self, code: int) -> None:
        self._queue.clear()
        self._put(code)

    def listen(self, hear: Hear) -> None:
        """Texts come as ASGI messages."""

    def _put(self, frame_or_code: Frame | int) -> None:
        self._queue.append(frame_or_code)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._drain())
            keep(self._sending)

    async def _drain(self) -> None:
        while self._queue:
            first = self._queue.popleft()
            if isinstance(first, Frame):
                await self._send({"type": "websocket.send", "text": first.text})
            else:
                await close(self._send, first)


def outlet(scope: dict[str, Any], send: Send) -> Outlet:
    """Return the best outlet that the server of `scope` can serve, for a socket that was accepted."""
    offer = scope.get("extensions", {}).get(EXTENSION)
    return QueuedOutlet(send) if offer is None else PreparedOutlet(send, offer)


_running: set[asyncio.Future[Any]] = set()


def keep(future: asyncio.Future[Any]) -> None:
    """Hold on to a future that nobody awaits; that its socket went away meanwhile is no error."""
    _running.add(future)
    future.add_done_callback(_forget)


def _forget(future: asyncio.Future[Any]) -> None:
    _running.discard(future)
    if not future.cancelled():
        future.exception()
