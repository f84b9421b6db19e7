"""HTTP requests as Daphne takes them, with what it leaves open closed: sizes, and headers that nobody may send."""

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings

TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Daphne would take the path's prefix from the first, and reads the others as ASCII.
NOT_FROM_CLIENTS = (b"daphne-root-path", b"sec-websocket-protocol")
ASCII_ONLY = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port")


class BoundedRequest(WebRequest):
    """A request whose body is cut off when it is too large, and parsed by Django alone.

    Twisted would parse forms on the event loop, where a large one holds up every open page.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "parsePOSTFormSubmission": False})
        self._left_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def gotLength(self, length: int | None) -> None:
        too_large = (length or 0) > self._left_bytes
        super().gotLength(0 if too_large else length)
        if too_large:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> None:
        for name in NOT_FROM_CLIENTS:
            self.requestHeaders.removeHeader(name)
        for name in ASCII_ONLY:
            if not all(value.isascii() for value in self.requestHeaders.getRawHeaders(name, [])):
                self.requestHeaders.removeHeader(name)
        super().process()

    def _refuse(self) -> None:
        if self.channel is not None:
            self.channel.transport.write(TOO_LARGE)
            self.channel.loseConnection()


def bound_requests(factory: HTTPFactory) -> None:
    """Have `factory` take requests as `BoundedRequest`."""
    build = factory.buildProtocol

    def build_bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    factory.buildProtocol = build_bounded
