"""`python -m dashboard_project.server`: Daphne as this installation needs it.

Listens on HOST and PORT with a backlog that survives every screen reconnecting at once, never ends a
WebSocket for its age, and believes a proxy's headers only when PUBLIC_URL says that there is one.
"""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

import django
from daphne.server import Server
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from dashboard_project import addresses

LISTEN_BACKLOG = 2048


class WebServer(Server):
    """Daphne's server, quiet, with this installation's options."""

    def __init__(self, application: Any, host: str, port: int, behind_proxy: bool) -> None:
        super().__init__(
            application=application,
            endpoints=[addresses.endpoint(host, port, LISTEN_BACKLOG)],
            websocket_timeout=-1,
            proxy_forwarded_address_header="X-Forwarded-For" if behind_proxy else None,
            proxy_forwarded_port_header="X-Forwarded-Port" if behind_proxy else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if behind_proxy else None,
            server_name="",
        )
        self._address = f"{host}:{port}"

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
