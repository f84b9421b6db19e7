"""A lean load generator: thousands of WebSocket clients in one thread, by epoll and one buffer.

Frames are walked by their headers (RFC 6455, section 5.2). Only one in `SAMPLED` is looked into, for the time it
was sent; and the version is read only where the page would acknowledge it: after 64 KiB or two seconds.
"""

import base64
import os
import re
import select
import socket
import time
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

SAMPLED = 16
ACK_EVERY_S = 2.0
ACK_BYTES = 64 * 1024
TAIL_BYTES = 700  # the end of a fragment, with the time it was sent, and the pulse
SENT = re.compile(rb'data-sent="([0-9.]+)"')
VERSION = re.compile(rb'data-version="(\d+)"')
PING, CLOSE = 0x9, 0x8


def handshake(path: str, token: str = "", deflate: bool = False) -> bytes:
    """Return the request that opens a WebSocket, and offers compression as a browser does if `deflate`."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"] if deflate else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def inflated(payload: bytes) -> bytes:
    """Return what a frame holds that was compressed without context takeover (RFC 7692)."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\x00\x00\xff\xff")


def client_frame(opcode: int, payload: bytes) -> bytes:
    """Return a short frame as clients send it: masked, with a mask of zeros, which changes nothing."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


class Client:
    """One open socket. `left` bytes of a frame are still to come, or `head` holds part of its header.

    `tail` is the end of the newest frame, `owed` the bytes since the last acknowledgement, and `waiting` whether a
    time for the next one is set.
    """

    __slots__ = ("frames", "head", "left", "owed", "sock", "tail", "waiting")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.left = 0
        self.head = self.tail = b""
        self.frames = self.owed = 0
        self.waiting = False


@dataclass
class Counts:
    """Totals that all sockets together were sent in `seconds`; `latencies_s` of the sampled frames.

    `marked` is how often the mark came that the swarm counts, but for those that came in two pieces.
    """

    seconds: float = 0.0
    frames: int = 0
    marked: int = 0
    size_bytes: int = 0
    latencies_s: list[float] = field(default_factory=list)


class Swarm:
    """`refused` sockets never opened, or were closed again: `lost` of them after they had opened."""

    def __init__(
        self,
        port: int,
        path: str,
        token: str = "",
        acknowledge: bool = False,
        deflate: bool = False,
        sent: re.Pattern[bytes] = SENT,
        mark: bytes = b"",
    ) -> None:
        self.refused = self.lost = 0
        self.clients: dict[int, Client] = {}
        self._address = ("127.0.0.1", port)
        self._path, self._token, self._acknowledge, self._deflate = path, token, acknowledge, deflate
        self._sent, self._mark = sent, mark
        self._epoll = select.epoll()
        self._bytes = bytearray(1 << 20)
        self._buffer = memoryview(self._bytes)
        self._counts = Counts()
        self._waiting: deque[tuple[float, Client]] = deque()

    def connect(self, count: int, within_s: float = 60, at_once: int = 50) -> None:
        """Open `count` sockets, `at_once` at a time; what does not open in time is refused."""
        until = time.monotonic() + within_s
        for first in range(0, count, at_once):
            opening = [self._open() for _ in range(min(at_once, count - first))]
            for sock in opening:
                if sock is not None and self._opened(sock, until):
                    self.clients[sock.fileno()] = Client(sock)
                    self._epoll.register(sock.fileno(), select.EPOLLIN)
                else:
                    self.refused += 1

    def read_first(self, within_s: float = 30) -> None:
        """Read until every socket was sent a frame; close and refuse those that were sent none."""
        until = time.monotonic() + within_s
        while time.monotonic() < until and any(not client.frames for client in self.clients.values()):
            self.read(0.1)
        for client in [one for one in self.clients.values() if not one.frames]:
            self._lose(client)

    def read(self, for_s: float) -> Counts:
        """Read what comes for `for_s` seconds and return the counts of that time."""
        counts = self._counts = Counts()
        began = now = time.monotonic()
        clients, receive = self.clients, self._receive
        while now < began + for_s:
            for fd, _ in self._epoll.poll(min(0.05, began + for_s - now), 1024):
                receive(clients[fd], now)
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                client = self._waiting.popleft()[1]
                client.waiting = False
                self._confirm(client)
        counts.seconds = now - began
        return counts

    def close(self) -> None:
        for client in self.clients.values():
            client.sock.close()
        self.clients.clear()
        self._epoll.close()

    def _open(self) -> socket.socket | None:
        sock = socket.socket()
        try:
            sock.settimeout(5)
            sock.connect(self._address)
            sock.sendall(handshake(self._path, self._token, self._deflate))
            return sock
        except OSError:
            sock.close()
            return None

    def _opened(self, sock: socket.socket, until: float) -> bool:
        try:
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):  # byte by byte at the end, so that no frame is taken with it
                sock.settimeout(max(0.01, until - time.monotonic()))
                ready = sock.recv(4096, socket.MSG_PEEK)
                end = (answer + ready).find(b"\r\n\r\n")
                piece = sock.recv(len(ready) if end < 0 else end + 4 - len(answer))
                answer += piece
                if not piece:
                    break
            sock.setblocking(False)
            if b" 101 " in answer.partition(b"\r\n")[0]:
                return True
        except OSError:
            pass
        sock.close()
        return False

    def _lose(self, client: Client) -> None:
        del self.clients[client.sock.fileno()]
        client.sock.close()  # and epoll forgets it
        self.lost += 1
        self.refused += 1

    def _receive(self, client: Client, now: float) -> None:
        buffer, start = self._buffer, len(client.head)
        try:
            if start:
                buffer[:start] = client.head
                size = client.sock.recv_into(buffer[start:])
            else:
                size = client.sock.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            return self._lose(client)
        client.head = b""
        if self._mark:
            self._counts.marked += self._bytes.count(self._mark, 0, start + size)
        self._walk(client, start + size, now)
        return None

    def _walk(self, client: Client, size: int, now: float) -> None:
        """Count the frames that end in the first `size` bytes of the buffer."""
        buffer, at, frames, counts = self._buffer, client.left, 0, self._counts
        ends = client.left > 0  # a frame began earlier
        began = last_began = last_end = 0
        while at <= size:
            if ends:
                frames, last_end, last_began = frames + 1, at, began
                if (counts.frames + frames) % SAMPLED == 0:
                    sent = self._sent.search(self._bytes, max(0, at - TAIL_BYTES), at)
                    if sent:
                        counts.latencies_s.append(time.time() - float(sent[1]))
            header = (
                4 if at + 1 < size and buffer[at + 1] == 126 else 10 if at + 1 < size and buffer[at + 1] == 127 else 2
            )
            if at + header > size:
                client.head, at = bytes(buffer[at:size]), size
                break
            length = buffer[at + 1] if header == 2 else int.from_bytes(buffer[at + 2 : at + header], "big")
            opcode, at = buffer[at] & 0xF, at + header
            began = at
            ends = opcode < CLOSE
            if opcode == PING and at + length <= size:
                self._send(client, 0xA, bytes(buffer[at : at + length]))
            at += length
        client.left = at - size
        client.frames += frames
        counts.frames += frames
        counts.size_bytes += size
        if self._acknowledge and last_end:
            if not self._deflate:
                client.tail = bytes(buffer[max(0, last_end - TAIL_BYTES) : last_end])
            elif last_began:  # one that began in an earlier piece can't be read
                client.tail = bytes(buffer[last_began:last_end])
            client.owed += size
            if client.owed >= ACK_BYTES:
                self._confirm(client)
            elif not client.waiting:
                client.waiting = True
                self._waiting.append((now + ACK_EVERY_S, client))

    def _confirm(self, client: Client) -> None:
        if not client.owed:  # it was confirmed for its size meanwhile
            return
        client.owed = 0
        tail = inflated(client.tail) if self._deflate and client.tail else client.tail
        if versions := VERSION.findall(tail):
            self._send(client, 0x1, b'{"ack": %s}' % versions[-1])

    @staticmethod
    def _send(client: Client, opcode: int, payload: bytes) -> None:
        with suppress(OSError):  # a server that is behind; the next one will do
            client.sock.send(client_frame(opcode, payload))
