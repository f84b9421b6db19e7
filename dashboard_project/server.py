"""`python -m dashboard_project.server`: Daphne as this installation needs it.

Listens on HOST and PORT with a backlog that survives every screen reconnecting at once, never ends a
WebSocket for its age, believes a proxy's headers only when PUBLIC_URL says that there is one, writes one
prepared frame to every socket, and on SIGTERM sends its sockets away bit by bit before it goes.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django
from autobahn.websocket.protocol import PreparedMessage
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from consumers.limits import Allowance
from dashboard_project import addresses
from dashboard_project.requests import bound_requests

LISTEN_BACKLOG = 2048
DRAIN_S = 3.0
STOPS_AFTER_S = 9.0
INCOMING_BYTES = 64 * 1024
INCOMING_WAITING = 200


class PreparedWriter:
    """What `consumers.outlet` is offered for one socket: frames that are made once and written as they are.

    Twisted would queue each, watch the socket, and write it in the next round of the loop, which costs three system
    calls. Nearly always the socket takes all at once, and one call will do.
    """

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def listen(self, hear: Callable[[str], bool]) -> None:
        """Have `hear` get each text, without Daphne's queue and a task per socket in between."""
        self._protocol.hear = hear

    @staticmethod
    def prepare(text: str) -> bytes:
        """Return `text` as a WebSocket frame."""
        message = PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)
        frame: bytes = message.payloadHybi
        return frame

    def write(self, frame: bytes) -> None:
        """Write a frame that `prepare` made; nothing, if the socket is closing."""
        protocol = self._protocol
        if protocol.state != protocol.STATE_OPEN:
            return
        transport = protocol.transport
        sent = 0
        if not transport._tempDataLen and len(transport.dataBuffer) == transport.offset:  # else it waits already
            try:
                sent = transport.socket.send(frame)
            except OSError:  # its buffer is full, or it is gone: Twisted knows what to do with either
                sent = 0
        if sent < len(frame):
            transport.write(frame[sent:])


class SocketProtocol(WebSocketProtocol):
    """Daphne's WebSocket with every close code, and deaf to a client that sends faster than it is heard."""

    muted: bool
    hear: Callable[[str], bool] | None = None
    pings: Allowance

    def onOpen(self) -> None:
        self.pings = Allowance()
        super().onOpen()

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


class WebServer(Server):
    """Daphne's server, quiet, with this installation's options."""

    def __init__(self, application: Any, host: str, port: int, behind_proxy: bool) -> None:
        super().__init__(
            application=application,
            endpoints=[addresses.endpoint(host, port, LISTEN_BACKLOG)],
            signal_handlers=False,
            websocket_timeout=-1,
            websocket_max_message_size=INCOMING_BYTES,
            websocket_max_frame_size=INCOMING_BYTES,
            ready_callable=self._ready,
            proxy_forwarded_address_header="X-Forwarded-For" if behind_proxy else None,
            proxy_forwarded_port_header="X-Forwarded-Port" if behind_proxy else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if behind_proxy else None,
            server_name="",
        )
        self._address = f"{host}:{port}"
        self._ports: list[Any] = []
        self._draining: asyncio.Task[None] | None = None

    def _ready(self) -> None:
        bound_requests(self.http_factory)
        self.ws_factory.protocol = SocketProtocol
        self.ws_factory.setProtocolOptions(failByDrop=False)  # who breaks the protocol is told how
        loop = asyncio.get_event_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "websocket":
            scope.setdefault("extensions", {})["watchfloor.prepared"] = PreparedWriter(protocol)
        return super().create_application(protocol, scope)

    def _asked_to_stop(self) -> None:
        if self._draining is None:
            self._draining = asyncio.get_event_loop().create_task(self._drain())
        else:  # asked twice: at once
            self.stop()

    async def _drain(self) -> None:
        """Take no new connections, tell the open pages to come back elsewhere, and stop."""
        from consumers.hub import hub

        asyncio.get_running_loop().call_later(STOPS_AFTER_S, self.stop)
        for port in self._ports:
            port.stopListening()
        await hub().drain(DRAIN_S)
        await asyncio.sleep(0.5)  # the last close frames are on their way
        self.stop()

    def listen_success(self, port: Any) -> None:
        self._ports.append(port)
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        """Say in one sentence why the address can't be listened on, and stop."""
        reason = getattr(failure.value, "socketError", failure.value)
        words = getattr(reason, "strerror", None) or str(reason)
        print(f"watchfloor: {self._address} can't be listened on ({words.lower()}).", file=sys.stderr)
        self.stop()


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(f"watchfloor: {error}", file=sys.stderr)
        return 1
    from dashboard_project.asgi import application

    server = WebServer(application, settings.HOST, settings.PORT, behind_proxy=bool(settings.PUBLIC_URL))
    server.run()
    return 1 if server.abort_start else 0


if __name__ == "__main__":
    sys.exit(main())
