"""The one channel of this process, which every group of the channel layer delivers to."""

import asyncio
from typing import Any, cast

from channels.layers import get_channel_layer

from metrics.live import bus
from metrics.live.topic import Topic


class Channel:
    """Every method raises redis.RedisError or OSError when Redis does not answer."""

    def __init__(self) -> None:
        self._name = ""
        self._naming = asyncio.Lock()
        self._hears_processes = False

    async def subscribe(self, topic: Topic) -> None:
        await _layer().group_add(bus.group(topic), await self._own())

    async def unsubscribe(self, topic: Topic) -> None:
        await _layer().group_discard(bus.group(topic), await self._own())

    async def hear_processes(self) -> None:
        """Subscribe to messages for every process, unless that was done already."""
        if not self._hears_processes:
            await _layer().group_add(bus.PROCESSES, await self._own())
            self._hears_processes = True

    def lose(self) -> None:
        """Note that messages may have been lost: what is for every process is subscribed anew."""
        self._hears_processes = False

    async def receive(self) -> dict[str, Any]:
        return cast(dict[str, Any], await _layer().receive(await self._own()))

    async def _own(self) -> str:
        async with self._naming:
            if not self._name:
                self._name = cast(str, await _layer().new_channel("hub."))
        return self._name


def _layer() -> Any:
    layer = get_channel_layer()
    assert layer is not None
    return layer
