"""Servers that stand between a source and its server, or in its place: they encrypt, freeze, or talk nonsense."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""PostgreSQL's "may we encrypt?"; see https://www.postgresql.org/docs/current/protocol-flow.html"""


class Between:
    """Passes on what is said to `port` of this machine and back.

    With `freeze_on`, it stops passing anything on once the client says that. With `tls` it
    speaks that with the client; `asked` is what a client says first to begin it, and is answered with S.
    """

    def __init__(
        self, port: int, *, freeze_on: bytes = b"", tls: ssl.SSLContext | None = None, asked: bytes = SSL_REQUEST
    ) -> None:
        self._target, self._freeze_on, self._context, self._asked = port, freeze_on, tls, asked
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in self._open:
            one.close()

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._open.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            if self._context:
                if self._asked:
                    assert client.recv(len(self._asked), socket.MSG_WAITALL) == self._asked
                    client.sendall(b"S")
                client = self._context.wrap_socket(client, server_side=True)
                self._open.append(client)
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open.append(server)
            self._start(self._pass_on, server, client, b"")
            self._pass_on(client, server, self._freeze_on)

    def _pass_on(self, source: socket.socket, target: socket.socket, freeze_on: bytes) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if freeze_on and freeze_on in data:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def speaking(*lines: bytes) -> Iterator[int]:
    """Listen on a port; say the first of `lines` at once, and each other when the client said something."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            client, _ = server.accept()
            with client:
                client.settimeout(10)
                for number, line in enumerate(lines):
                    if number:
                        client.recv(65536)
                    client.sendall(line)
                while client.recv(65536):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(12)
