"""One frame for every socket, written without a detour, and a short way in for acknowledgements."""

import time
from collections.abc import Callable
from typing import Any

from dashboard_project.daphne_extensions.frames import short_text, text_frame


class PreparedWriter:
    """Writer of one socket for `consumers.outlet`: it writes frames, which are made once, as they are."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def listen(self, hear: Callable[[str], bool]) -> None:
        """Have `hear` get each text, without Daphne's queue and a task per socket in between."""
        self._protocol.hear = hear

    @property
    def window_bits(self) -> int:
        """With what window frames to this socket are compressed, once it is open; 0 if they are not."""
        bits: int = self._protocol.window_bits
        return bits

    @staticmethod
    def prepare(text: str, window_bits: int) -> bytes:
        """Return `text` as a WebSocket frame for all sockets with `window_bits`."""
        return text_frame(text.encode(), window_bits)

    def write(self, frame: bytes) -> None:
        """Write a frame that `prepare` made; nothing, if the socket is closing."""
        protocol = self._protocol
        if protocol.state == protocol.STATE_OPEN:
            write_now(protocol.transport, frame)

    def waiting_bytes(self) -> int:
        """Return how much was written and is still here, as the client has not read what came before it."""
        return _waiting_bytes(self._protocol.transport)


def write_now(transport: Any, data: bytes) -> None:
    """Write to a transport of Twisted's without its detour.

    Twisted would queue `data`, watch the socket, and write in the next round of the loop, which costs three system
    calls. Nearly always the socket takes all at once, and one call will do.
    """
    sent = 0
    if transport.connected and not _waiting_bytes(transport):
        try:
            sent = transport.socket.send(data)
        except OSError:  # its buffer is full, or it is gone: Twisted knows what to do with either
            sent = 0
    if sent < len(data):
        transport.write(data[sent:])


def _waiting_bytes(transport: Any) -> int:
    waiting: int = transport._tempDataLen + len(transport.dataBuffer) - transport.offset
    return waiting


class Socket:
    """A socket that hears short texts without autobahn's parser, and writes at once."""

    hear: Callable[[str], bool] | None = None
    window_bits = 0
    muted: bool
    state: int
    STATE_OPEN: int
    data: bytes
    inside_message: bool
    current_frame: Any
    autoPingTimeoutCall: Any
    transport: Any

    def dataReceived(self, data: bytes) -> None:
        # Nearly all that ever comes is an acknowledgement in a segment of its own. The parser takes several times
        # as long over it as `hear` does, so it is only asked about the rest.
        if self.hear is not None and self._is_between_messages():
            text = short_text(data, may_be_deflated=bool(self.window_bits))
            if text is not None and self.hear(text):
                self.last_ping = time.time()
                return
        super().dataReceived(data)  # type: ignore[misc]

    def _is_between_messages(self) -> bool:
        """Return whether the parser waits for nothing: neither the rest of a message, nor the answer to a ping."""
        return (
            self.state == self.STATE_OPEN
            and not (self.muted or self.data or self.inside_message)
            and self.current_frame is None
            and self.autoPingTimeoutCall is None
        )

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        write_now(self.transport, data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.hear is not None and not isBinary and not self.muted:
            self.last_ping = time.time()
            if self.hear(payload.decode()):
                return
        super().onMessage(payload, isBinary)  # type: ignore[misc]
