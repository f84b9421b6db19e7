"""`python -m benchmarks.servers.tutorial PORT URL LAYER`: what tutorials teach, on the same Daphne.

A consumer per socket, each with a channel of its own in one group, and `group_send` from elsewhere.
"""

import sys
from typing import Any

from benchmarks.servers.pace import Pace

GROUP = "dashboard"
LAYERS = {"core": "channels_redis.core.RedisChannelLayer", "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer"}


def configure(url: str, layer: str) -> None:
    """Set up as little of Django as Channels needs."""
    from django.conf import settings

    config = {"hosts": [url]}
    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": LAYERS[layer], "CONFIG": config}})


def main() -> None:
    from daphne.server import Server

    port, url, layer = sys.argv[1:]
    configure(url, layer)
    from channels.generic.websocket import AsyncWebsocketConsumer

    class DashboardConsumer(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.channel_layer.group_add(GROUP, self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(GROUP, self.channel_name)

        async def update(self, event: dict[str, Any]) -> None:
            await self.send(text_data=event["html"])

    Pace()  # only to end with its stdin
    endpoint = f"tcp:port={port}:interface=127.0.0.1:backlog=2048"
    Server(DashboardConsumer.as_asgi(), endpoints=[endpoint], websocket_timeout=-1).run()


if __name__ == "__main__":
    main()
