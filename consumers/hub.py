"""The hub: one per process. It subscribes to each topic once, however many sockets show it."""

import asyncio
import math
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple, cast

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from redis import RedisError

from consumers import access_recheck, limits, viewer_status
from consumers.access_batcher import AccessBatcher
from consumers.alert_lists import AlertLists
from consumers.alerts import Alerts
from consumers.channel import Channel
from consumers.codes import RESTART, TOO_MANY, TRY_LATER
from consumers.extension_sockets import ExtensionSocket, ExtensionSockets
from consumers.frame import Frame, json_frame
from consumers.guard import Guard
from consumers.limits import CHOICES_OF_ALL, CHOICES_OF_ONE, MESSAGE_BYTES
from consumers.log_stream import LogStream
from consumers.logs import Logs
from consumers.presence import Presence
from consumers.sightings import KEPT_MOST
from consumers.stream import Stream
from consumers.tabs import Tabs
from consumers.unread import Unread
from consumers.viewer import Viewer
from metrics.actions import notice, notifications, sightings
from metrics.actions.sightings import Seen
from metrics.health import store as health
from metrics.health import traffic
from metrics.health.ages import Ages
from metrics.live import bus, marks, snapshot, watchers
from metrics.live.topic import PERSON, Topic, person
from metrics.redis_state import outage
from metrics.redis_state.round_trip import Commands, gather

log = structlog.get_logger(__name__)

LINGER_S = 30
"""How long a topic without viewers stays subscribed: pages that reload come back."""
ANSWERS_WITHIN_S = 6.0
"""A Redis that takes longer does not answer, and open pages are to hear that soon. A round may ask it many times."""


AnyStream = Stream | LogStream


class Membership(NamedTuple):
    """A viewer in its stream: what its consumer needs of the hub."""

    hub: "Hub"
    stream: AnyStream
    viewer: Viewer

    def acknowledge(self, version: int) -> None:
        if isinstance(self.stream, Stream):
            self.stream.acknowledge(self.viewer, version)

    def type(self) -> None:
        self.hub.presence.type(self.stream.topic, self.viewer)

    def leave(self) -> None:
        self.hub.leave(self.stream, self.viewer)


class Hub:
    """The streams of this process, fed by the channel layer and kept right by comparing versions."""

    def __init__(self) -> None:
        self.process = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(3)}"
        self.streams: dict[Topic, Stream] = {}
        self._channel = Channel()
        self.logs = Logs(self._channel, self._starve)
        self.presence = Presence(self.logs, self.process)
        self.batcher = AccessBatcher()
        self._holders: Counter[str] = Counter()
        self.tabs = Tabs()
        self.unread = Unread(self.tabs)
        self._unstored: list[Seen] = []
        self.lists = AlertLists()
        self.alerts = Alerts(self._every_stream, self.lists)
        self._hearing: dict[str, Callable[[Any], None]] = {
            bus.RECHECK: self._doubt,
            bus.PERSONAL: self.tabs.hand_over,
            bus.UNREAD: self.unread.hear,
            bus.NOTIFIED: self._notify,
            bus.ALERTS: self.alerts.hear,
            bus.ENTRY: self._append,
        }
        self.guard = Guard(self._recheck)
        self.extensions = ExtensionSockets()
        self._openers: dict[Topic, str] = {}
        self._changing: dict[Topic, asyncio.Task[None]] = {}
        self._empty_since: dict[Topic, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._marks = Ages()
        self._renewed = 0.0
        self._limit: asyncio.Timeout | None = None

    def viewers(self) -> list[tuple[AnyStream, Viewer]]:
        """Return every open socket of this process."""
        return [(stream, viewer) for stream in self._every_stream() for viewer in stream.viewers]

    def _every_stream(self) -> list[AnyStream]:
        return [*self.streams.values(), *self.logs.streams.values()]

    async def join(self, topic: Topic, viewer: Viewer, epoch: str, version: int) -> Membership | None:
        """Let `viewer`, whose page shows `version` of `epoch`, see `topic` from now on.

        Closes it and returns None when this process has as many sockets as it may, in all or of the same holder; or
        when it would be the first to watch one more choice of variables than there may be.
        """
        self._start()
        if topic.chosen and not await self._may_open(topic, viewer.who.holder):
            viewer.outlet.close(TOO_MANY)
            return None
        stream = cast(Stream, await self._opened(topic))
        if not self._admits(topic, viewer):
            return None
        _greet(viewer, topic, MESSAGE_BYTES, epoch=stream.epoch, version=stream.version)
        stream.join(viewer, epoch, version)
        return Membership(self, stream, viewer)

    async def follow(
        self,
        topic: Topic,
        viewer: Viewer,
        after: int | None,
        message_bytes: int = MESSAGE_BYTES,
        first: Sequence[Frame] = (),
    ) -> Membership | None:
        """Let `viewer` see the log `topic` from the entry after the number `after` on; None is from now on.

        It gets the frames `first` before any entry.
        Closes it and returns None as `join` does.
        """
        self._start()
        stream = cast(LogStream, await self._opened(topic))
        if after is not None and after > stream.newest:  # another process told it of what was lost on the way to this
            await self.logs.compare([stream])
            stream = cast(LogStream, await self._opened(topic))
        if not stream.fed:  # the database does not answer
            viewer.outlet.close(TRY_LATER)
            return None
        if not self._admits(topic, viewer):
            return None
        _greet(viewer, topic, message_bytes, newest=stream.newest)
        stream.join(viewer, stream.newest if after is None else after, first)
        return Membership(self, stream, viewer)

    @contextmanager
    def guarding(self, socket: ExtensionSocket) -> Iterator[None]:
        """Have the access of a socket that is not ours looked at again, as long as it is open."""
        self._start()
        with self.extensions.opened(socket):
            yield

    async def _may_open(self, topic: Topic, holder: str) -> bool:
        """Return whether `holder` may be the first to watch a choice of variables, which is drawn from then on."""
        if topic in self._openers:
            return True
        if sum(one == holder for one in self._openers.values()) >= CHOICES_OF_ONE:
            return False
        self._openers[topic] = holder
        try:
            others = [one for one in await watchers.choices(time.time()) if one != topic]
        except (RedisError, OSError):  # it is drawn once Redis answers
            return True
        if len(others) < CHOICES_OF_ALL:
            return True
        if topic not in self.streams:
            del self._openers[topic]
        return False

    def _admits(self, topic: Topic, viewer: Viewer) -> bool:
        """Count a viewer that comes, or close it if this process has as many as it may."""
        if self._closing or self._is_full(viewer.who.holder):
            viewer.outlet.close(RESTART if self._closing else TRY_LATER)
            return False
        self._holders[viewer.who.holder] += 1
        self.tabs.add(viewer)
        if topic.kind == PERSON:
            self.lists.add(viewer)
        self._empty_since.pop(topic, None)
        return True

    async def _opened(self, topic: Topic) -> AnyStream:
        """Return the stream of `topic`; open it if it is not."""
        while True:
            if changing := self._changing.get(topic):
                await asyncio.wait([changing])
            elif stream := self.streams.get(topic) or self.logs.streams.get(topic):
                return stream
            else:
                await self._change(topic, self._open(topic))

    async def _change(self, topic: Topic, change: Coroutine[Any, Any, None]) -> None:
        """Open or close the stream of `topic`; whoever comes meanwhile waits for that.

        All of them go on together. Behind a lock each would wait for the one before, a turn of the loop, and turns are
        long while a thousand pages come back.
        """
        changing = self._changing[topic] = asyncio.create_task(change)
        changing.add_done_callback(partial(self._changed, topic))
        await asyncio.shield(changing)

    def _changed(self, topic: Topic, changing: asyncio.Task[None]) -> None:
        del self._changing[topic]
        if not changing.cancelled():
            changing.exception()  # for whoever waits for it; a round that waits no more has told of Redis itself

    async def _open(self, topic: Topic) -> None:
        try:
            await (self._open_dashboard if topic.is_variant else self.logs.open)(topic)
        finally:
            self._empty_since[topic] = time.monotonic()

    async def _open_dashboard(self, topic: Topic) -> None:
        stream = self.streams[topic] = Stream(topic)
        try:
            await watchers.add(topic, time.time())
            await self._channel.hear_processes()
            await self._feed(stream)
            await self._refresh([topic])
        except (RedisError, OSError) as error:
            self._starve(error)

    async def _close(self, topic: Topic) -> None:
        self._openers.pop(topic, None)  # whoever comes from now on opens it anew
        await self._channel.unsubscribe(topic)
        del self._empty_since[topic]
        self.streams.pop(topic, None)
        self.logs.streams.pop(topic, None)
        self._marks.forget(str(topic))

    def leave(self, stream: AnyStream, viewer: Viewer) -> None:
        if viewer not in stream.viewers:
            return
        stream.leave(viewer)
        self._holders[viewer.who.holder] -= 1
        if not self._holders[viewer.who.holder]:
            del self._holders[viewer.who.holder]
        self.tabs.discard(viewer)
        self.lists.discard(viewer)
        if not stream.viewers:
            self._empty_since[stream.topic] = time.monotonic()

    def close(self, stream: AnyStream, viewer: Viewer, code: int) -> None:
        """Send `viewer` away with `code`."""
        self.leave(stream, viewer)
        viewer.outlet.close(code)

    async def drain(self, seconds: float) -> None:
        """Close every socket with 1012, spread over `seconds`, and let nobody in any more."""
        self._closing = True
        began = time.monotonic()
        everyone = [partial(self.close, stream, viewer, RESTART) for stream, viewer in self.viewers()]
        everyone += [partial(socket.close, RESTART) for socket in self.extensions]
        for number, close in enumerate(everyone, 1):
            close()
            await asyncio.sleep(began + seconds * number / len(everyone) - time.monotonic())

    def _is_full(self, holder: str) -> bool:
        return (
            self._holders.total() >= settings.SOCKETS_PER_PROCESS or self._holders[holder] >= settings.SOCKETS_PER_USER
        )

    # --- Keeping right ---------------------------------------------------------------------------------

    def _start(self) -> None:
        # Daphne has no lifespan events, so the first socket starts what all of them share.
        if not self._tasks:
            # Code of others may hang: nobody else's access waits for it.
            guards = self.guard.run(), self.extensions.guard.run()
            self._tasks = [asyncio.create_task(each) for each in (self._receive(), self._keep(), *guards)]

    async def _feed(self, stream: Stream) -> None:
        """Subscribe first and read the snapshot then, so that nothing falls in between."""
        await self._channel.subscribe(stream.topic)
        stream.fed = True
        stream.load(await snapshot.read(stream.topic))
        self._answered()

    def _starve(self, error: Exception) -> None:
        """Note that Redis does not answer: what comes next may have gaps, so everything is fed anew."""
        outage.log("live pages wait for Redis", error)
        self._channel.lose()
        self.logs.lose()
        for stream in self.streams.values():
            stream.starve(f"{outage.words(error)} {notice.NOTHING_NEW}")

    async def _receive(self) -> None:
        while True:
            try:
                await self._take(await self._channel.receive())
            except (RedisError, OSError) as error:
                self._starve(error)
                await asyncio.sleep(1)
            except Exception:
                log.exception("a message could not be taken")
                await asyncio.sleep(1)

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == bus.FRAGMENTS:
            await self._take_fragments(cast(bus.Message, message))
        elif hear := self._hearing.get(message["type"]):  # a process of a newer release may send what there is not here
            hear(message)

    async def _take_fragments(self, fragments: bus.Message) -> None:
        stream = self.streams.get(Topic.parse(fragments["topic"]))
        if stream is not None and not stream.take(fragments):
            await self._heal([stream])

    def _doubt(self, doubt: bus.Recheck) -> None:
        self.guard.doubt(doubt)
        self.extensions.guard.doubt(doubt)

    def _append(self, message: bus.Appended) -> None:
        self.logs.take(message)
        self.presence.hear(message)

    def _notify(self, notified: bus.Notified) -> None:
        """Show a notification in its people's tabs, and append it to the logs of those whom a program follows."""
        self.tabs.send(notified)
        for user, number, *_ in notified["people"]:
            if one := self.logs.streams.get(person(user)):
                one.take([notifications.entry_of(number, notified["html"], notified["data"])])

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(watchers.RENEW_S)
            await self._round()

    async def _round(self) -> None:
        """Look round once; a Redis that does not answer meanwhile is told to every page."""
        for stream, viewer, code in access_recheck.expired(self.viewers(), time.time()):
            self.close(stream, viewer, code)
        self.extensions.close_expired(time.time())
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S) as self._limit:
                await self._look()
        except (RedisError, OSError) as error:
            self._starve(error)
        except Exception:
            log.exception("the hub's round failed")
        finally:
            self._limit = None

    def _answered(self) -> None:
        """Give a round that goes on more time: Redis does answer, there is only much to ask it."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + ANSWERS_WITHIN_S)

    async def _look(self) -> None:
        """One round: renew what is watched, heal what pub/sub lost, send pulses, let go of what nobody watches.

        One trip to Redis, however much there is; more only for what is not right. The notice is made here, not where
        widgets are drawn: that may be what stands still.
        """
        await self._close_unwatched()
        await self._channel.hear_processes()
        streams = list(self.streams.values())
        topics = [stream.topic for stream in streams]
        _, here, _, versions, since, noted = await gather(
            self._renewal(),
            self.presence.exchange(time.time()),
            traffic.flush(),
            snapshot.read_versions(topics),
            marks.marked_since(topics),
            health.noted(),
        )
        self.presence.send(here, time.monotonic())
        self._note_how_far_behind(streams, since)
        fed = [(stream, newest) for stream, newest in zip(streams, versions, strict=True) if stream.fed]
        await self._feed_hungry()
        compared = await self.logs.keep()
        await self.tabs.compare(only_new=not compared)
        await self.unread.compare(every=compared)
        await self._load(fed)
        self._send_pulses(noted)
        await self._store_sightings()

    async def _store_sightings(self) -> None:
        """Store which viewers showed which incidents, in one trip to the database."""
        seen = self._unstored + [one for stream in self.streams.values() for one in stream.sightings.take()]
        self._unstored = []
        if not seen:
            return
        try:
            await database_sync_to_async(sightings.store, thread_sensitive=False)(seen)
        except DatabaseError as error:
            log.warning("who saw incidents is stored later", error=str(error))
            self._unstored = seen[-KEPT_MOST:]

    def _send_pulses(self, noted: health.Noted) -> None:
        """Send pulses, with the notice, and send viewers away that stalled."""
        said = notice.of(noted, time.time())
        html = notice.fragment(said)
        for stream in list(self.streams.values()):
            for viewer in stream.stalled():
                self.close(stream, viewer, TRY_LATER)
            stream.notify(html, said)
            stream.down = noted.down
        self.alerts.compare(noted.alerts, noted.down.alerts, noted.down.critical)
        for stream in list(self.streams.values()):
            stream.pulse()

    async def _feed_hungry(self) -> None:
        hungry = [one for topic, one in self.streams.items() if not one.fed and topic not in self._changing]
        for stream in hungry:
            await self._feed(stream)
            if time.monotonic() - self._renewed > watchers.RENEW_S:
                await self._renewal()
        await self._refresh([stream.topic for stream in hungry])

    def _note_how_far_behind(self, streams: Sequence[Stream], since: Sequence[float | None]) -> None:
        """Note for how long something of each stream has waited to be drawn: `since` (Unix seconds)."""
        now, ticks = time.time(), time.monotonic()
        for stream, at in zip(streams, since, strict=True):
            age_s = self._marks.age_s(str(stream.topic), at, now, ticks)
            stream.behind_s = 0.0 if at is None or math.isinf(age_s) else age_s

    async def _heal(self, streams: Sequence[Stream]) -> None:
        versions = await snapshot.read_versions([stream.topic for stream in streams])
        await self._load(list(zip(streams, versions, strict=True)))

    async def _load(self, newest: Sequence[tuple[Stream, tuple[str, int]]]) -> None:
        """Load streams that show something else than Redis has, and have those drawn that it knows nothing of."""
        for stream, (epoch, version) in newest:
            if epoch != stream.epoch or version > stream.version:
                stream.load(await snapshot.read(stream.topic))
                self._answered()
        await self._refresh([stream.topic for stream, (epoch, _) in newest if not epoch])

    async def _recheck(self, doubt: bus.Recheck) -> None:
        async for stream, viewer, code in access_recheck.refused(self.viewers(), doubt):
            self.close(stream, viewer, code)

    async def _refresh(self, topics: Sequence[Topic]) -> None:
        if topics:
            await asyncio.to_thread(marks.mark_each, {topic: [marks.ALL] for topic in topics})

    def _renewal(self) -> Commands[None]:
        self._renewed = time.monotonic()
        viewers = self.viewers()
        return watchers.renew(self.process, self.streams, viewer_status.report(viewers), len(viewers), time.time())

    async def _close_unwatched(self) -> None:
        for topic, since in list(self._empty_since.items()):
            is_still_empty = self._empty_since.get(topic) == since and topic not in self._changing
            if is_still_empty and time.monotonic() - since >= LINGER_S:
                await self._change(topic, self._close(topic))


def _greet(viewer: Viewer, topic: Topic, message_bytes: int, **newest: Any) -> None:
    """Tell a program what it follows, how new that is, and its limits."""
    if viewer.as_json:
        hello = {"topic": str(topic), **newest, "time": time.time(), "limits": limits.document(message_bytes)}
        viewer.outlet.write(json_frame("hello", hello))


@cache
def hub() -> Hub:
    """Return this process's hub."""
    return Hub()
