"""A wire between a client and a server that a test can cut: nothing gets through then, and nothing is closed."""

import select
import socket
import threading
from types import TracebackType
from typing import Self


class Wire:
    """Forwards connections to `port` of this machine; `cut` holds everything back until `mend`."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._open: list[socket.socket] = [self._listener]
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._whole.set()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._open += [client, server]
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        try:
            while not self._closing:
                for source in select.select([client, server], [], [], 0.2)[0]:
                    data = source.recv(65536)
                    self._whole.wait()
                    if not data:
                        return
                    other[source].sendall(data)
        except (OSError, ValueError):  # one end is gone
            return
        finally:
            client.close()
            server.close()
