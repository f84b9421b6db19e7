"""The dashboard consumer: one socket of one variant. It lets in, joins the hub, and hears acknowledgements."""

import json
from typing import Any
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from consumers.access import NO_ACCESS, NO_SUCH_THING, origin_allowed, refusal
from consumers.hub import hub
from consumers.stream import Stream, Viewer
from metrics.live.snapshot import Variant
from metrics.widgets.ranges import RANGES_S

BAD_MESSAGE = 1008


class DashboardConsumer(AsyncWebsocketConsumer):
    """`/ws/dashboards/<slug>/?range=1h&epoch=…&version=…`: frames of HTML down, `{"ack": version}` up."""

    # The hub is subscribed for all sockets; a channel of its own for each would be a subscription each.
    channel_layer_alias = ""

    stream: Stream | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without Channels' look at idle database connections, a thread hop per message."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self._disconnected,
        }[message["type"]]
        await handler(message)

    async def connect(self) -> None:
        # A browser can't tell a refused handshake from a dead server: so accept, and then say why not.
        await self.accept()
        slug = self.scope["url_route"]["kwargs"]["slug"]
        asked = {name: values[-1] for name, values in parse_qs(self.scope["query_string"].decode("latin-1")).items()}
        code = await self._refusal(slug, asked.get("range", ""))
        if code is not None:
            await self.close(code)
            return
        self.viewer = Viewer(self._send, self.close)
        version = asked.get("version", "")
        self.stream = await hub().join(
            Variant(slug, asked["range"]),
            self.viewer,
            asked.get("epoch", ""),
            int(version) if version.isdecimal() and len(version) < 16 else 0,
        )

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.stream is None:
            return
        version = _acknowledged(text_data)
        if version is None:
            await self.close(BAD_MESSAGE)
        else:
            await self.stream.acknowledge(self.viewer, version)

    async def _disconnected(self, message: dict[str, Any]) -> None:
        if self.stream is not None:
            hub().leave(self.stream, self.viewer)
        raise StopConsumer

    async def _refusal(self, slug: str, range: str) -> int | None:
        if not origin_allowed(self.scope):
            return NO_ACCESS
        if range not in RANGES_S:
            return NO_SUCH_THING
        return await refusal(self.scope, slug)

    async def _send(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})


def _acknowledged(text: str | None) -> int | None:
    """Return the version of `{"ack": version}`, None for anything else."""
    try:
        version = json.loads(text or "")["ack"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return version if isinstance(version, int) else None
