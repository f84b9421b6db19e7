"""Memory saved per open socket: most of what Daphne and its libraries keep was for the handshake."""

import asyncio
from collections.abc import Sequence
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any, ClassVar

from autobahn.websocket.protocol import TrafficStats, WebSocketProtocol

OF_THE_HANDSHAKE = (
    "http_request_data", "http_status_line", "http_headers", "http_request_uri", "http_request_path",
    "http_request_params", "http_request_host", "http_response_data", "websocket_protocols", "websocket_origin",
    "websocket_extensions", "websocket_extensions_in_use", "_wskey", "_raw_query_string", "request", "clean_headers",
    "server_addr", "root_path", "protocol_to_accept", "application_deferred",
    "_transport_details", "trafficStats", "send_queue",
)  # fmt: skip


def extend(server: Any) -> None:
    server.ws_factory.protocol.share_options(server.ws_factory)


def create_application(server: Any, protocol: Any, scope: dict[str, Any]) -> "Inbox":
    """Run the application for a socket as Daphne does, with a queue that weighs less; return the queue."""
    scope.setdefault("asgi", {"version": "3.0"})
    inbox = Inbox()
    running = server.application(scope=scope, receive=inbox.get, send=partial(server.handle_reply, protocol))
    server.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
    return inbox


class Socket:
    """A socket whose instance holds nothing that all others have as well, and nothing of its handshake."""

    CONFIG_ATTRS: ClassVar[Sequence[str]] = (
        *WebSocketProtocol.CONFIG_ATTRS_COMMON,
        *WebSocketProtocol.CONFIG_ATTRS_SERVER,
    )
    request = SimpleNamespace(path="")  # Daphne names it to a log that we don't keep
    send_queue: ClassVar[Any] = ()  # nothing is ever queued: Daphne sends nothing in pieces
    trafficStats = TrafficStats()  # nobody reads them

    @classmethod
    def share_options(cls, factory: Any) -> None:
        """Keep the factory's options once, where autobahn copies all of them into each socket that has none."""
        for name in cls.CONFIG_ATTRS:
            value = getattr(factory, name)
            setattr(cls, name, staticmethod(value) if isinstance(value, FunctionType) else value)
        cls.CONFIG_ATTRS = ()

    def onOpen(self) -> None:
        super().onOpen()  # type: ignore[misc]
        lighten(self)


def lighten(protocol: Any) -> None:
    """Let go of what only the handshake needed."""
    for name in OF_THE_HANDSHAKE:
        protocol.__dict__.pop(name, None)
    protocol.__dict__ = dict(protocol.__dict__)  # a dict from which much was taken stays as large as it was
    # The HTTP channel, and with it the request, is held by nothing but this. It would also stop reading from one that
    # reads slowly, and so never hear that it has caught up.
    protocol.transport.unregisterProducer()


class Inbox:
    """The messages of one socket: a queue for a single reader, which weighs a tenth of asyncio's."""

    __slots__ = ("_messages", "_waiter")

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._waiter: asyncio.Future[None] | None = None

    def qsize(self) -> int:
        return len(self._messages)

    def put_nowait(self, message: dict[str, Any]) -> None:
        self._messages.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> dict[str, Any]:
        while not self._messages:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._messages.pop(0)
