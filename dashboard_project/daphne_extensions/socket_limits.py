"""Bounds on what a client may send: pings, and messages that nobody has read yet."""

from typing import Any

from consumers.codes import REFUSED_MESSAGE
from consumers.limits import Allowance


class Socket:
    """A socket that is cut off when its client sends faster than it is heard."""

    incoming_waiting = 200
    muted: bool
    pings: Allowance
    application_queue: Any
    transport: Any

    def onOpen(self) -> None:
        self.pings = Allowance()
        super().onOpen()  # type: ignore[misc]

    def onPing(self, payload: bytes) -> None:
        # Each is answered, and the answers of one that reads nothing would pile up.
        if self.pings.take():
            super().onPing(payload)  # type: ignore[misc]
        else:
            self.transport.abortConnection()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.application_queue.qsize() > self.incoming_waiting and not self.muted:
            self.application_queue.put_nowait({"type": "websocket.disconnect", "code": REFUSED_MESSAGE})
            self.muted = True
            self.transport.abortConnection()
        super().onMessage(payload, isBinary)  # type: ignore[misc]
