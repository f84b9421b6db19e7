"""Conversations with the extended server inside this process: a client hears what stock Daphne would say.

The client is autobahn's, and both ends are Twisted's own transports, on a pair of sockets and without its reactor.
"""

import asyncio
import hashlib
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Self

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateResponseAccept
from daphne.http_protocol import HTTPFactory
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from consumers.codes import NORMAL, RESTART
from consumers.frame import Frame
from consumers.outlet import Outlet, outlet
from dashboard_project.daphne_extensions.frames import DEFLATED_TEXT
from dashboard_project.daphne_extensions.parts import Part
from dashboard_project.daphne_extensions.server import ExtendedServer

ROUNDS = 300
"""More than the longest text needs to get through; each takes some microseconds."""
BUFFER_BYTES = 4096
"""Of a socket: less than the longest frame, so that a part of it waits in Twisted's buffer."""
DOWN = ["frame", "größer", "".join(hashlib.sha256(bytes((n,))).hexdigest() for n in range(250)), "the last"]
UP = ['{"ack": 1}', '{"ack": 22}', "x" * 300, "unheard"]
REQUEST_BYTES, UPLOAD_BYTES = 1000, 2000
REQUEST_SECONDS = 60.0
STRANGER, HERE = "203.0.113.5", "127.0.0.1"
HEAD = b"POST /self-test HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nDaphne-Root-Path: /x\r\n"


class SelfTestError(Exception):
    """Something is not as with stock Daphne; the text says what."""


def run(parts: Sequence[Part]) -> None:
    """Try these parts together. Raises SelfTestError, or whatever a library raises that does not fit."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # what a task of a part that fails raised, told of when it is freed
    try:
        with _unlogged():
            loop.run_until_complete(_try(parts))
    finally:
        loop.close()


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what the libraries say of a part that fails out of the log, where one line tells of it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


# --- Both ends -----------------------------------------------------------------------------------------


class Reactor(Clock):
    """Knows who wants to read and to write, and the time."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.addReader, self.removeReader = self.readers.add, self.readers.discard
        self.addWriter, self.removeWriter = self.writers.add, self.writers.discard

    def turn(self) -> None:
        """Have everyone read and write once, as a reactor does."""
        self.advance(0)
        for one, act in [(one, one.doRead) for one in self.readers] + [(one, one.doWrite) for one in self.writers]:
            if one.connected and (gone := act()) is not None:
                one.connectionLost(Failure(gone))


class End(Connection):
    """One end of a connection, with the buffers of a real one."""

    def __init__(self, end: socket.socket, protocol: Any, reactor: Reactor, peer: str = HERE) -> None:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        super().__init__(end, protocol, reactor)
        self._peer = peer
        self.connected = 1
        self.startReading()
        protocol.makeConnection(self)

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", self._peer, 1)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", HERE, 2)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no TCP here."""


class Client(WebSocketClientProtocol):
    """autobahn's client, as it comes; it writes down what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.pongs: list[bytes] = []
        self.raw = b""
        self.code: int | None = None
        self.gone = False

    @property
    def frames(self) -> bytes:
        """All that came after the handshake."""
        return self.raw.partition(b"\r\n\r\n")[2]

    def dataReceived(self, data: bytes) -> None:
        if self.code is None and not data.startswith(b"\x88"):
            self.raw += data
        super().dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.texts.append(payload.decode())

    def onPong(self, payload: bytes) -> None:
        self.pongs.append(payload)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> Any:
        self.code = code
        return super().onCloseFrame(code, reasonRaw)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.gone = True


class Raw(Protocol):
    """A client of HTTP that is sent by hand."""

    def __init__(self) -> None:
        self.raw = b""
        self.gone = False

    def dataReceived(self, data: bytes) -> None:
        self.raw += data

    def connectionLost(self, reason: Any = None) -> None:
        self.gone = True


class Talk(ExtendedServer):
    """A server with one client, and the application that it serves."""

    client: Client
    ends: tuple[End, ...] = ()
    _pair: tuple[socket.socket, ...] = ()

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(
            request_seconds=REQUEST_SECONDS,
            request_bytes=REQUEST_BYTES,
            upload_bytes=UPLOAD_BYTES,
            behind_proxy=True,
            ready=lambda: None,
            application=self.serve,
            endpoints=["none"],
            signal_handlers=False,
            server_name="",
        )
        self.reactor = Reactor()
        self.connections: dict[Any, Any] = {}
        self.http_factory, self.ws_factory = HTTPFactory(self), WebSocketFactory(self, server="")
        self.http_factory.reactor = self.reactor
        self.ws_factory.setProtocolOptions(allowNullOrigin=True, openHandshakeTimeout=0, closeHandshakeTimeout=0)
        self.extend(parts)
        self.scope: dict[str, Any] = {}
        self.texts: list[str] = []
        self.outlet: Outlet | None = None
        self.body: bytes | None = None
        self.code: int | None = None
        self.socket: Any = None

    async def serve(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        first = await receive()
        if scope["type"] == "http":
            self.body = first["body"]
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        await send({"type": "websocket.accept"})
        self.outlet = outlet(scope, send)
        while (message := await receive())["type"] != "websocket.disconnect":
            self.texts.append(message["text"])
        self.code = message["code"]

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        self.socket = protocol
        return super().create_application(protocol, scope)

    def has_read(self, text: str) -> bool:
        return self.texts[-1:] == [text]

    def hear(self, text: str) -> bool:
        if text == "unheard":
            return False
        self.texts.append(text)
        return True

    def connect(self, client: Any, peer: str) -> None:
        """Have `client` connect from the address `peer`."""
        near, far = self._pair = socket.socketpair()
        self.ends = End(near, self.http_factory.buildProtocol(None), self.reactor, peer), End(far, client, self.reactor)

    async def open_socket(self, deflate: bool = False) -> Client:
        client = self.client = _client(deflate)
        self.connect(client, HERE)
        await self.until("the answer to the handshake", lambda: client.state == client.STATE_OPEN and self.outlet)
        return client

    def request(self, request: bytes, peer: str = HERE) -> Raw:
        client = Raw()
        self.connect(client, peer)
        client.transport.write(request)
        return client

    async def is_answered(self, status: str, client: Raw) -> None:
        """Raise SelfTestError unless the answer has this status, and ends the connection."""
        said = f" {status} ".encode()
        await self.until(f"the answer {status}", lambda: said in client.raw and client.gone)

    async def until(self, what: str, condition: Callable[[], object]) -> None:
        """Let both ends go on until `condition`. Raises SelfTestError if it does not come."""
        for _ in range(ROUNDS):
            if condition():
                return
            self.reactor.turn()
            await asyncio.sleep(0)
        raise SelfTestError(f"{what} did not come")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in self.ends:
            if end.connected:
                end.connectionLost(Failure(ConnectionAborted()))
        for one in self._pair:
            one.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _client(deflate: bool) -> Client:
    factory = WebSocketClientFactory("ws://localhost/self-test")
    factory.protocol = Client
    factory.setProtocolOptions(
        openHandshakeTimeout=0, closeHandshakeTimeout=0, serverConnectionDropTimeout=0, failByDrop=False
    )
    if deflate:
        factory.setProtocolOptions(
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=PerMessageDeflateResponseAccept,
        )
    client: Client = factory.buildProtocol(None)
    return client


# --- Sentences -----------------------------------------------------------------------------------------


async def _try(parts: Sequence[Part]) -> None:
    names = {part.name for part in parts}
    stock, extended = await _converse((), deflate=False), await _converse(parts, deflate=False)
    _same("the wire", extended.client.frames, stock.client.frames)
    _same("the server's note of a socket", *({*one.connections[one.socket]} for one in (extended, stock)))
    _same("the close code", extended.client.code, RESTART if "close_codes" in names else NORMAL)
    if "compression" in names:
        compressed = await _converse(parts, deflate=True)
        _same("the first byte of a compressed frame", compressed.client.frames[0], DEFLATED_TEXT)
    if "socket_limits" in names:
        await _flood(parts)
    if "http_limits" in names:
        await _request(parts)


async def _converse(parts: Sequence[Part], deflate: bool) -> Talk:
    """Have both say all that a page and this system say to each other; return what they heard."""
    async with Talk(parts) as talk:
        client = await talk.open_socket(deflate)
        assert talk.outlet is not None
        talk.outlet.listen(talk.hear)
        for text in DOWN:
            talk.outlet.write(Frame(text))
        await talk.until("every frame", lambda: len(client.texts) == len(DOWN))
        _same("what the client reads", client.texts, DOWN)
        for text in UP:
            client.sendMessage(text.encode())
            await talk.until("a text of the client", partial(talk.has_read, text))
        _same("what the server reads", talk.texts, UP)
        client.sendPing(b"self-test")
        await talk.until("the answer to a ping", lambda: client.pongs == [b"self-test"])
        talk.outlet.close(RESTART)
        await talk.until("the end of the socket", lambda: client.code and talk.code)
    return talk


async def _flood(parts: Sequence[Part]) -> None:
    """A client that pings on and on, or sends more than is read, is cut off."""
    async with Talk(parts) as talk:
        client = await talk.open_socket()
        while talk.socket.pings.take():
            pass
        client.sendPing(b"")
        await talk.until("the end of a client that pings without end", lambda: client.gone)
    async with Talk(parts) as talk:
        client = await talk.open_socket()
        for _ in range(talk.socket.incoming_waiting + 1):
            talk.socket.application_queue.put_nowait({"type": "websocket.receive", "text": ""})
        talk.socket.onMessage(b"one more", False)
        await talk.until("the end of a client that sends without end", lambda: client.gone and talk.code)


async def _request(parts: Sequence[Part]) -> None:
    """A request has a size and a time, and only a proxy of ours says whose it is."""
    from dashboard_project.daphne_extensions.http_limits import is_trusted_proxy  # not above: it may not fit

    await _ask(parts, HERE, "192.0.2.1")
    await _ask(parts, STRANGER, "192.0.2.1" if is_trusted_proxy(STRANGER) else STRANGER)
    length = b"%d" % (REQUEST_BYTES + 1)
    chunk = b"%x\r\n%s\r\n" % (REQUEST_BYTES + 1, b"x" * (REQUEST_BYTES + 1))
    for rest in (b"Content-Length: " + length + b"\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n" + chunk):
        async with Talk(parts) as talk:
            await talk.is_answered("413", talk.request(HEAD + rest))
            _same("the body of a request that is refused", talk.body, None)
    upload = HEAD.replace(b"/self-test", b"/rooms/1/files/")
    async with Talk(parts) as talk:
        talk.request(upload + b"Content-Length: %d\r\n\r\n" % UPLOAD_BYTES + b"x" * UPLOAD_BYTES)
        await talk.until("a file", lambda: talk.body is not None)
    async with Talk(parts) as talk:
        client = talk.request(upload + b"Content-Length: %d\r\n\r\nx" % (UPLOAD_BYTES + 1))
        await talk.is_answered("413", client)
    async with Talk(parts) as talk:
        client = talk.request(HEAD + b"Content-Length: 0\r\n\r\n")
        await talk.until("an answer", lambda: b" 204 " in client.raw)
        for _ in range(2):
            client.transport.write(b"x")
            talk.reactor.turn()
            talk.reactor.turn()
            talk.reactor.advance(REQUEST_SECONDS * 0.6)
        await talk.is_answered("408", client)


async def _ask(parts: Sequence[Part], peer: str, address: str) -> None:
    """A request that comes from `peer` is taken for one of `address`."""
    async with Talk(parts) as talk:
        talk.request(HEAD + b"Content-Length: 4\r\n\r\nbody", peer)
        await talk.until("a request", lambda: talk.body is not None)
        _same("the body of a request", talk.body, b"body")
        _same("the client's address", talk.scope["client"][0], address)
        _same("the path's prefix", talk.scope["root_path"], "")


def _same(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise SelfTestError(f"{what} is {got!r:.80}, not {expected!r:.80}")
