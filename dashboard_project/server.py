"""`python -m dashboard_project.server`: Daphne as this installation needs it.

Listens on HOST and PORT, or on a socket that it was given, with a backlog that survives every screen
reconnecting at once, never ends a WebSocket for its age, believes a proxy's headers only when PUBLIC_URL says that
there is one, writes one prepared frame to every socket, and on SIGTERM sends its sockets away bit by bit before it
goes, once another listens.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from importlib import import_module
from typing import Any

from dashboard_project import handover  # first, because Twisted takes what systemd says out of the environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dashboard_project import addresses, prepared
from dashboard_project.daphne_extensions import ExtendedServer  # before Twisted, because it chooses the reactor

from twisted.internet import reactor  # isort: skip

LISTEN_BACKLOG = 2048
SUCCESSOR_S = 6.0
DRAIN_S = 2.0
STOPS_AFTER_S = 9.0
INCOMING_BYTES = 64 * 1024


class WebServer(ExtendedServer):
    """Daphne's server, quiet, with this installation's options."""

    def __init__(self, application: Any, listener: socket.socket, behind_proxy: bool) -> None:
        super().__init__(
            request_seconds=settings.REQUEST_SECONDS,
            request_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            upload_bytes=settings.FILE_LIMIT_BYTES + 1024 * 1024,  # above the limit, so that the answer names it
            behind_proxy=behind_proxy,
            ready=self._listen,
            application=application,
            endpoints=[listener],
            signal_handlers=False,
            websocket_timeout=-1,
            websocket_max_message_size=INCOMING_BYTES,
            websocket_max_frame_size=INCOMING_BYTES,
            server_name="",
        )
        self.endpoints.clear()  # there has to be one, but Twisted has no words for a socket of IPv6 that is there
        self._listener = listener
        self._port: Any = None
        self._line = handover.Line()
        self._draining: asyncio.Task[None] | None = None

    def _listen(self) -> None:
        from dashboard_project import warm

        loop = asyncio.get_event_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        self._listener.setblocking(False)
        self._port = reactor.adoptStreamPort(self._listener.fileno(), self._listener.family, self.http_factory)
        self._line.say(handover.LISTENING)
        warm.begin()

    def _asked_to_stop(self) -> None:
        if self._draining is None:
            self._draining = asyncio.get_event_loop().create_task(self._drain())
        else:  # asked twice: at once
            self.stop()

    async def _drain(self) -> None:
        """Wait for the one that takes over, take no new connections, tell the open pages to come back, and stop."""
        from consumers.hub import hub

        asyncio.get_running_loop().call_later(STOPS_AFTER_S, self.stop)
        self._line.say(handover.LEAVING)
        await self._line.hung_up(SUCCESSOR_S)
        self._port.stopListening()
        await hub().drain(DRAIN_S)
        await asyncio.sleep(0.5)  # the last close frames are on their way
        self.stop()


def collect_garbage_rarely() -> None:
    """Leave the program itself out of garbage collection, and collect less often.

    Ten thousand open sockets are a few hundred thousand objects that live for months. To look through all of them each
    time that some hundreds more were made took a third of the time of taking pings.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def import_all() -> None:
    """Import what the first requests need. It asks for nothing that has to be prepared."""
    for module in ("consumers.routing", "dashboard_project.urls", "metrics.api.fast_path"):
        import_module(module)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        django.setup()
    except ImproperlyConfigured as error:
        print(f"watchfloor: {error}", file=sys.stderr)
        return 1
    import_all()
    prepared.wait()
    try:
        listener = handover.inherited_listener() or addresses.bound(settings.HOST, settings.PORT)
        listener.listen(LISTEN_BACKLOG)
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        print(f"watchfloor: {settings.HOST}:{settings.PORT} can't be listened on ({words}).", file=sys.stderr)
        return 1
    from dashboard_project.asgi import application

    collect_garbage_rarely()
    server = WebServer(application, listener, behind_proxy=bool(settings.PUBLIC_URL))
    server.run()
    return 1 if server.abort_start else 0


if __name__ == "__main__":
    sys.exit(main())
