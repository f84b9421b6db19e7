"""Routes: the consumer of each WebSocket path."""

from collections.abc import Iterable
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from consumers import extensions, query_tokens
from consumers.alert_log import AlertsConsumer
from consumers.codes import NO_SUCH_THING
from consumers.dashboard import DashboardConsumer
from consumers.log import NotificationsConsumer, RoomConsumer
from consumers.screen import ScreenConsumer


async def no_such_thing(scope: Any, receive: Any, send: Any) -> None:
    """Accept and close with 4404: a client can read that, but not a refused handshake."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NO_SUCH_THING})


OURS = [
    path("ws/dashboards/<slug:slug>/", DashboardConsumer.as_asgi()),
    path("ws/screen/", ScreenConsumer.as_asgi()),
    path("ws/rooms/<int:id>/", RoomConsumer.as_asgi()),
    path("ws/alerts/", AlertsConsumer.as_asgi()),
    path("ws/notifications/", NotificationsConsumer.as_asgi()),
]


def router(own: Iterable[str]) -> Any:
    """Return the ASGI application for sockets, with the extensions of the installation's `own`."""
    return query_tokens.refused(URLRouter([*OURS, *extensions.routes(own), re_path("", no_such_thing)]))  # type: ignore[arg-type]
