"""The hub: one per process. It subscribes to each variant once, however many sockets show it."""

import asyncio
import os
import secrets
import time
from functools import cache
from typing import cast

import structlog
from channels.layers import get_channel_layer
from redis import RedisError

from consumers.stream import Stream, Viewer
from metrics.live import bus, events, snapshot, watchers
from metrics.live.bus import Message
from metrics.live.snapshot import Variant

log = structlog.get_logger(__name__)

LINGER_S = 30
"""How long a variant without viewers stays subscribed: pages that reload come back."""


class Hub:
    """The streams of this process, fed by the channel layer and kept right by comparing versions."""

    def __init__(self) -> None:
        self.process = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(3)}"
        self.streams: dict[Variant, Stream] = {}
        self._joining: dict[Variant, asyncio.Lock] = {}
        self._empty_since: dict[Variant, float] = {}
        self._channel: str | None = None
        self._naming = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._blind = False

    @property
    def sockets(self) -> int:
        return sum(len(stream.viewers) for stream in self.streams.values())

    async def join(self, variant: Variant, viewer: Viewer, epoch: str, version: int) -> Stream:
        """Let `viewer`, whose page shows `version` of `epoch`, see `variant` from now on."""
        self._start()
        lock = self._joining.setdefault(variant, asyncio.Lock())
        async with lock:
            stream = self.streams.get(variant)
            if stream is None:
                stream = self.streams[variant] = Stream(variant)
                await self._open(stream)
        self._empty_since.pop(variant, None)
        await stream.join(viewer, epoch, version)
        return stream

    def leave(self, stream: Stream, viewer: Viewer) -> None:
        stream.leave(viewer)
        if not stream.viewers:
            self._empty_since[stream.variant] = time.monotonic()

    # --- Keeping right ---------------------------------------------------------------------------------

    def _start(self) -> None:
        # Daphne has no lifespan events, so the first socket starts what all of them share.
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._keep())]

    async def _open(self, stream: Stream) -> None:
        """Subscribe first and read the snapshot then, so that nothing falls in between."""
        try:
            await self._subscribe(stream)
            await self._renew()
            stream.load(await snapshot.read(stream.variant))
            await self._refresh(stream.variant)
        except (RedisError, OSError) as error:
            self._blind = True
            log.warning("live pages wait for Redis", error=str(error))

    async def _receive(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        while True:
            try:
                message = cast(Message, await layer.receive(await self._own_channel()))
                stream = self.streams.get(Variant.parse(message["variant"]))
                if stream is not None and not stream.take(message):
                    stream.load(await snapshot.read(stream.variant))
            except (RedisError, OSError) as error:
                log.warning("live pages wait for Redis", error=str(error))
                await asyncio.sleep(1)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(watchers.RENEW_S)
            try:
                await self._look()
            except (RedisError, OSError) as error:
                # No pulse leaves meanwhile, so the pages say by themselves that they lost their connection.
                self._blind = True
                log.warning("live pages wait for Redis", error=str(error))
            except Exception:
                log.exception("the hub's round failed")

    async def _look(self) -> None:
        """One round: renew what is watched, heal what pub/sub lost, send pulses, let go of what nobody watches."""
        await self._close_unwatched()
        await self._renew()
        for stream in list(self.streams.values()):
            if self._blind:
                await self._subscribe(stream)
            await self._heal(stream)
        self._blind = False
        for stream in list(self.streams.values()):
            await stream.drop_stalled()
            await stream.pulse()

    async def _heal(self, stream: Stream) -> None:
        epoch, version = await snapshot.read_version(stream.variant)
        if (epoch, version) != (stream.epoch, stream.version):
            stream.load(await snapshot.read(stream.variant))
        if not epoch or self._blind:
            await self._refresh(stream.variant)

    async def _refresh(self, variant: Variant) -> None:
        await asyncio.to_thread(events.mark, variant, [events.ALL])

    async def _own_channel(self) -> str:
        """Return the one channel that every variant's group delivers to."""
        layer = get_channel_layer()
        assert layer is not None
        async with self._naming:
            self._channel = self._channel or cast(str, await layer.new_channel("hub."))
        return self._channel

    async def _subscribe(self, stream: Stream) -> None:
        layer = get_channel_layer()
        assert layer is not None
        await layer.group_add(bus.group(stream.variant), await self._own_channel())

    async def _renew(self) -> None:
        await watchers.renew(self.process, self.streams, self.sockets, time.time())

    async def _close_unwatched(self) -> None:
        layer = get_channel_layer()
        assert layer is not None
        for variant, since in list(self._empty_since.items()):
            if time.monotonic() - since > LINGER_S:
                del self._empty_since[variant], self.streams[variant]
                await layer.group_discard(bus.group(variant), await self._own_channel())


@cache
def hub() -> Hub:
    """Return this process's hub."""
    return Hub()
