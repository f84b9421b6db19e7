"""Bounds that Daphne does not set on requests: their size, the time they take to arrive, and whose headers count."""

import ipaddress
import re
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.web.http import HTTPChannel

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: 29\r\nConnection: close\r\n\r\n"
    b"What was sent is too large.\r\n"
)
UPLOAD = re.compile(rb"POST /+(?:api/v1/)?rooms/[0-9]+/files/?(?:\?|$)")
"""Method and path of the requests that bring a file."""
# Daphne would take the path's prefix from the first, and reads the others as ASCII.
NOT_FROM_CLIENTS = (b"daphne-root-path", b"sec-websocket-protocol")
ABSOLUTE = re.compile(rb"https?://(?:[^/?#@]*@)?(?P<host>[^/?#@]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
FROM_PROXIES = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port")


def extend(server: Any) -> None:
    """Have requests to `server` bounded by its `request_seconds`, its `request_bytes`, and for files `upload_bytes`."""
    factory: HTTPFactory = server.http_factory
    build = factory.buildProtocol
    factory.protocol = BoundedChannel
    factory.timeOut = server.request_seconds

    def build_bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    factory.buildProtocol = build_bounded


class BoundedChannel(HTTPChannel):
    """A connection on which each request has `timeOut` seconds to arrive as a whole, headers and body.

    Twisted starts its time anew with every byte that comes, so that a byte a minute would keep a connection for good.
    Here it starts with the first byte of a request, which a WebSocket's handshake is too.
    """

    _is_arriving = False

    def resetTimeout(self) -> None:
        if not self._is_arriving:
            self._is_arriving = True
            super().resetTimeout()

    def allContentReceived(self) -> None:
        self._is_arriving = False
        super().allContentReceived()

    def timeoutConnection(self) -> None:
        if self._is_arriving:
            self.transport.write(TOO_SLOW)
        super().timeoutConnection()


class BoundedRequest(WebRequest):
    """A request whose body is cut off when it is too large, and parsed by Django alone.

    Twisted would parse forms on the event loop, where a large one holds up every open page.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "parsePOSTFormSubmission": False})
        self._left_bytes: int = self.server.request_bytes

    def gotLength(self, length: int | None) -> None:
        if UPLOAD.match(b"%s %s" % (self.channel._command, self.channel._path)):  # the request has neither of them yet
            self._left_bytes = self.server.upload_bytes
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
        self._take_origin_form()
        for name in NOT_FROM_CLIENTS:
            self.requestHeaders.removeHeader(name)
        trusted = is_trusted_proxy(getattr(self.client, "host", None))
        for name in FROM_PROXIES:
            if not (trusted and all(value.isascii() for value in self.requestHeaders.getRawHeaders(name, []))):
                self.requestHeaders.removeHeader(name)
        super().process()

    def _take_origin_form(self) -> None:
        """Take a request line with a whole address as one with a path and a Host (RFC 9112, section 3.2.2)."""
        uri: bytes = self.uri  # type: ignore[has-type]  # Twisted sets it
        if whole := ABSOLUTE.match(uri):
            self.requestHeaders.setRawHeaders(b"host", [whole["host"]])
            self.uri = whole["rest"] if whole["rest"].startswith(b"/") else b"/" + whole["rest"]
            self.path = self.uri.partition(b"?")[0]

    def _refuse(self) -> None:
        if self.channel is not None:
            self.channel.transport.write(TOO_LARGE)
            self.channel.loseConnection()


def is_trusted_proxy(address: str | None) -> bool:
    """Return whether what comes from `address` may say for whom: this machine, a unix socket (None), TRUSTED_PROXIES.

    This machine always may: what a proxy on it passes on would look like its own requests otherwise.
    """
    if address is None:
        return True
    peer = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped:
        peer = peer.ipv4_mapped
    return peer.is_loopback or any(peer in network for network in settings.TRUSTED_PROXIES)
