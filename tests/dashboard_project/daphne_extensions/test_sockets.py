"""The short way in for acknowledgements, beside the parser that takes all the rest."""

import asyncio
import hashlib
import zlib
from typing import Any

import daphne.server  # noqa: F401 (first, because it chooses the Twisted reactor)
import pytest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.testing import StringTransport

from dashboard_project.daphne_extensions import (
    close_codes,
    compression,
    frames,
    prepared_frames,
    socket_limits,
    socket_memory,
)
from dashboard_project.daphne_extensions.frames import short_text
from dashboard_project.daphne_extensions.prepared_frames import PreparedWriter, write_now
from dashboard_project.daphne_extensions.socket_memory import OF_THE_HANDSHAKE, Inbox

MASK = b"\x0a\xf0\x5c\x33"
ACK = '{"ack": 12}'


def frame(payload: bytes, first: int = 0x81) -> bytes:
    masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes((first, 0x80 | len(payload))) + MASK + masked


def deflated(payload: bytes) -> bytes:
    """As RFC 7692 has it: without the four bytes that end it."""
    compress = zlib.compressobj(wbits=-15)
    return (compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("text", ["", "a", ACK, "größer", "x" * 125])
@pytest.mark.parametrize("may_be_deflated", [False, True])
def test_a_short_text_is_read(text: str, may_be_deflated: bool) -> None:
    assert short_text(frame(text.encode()), may_be_deflated) == text


@pytest.mark.parametrize("text", ["", "a", ACK, "größer", "x" * 1024])
def test_a_compressed_one_is_read_where_that_was_agreed(text: str) -> None:
    compressed = frame(deflated(text.encode()), 0xC1)
    assert short_text(compressed, may_be_deflated=True) == text
    assert short_text(compressed) is None


@pytest.mark.parametrize(
    "payload",
    [deflated(b"x" * 1025), deflated(b"x" * 40_000), deflated(b"\xff"), b"\xff" * 8],
    ids=["too long", "a bomb", "no UTF-8", "not deflated"],
)
def test_a_compressed_one_that_is_none_is_left_to_the_parser(payload: bytes) -> None:
    assert short_text(frame(payload, 0xC1), may_be_deflated=True) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(b"x")[:-1],
        frame(b"x") + b"y",
        frame(b"x") * 2,
        frame(b"x", 0x01),
        frame(b"x", 0x82),
        frame(b"x", 0x89),
        frame(b"x", 0xC1),
        b"\x81\x01x",
        frame(b"\xff"),
    ],
    ids=["nothing", "a part", "more", "two", "a fragment", "binary", "a ping", "compressed", "unmasked", "no UTF-8"],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    assert short_text(data) is None


class SocketProtocol(
    socket_memory.Socket,
    compression.Socket,
    prepared_frames.Socket,
    socket_limits.Socket,
    close_codes.Socket,
    WebSocketProtocol,
):
    """A socket with every part replaced."""


class Server:
    """As much of Daphne's server as a socket asks for."""

    root_path = ""
    proxy_forwarded_address_header = None

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> "asyncio.Queue[dict[str, Any]]":
        return self.queue

    def protocol_connected(self, protocol: Any) -> None: ...

    def log_action(self, *what: Any) -> None: ...


class Transport(StringTransport):
    """A connection whose socket takes `room` bytes, and leaves the rest to Twisted."""

    _tempDataLen = offset = 0
    dataBuffer = b""
    connected = True

    def __init__(self) -> None:
        super().__init__()
        self.room = 1000
        self.socket = self
        self.sent = b""

    def unregisterProducer(self) -> None:
        self.producer = None  # a real one does not mind if there was none

    def send(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.sent, self.room = self.sent + taken, self.room - len(taken)
        return len(taken)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def offers() -> str:
    """Extensions that the client offers, as a header's line."""
    return ""


@pytest.fixture
def protocol(heard: list[str], offers: str) -> Any:
    """A socket after its handshake, that hears everything but what says `no`."""
    factory = WebSocketFactory(Server())
    factory.setProtocolOptions(
        failByDrop=False, perMessageCompressionAccept=compression.accept, maxMessagePayloadSize=5000
    )
    factory.protocol = SocketProtocol
    made: Any = factory.buildProtocol(None)
    made._raw_query_string = b""
    transport = Transport()
    transport.registerProducer(object(), True)  # as the HTTP channel does
    made.makeConnection(transport)
    made.dataReceived(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + offers.encode() + b"\r\n"
    )
    made.serverAccept()

    def hear(text: str) -> bool:
        heard.append(text)
        return text != "no"

    made.hear = hear
    return made


def test_what_comes_in_one_piece_is_heard_without_the_parser(
    protocol: Any, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "consumeData", lambda: pytest.fail("the parser was asked"))
    protocol.dataReceived(frame(ACK.encode()))
    assert heard == [ACK]


@pytest.mark.parametrize("cut", [1, 5, 6, 10])
def test_what_comes_in_two_pieces_is_heard_once(protocol: Any, heard: list[str], cut: int) -> None:
    whole = frame(ACK.encode())
    protocol.dataReceived(whole[:cut])
    protocol.dataReceived(whole[cut:])
    protocol.dataReceived(whole)
    assert heard == [ACK, ACK]


def test_a_piece_of_a_message_that_looks_like_a_whole_one_is_not_taken_for_one(protocol: Any, heard: list[str]) -> None:
    inner = frame(ACK.encode())
    outer = bytes((0x81, 0x80 | len(inner))) + bytes(4)
    protocol.dataReceived(outer)
    protocol.dataReceived(inner)  # the payload of the frame that began before
    assert heard == []
    assert protocol.state != protocol.STATE_OPEN  # it is no UTF-8


def test_the_parts_of_a_fragmented_message_are_put_together(protocol: Any, heard: list[str]) -> None:
    protocol.dataReceived(frame(b'{"ack"', 0x01))
    protocol.dataReceived(frame(b": 1}", 0x80))
    assert heard == ['{"ack": 1}']


def test_what_is_not_heard_comes_as_a_message(protocol: Any) -> None:
    protocol.dataReceived(frame(b"no"))
    queue = protocol.application_queue
    assert queue.get_nowait()["type"] == "websocket.connect"
    assert queue.get_nowait() == {"type": "websocket.receive", "text": "no"}
    assert queue.empty()


@pytest.mark.parametrize(("room", "sent", "left"), [(9, b"abc", b""), (2, b"ab", b"c"), (0, b"", b"abc")])
def test_what_the_socket_does_not_take_is_left_to_twisted(room: int, sent: bytes, left: bytes) -> None:
    transport = Transport()
    transport.room = room
    write_now(transport, b"abc")
    assert (transport.sent, transport.value()) == (sent, left)


@pytest.mark.parametrize("state", [{"_tempDataLen": 1}, {"dataBuffer": b"x"}, {"connected": False}])
def test_what_comes_after_something_that_waits_waits_too(state: dict[str, Any]) -> None:
    transport = Transport()
    transport.__dict__.update(state)
    write_now(transport, b"abc")
    assert (transport.sent, transport.value()) == (b"", b"abc")


def test_an_open_socket_holds_nothing_of_its_handshake(protocol: Any) -> None:
    assert not [name for name in vars(protocol) if name in OF_THE_HANDSHAKE]
    assert protocol.transport.producer is None
    assert repr(protocol)  # it is what a log would show
    protocol.dataReceived(frame(b"\x03\xe8", 0x88))  # and it can still be closed
    assert protocol.state != protocol.STATE_OPEN


def test_options_are_kept_once_for_all_sockets() -> None:
    class Socket(SocketProtocol):
        pass

    factory = WebSocketFactory(Server())
    factory.setProtocolOptions(maxFramePayloadSize=77)
    Socket.share_options(factory)
    made = Socket()
    made.factory = factory
    made.makeConnection(Transport())
    assert made.maxFramePayloadSize == 77
    assert "maxFramePayloadSize" not in vars(made)
    assert made.perMessageCompressionAccept is factory.perMessageCompressionAccept  # a function, not a method of it


async def test_an_inbox_gives_messages_in_order_and_waits_for_the_next() -> None:
    inbox = Inbox()
    inbox.put_nowait({"type": "first"})
    inbox.put_nowait({"type": "second"})
    assert inbox.qsize() == 2
    assert [(await inbox.get())["type"] for _ in range(2)] == ["first", "second"]
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put_nowait({"type": "third"})
    inbox.put_nowait({"type": "fourth"})
    assert (await waiting)["type"] == "third"
    assert inbox.qsize() == 1


async def test_who_stops_waiting_loses_no_message() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    waiting.cancel()
    inbox.put_nowait({"type": "kept"})
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await inbox.get())["type"] == "kept"


OFFERS = [
    pytest.param("", 0, id="none"),
    pytest.param("Sec-WebSocket-Extensions: permessage-deflate\r\n", 15, id="plain"),
    pytest.param("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", 15, id="of a browser"),
    pytest.param(
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n", 12, id="a small window"
    ),
    pytest.param(
        "Sec-WebSocket-Extensions: x-other, permessage-deflate; server_max_window_bits=9, permessage-deflate\r\n",
        9,
        id="several",
    ),
]
COMPRESSED = OFFERS[2].values[0]


@pytest.mark.parametrize(("offers", "window_bits"), OFFERS)
@pytest.mark.parametrize("length", [10, 3000, 70_000, 300_000])
def test_a_prepared_frame_is_what_the_client_can_read(protocol: Any, window_bits: int, length: int) -> None:
    said = protocol.transport.sent.decode()
    assert ("permessage-deflate; " in said and "client_no_context_takeover" in said) == bool(window_bits)
    assert protocol.window_bits == window_bits
    protocol.transport.room = 10**9
    writer = PreparedWriter(protocol)
    text = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(length // 64 + 1))
    for _ in range(2):  # what is compressed later does not build on what was before
        before = len(protocol.transport.sent)
        writer.write(writer.prepare(text, writer.window_bits))
        assert read(protocol.transport.sent[before:], window_bits) == text


def after_handshake(protocol: Any) -> bytes:
    sent: bytes = protocol.transport.sent
    return sent.partition(b"\r\n\r\n")[2]


def read(frame: bytes, window_bits: int) -> str:
    """Read one frame as a client does that agreed on `window_bits`, or on no compression."""
    assert frame[0] == (0xC1 if window_bits else 0x81)
    length = {126: 2, 127: 8}.get(frame[1], 0)
    assert (int.from_bytes(frame[2 : 2 + length], "big") if length else frame[1]) == len(frame) - 2 - length
    payload = frame[2 + length :]
    return (zlib.decompress(payload + frames.FLUSHED + b"\x03\x00", -window_bits) if window_bits else payload).decode()


@pytest.mark.parametrize("offers", [COMPRESSED])
@pytest.mark.parametrize("cut", [1, 6, 10])
def test_compressed_answers_are_heard_by_the_short_way_and_by_the_parser(
    protocol: Any, heard: list[str], cut: int
) -> None:
    whole = frame(deflated(ACK.encode()), 0xC1)
    protocol.dataReceived(whole)
    protocol.dataReceived(whole[:cut])
    protocol.dataReceived(whole[cut:])
    protocol.dataReceived(frame(ACK.encode()))
    assert heard == [ACK] * 3
    assert protocol._perMessageCompress._decompressor is None  # nothing of zlib's stays with a socket
    assert protocol._perMessageCompress._compressor is None


@pytest.mark.parametrize("offers", [COMPRESSED])
@pytest.mark.parametrize(
    ("payload", "code"), [(deflated(b"x" * 40_000), 1009), (b"\xff" * 8, 1007), (deflated(b"\xff"), 1007)]
)
def test_a_compressed_message_that_is_too_much_or_none_closes_the_socket(
    protocol: Any, heard: list[str], payload: bytes, code: int
) -> None:
    protocol.dataReceived(frame(payload, 0xC1))
    assert heard == []
    close = after_handshake(protocol)
    assert close[:4] == bytes((0x88, len(close) - 2)) + code.to_bytes(2, "big")


@pytest.mark.parametrize("offers", [COMPRESSED])
def test_what_one_socket_alone_is_sent_goes_without_a_compressor(protocol: Any) -> None:
    protocol.serverSend("a refusal")
    assert after_handshake(protocol) == b"\x81\x09a refusal"
    assert protocol._perMessageCompress._compressor is None
