"""The logs that this process shows: each is subscribed once, and compared with the database now and then."""

import time
from collections.abc import Callable, Sequence

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError
from redis import RedisError

from consumers.channel import Channel
from consumers.log_stream import LogStream
from metrics.actions import logs as log_actions
from metrics.live.bus import Appended
from metrics.live.topic import Topic

log = structlog.get_logger(__name__)

COMPARE_S = 10.0
"""How often logs are compared with the database, should a message have been lost that no later one tells of."""


class Logs:
    """Logs by their topic. `starve` is called when Redis does not answer."""

    def __init__(self, channel: Channel, starve: Callable[[Exception], None]) -> None:
        self.streams: dict[Topic, LogStream] = {}
        self._channel = channel
        self._starve = starve
        self._compared = 0.0

    async def open(self, topic: Topic) -> None:
        """Open the log of `topic`, subscribed and compared as far as Redis and the database answer."""
        stream = self.streams[topic] = LogStream(topic)
        try:
            await self._channel.hear_processes()
            await self._subscribe(stream)
        except (RedisError, OSError) as error:
            self._starve(error)
        await self.compare([stream])

    def take(self, message: Appended) -> None:
        """Hand entries over to their log, if it is shown here."""
        if stream := self.streams.get(Topic.parse(message["topic"])):
            stream.take(message["entries"])

    def lose(self) -> None:
        """Note that messages may have been lost."""
        for stream in self.streams.values():
            stream.subscribed = False

    async def keep(self) -> bool:
        """Subscribe anew to logs that Redis forgot; compare with the database now and then, and after that.

        Return whether it was compared. Raises RedisError or OSError.
        """
        lost = [stream for stream in self.streams.values() if not stream.subscribed]
        for stream in lost:
            await self._subscribe(stream)
        if not lost and time.monotonic() - self._compared < COMPARE_S:
            return False
        self._compared = time.monotonic()
        await self.compare(list(self.streams.values()))
        return True

    async def _subscribe(self, stream: LogStream) -> None:
        await self._channel.subscribe(stream.topic)
        stream.subscribed = True

    async def compare(self, streams: Sequence[LogStream]) -> None:
        """Have each of `streams` read on if the database has newer entries; one query for all of them."""
        if not streams:
            return
        ask = database_sync_to_async(log_actions.newest, thread_sensitive=False)
        try:
            newest = await ask([one.topic for one in streams])
        except DatabaseError as error:
            log.warning("logs were not compared", error=str(error))
            return
        for one in streams:
            one.learn(newest[one.topic])
