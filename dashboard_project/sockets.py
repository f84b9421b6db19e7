"""A WebSocket under Daphne: the same prepared frame for all on the way out, a short way in for acknowledgements."""

import time
from collections.abc import Callable
from typing import Any

import daphne.server  # noqa: F401 (first, because it chooses the Twisted reactor)
from autobahn.websocket.protocol import PreparedMessage
from daphne.ws_protocol import WebSocketProtocol

from consumers.limits import MESSAGE_BYTES, Allowance
from dashboard_project import deflate
from dashboard_project.socket_memory import LeanSocket, lighten

INCOMING_WAITING = 200
HEADER_BYTES = 6  # of a short frame as clients send it: two bytes and the mask
SHORT_BYTES = 125
WHOLE_TEXT = 0x81
MASKED = 0x80


def short_text(data: bytes, may_be_deflated: bool = False) -> str | None:
    """Return the text, if `data` is just one short frame of text as clients send it; None for anything else.

    See RFC 6455, section 5.2: an unfragmented text has the first byte 0x81, or 0xC1 if it is compressed, then come
    length, mask and payload.
    """
    length = len(data) - HEADER_BYTES
    if not 0 <= length <= SHORT_BYTES or data[1] != MASKED | length:
        return None
    deflated = may_be_deflated and data[0] == deflate.WHOLE_DEFLATED_TEXT
    if data[0] != WHOLE_TEXT and not deflated:
        return None
    mask = (data[2:HEADER_BYTES] * (length // 4 + 1))[:length]
    number = int.from_bytes(data[HEADER_BYTES:], "big") ^ int.from_bytes(mask, "big")
    payload: bytes | None = number.to_bytes(length, "big")
    if deflated and payload is not None:
        payload = deflate.inflated(payload, MESSAGE_BYTES)
    try:
        return None if payload is None else payload.decode()
    except UnicodeDecodeError:
        return None


class PreparedWriter:
    """Writer of one socket for `consumers.outlet`: it writes frames, which are made once, as they are."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: "SocketProtocol") -> None:
        self._protocol = protocol

    def listen(self, hear: Callable[[str], bool]) -> None:
        """Have `hear` get each text, without Daphne's queue and a task per socket in between."""
        self._protocol.hear = hear

    @property
    def window_bits(self) -> int:
        """With what window frames to this socket are compressed, once it is open; 0 if they are not."""
        return self._protocol.window_bits

    @staticmethod
    def prepare(text: str, window_bits: int) -> bytes:
        """Return `text` as a WebSocket frame for all sockets with `window_bits`."""
        if window_bits:
            return deflate.frame(text.encode(), window_bits)
        message = PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)
        frame: bytes = message.payloadHybi
        return frame

    def write(self, frame: bytes) -> None:
        """Write a frame that `prepare` made; nothing, if the socket is closing."""
        protocol = self._protocol
        if protocol.state == protocol.STATE_OPEN:
            write_now(protocol.transport, frame)


def write_now(transport: Any, data: bytes) -> None:
    """Write to a transport of Twisted's without its detour.

    Twisted would queue `data`, watch the socket, and write in the next round of the loop, which costs three system
    calls. Nearly always the socket takes all at once, and one call will do.
    """
    sent = 0
    waits = transport._tempDataLen or len(transport.dataBuffer) > transport.offset
    if transport.connected and not waits:
        try:
            sent = transport.socket.send(data)
        except OSError:  # its buffer is full, or it is gone: Twisted knows what to do with either
            sent = 0
    if sent < len(data):
        transport.write(data[sent:])


class SocketProtocol(LeanSocket, WebSocketProtocol):
    """Daphne's WebSocket with every close code, and deaf to a client that sends faster than it is heard."""

    muted: bool
    hear: Callable[[str], bool] | None = None
    pings: Allowance
    window_bits = 0
    _perMessageCompress: Any

    def dataReceived(self, data: bytes) -> None:
        # Nearly all that ever comes is an acknowledgement in a segment of its own. The parser takes several times
        # as long over it as `hear` does, so it is only asked about the rest.
        if self.hear is not None and self._is_between_messages():
            text = short_text(data, may_be_deflated=bool(self.window_bits))
            if text is not None and self.hear(text):
                self.last_ping = time.time()
                return
        super().dataReceived(data)

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

    def sendMessage(self, payload: bytes, isBinary: bool = False, **options: Any) -> None:
        # Frames for a single socket are short, and autobahn would keep its compressor: 280 kB.
        super().sendMessage(payload, isBinary, **{**options, "doNotCompress": True})

    def onOpen(self) -> None:
        self.pings = Allowance()
        if self._perMessageCompress is not None:
            self.window_bits = self._perMessageCompress.server_max_window_bits
            self._perMessageCompress = deflate.Inflater(self.window_bits)
        super().onOpen()
        lighten(self)

    def onPing(self, payload: bytes) -> None:
        # Each is answered, and the answers of one that reads nothing would pile up.
        if self.pings.take():
            super().onPing(payload)
        else:
            self.transport.abortConnection()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.hear is not None and not isBinary and not self.muted:
            self.last_ping = time.time()
            if self.hear(payload.decode()):
                return
        if self.application_queue.qsize() > INCOMING_WAITING and not self.muted:
            self.application_queue.put_nowait({"type": "websocket.disconnect", "code": 1008})
            self.muted = True
            self.transport.abortConnection()
        super().onMessage(payload, isBinary)

    def serverClose(self, code: int | None = None) -> None:
        # autobahn's sendClose refuses what is not an application's own code, and so 1012 and 1013.
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code or 1000, isReply=False)
