"""The stream of a log topic in this process: every viewer gets every entry, in order of its number.

An entry that comes over the channel layer goes to the viewers who have all before it. A viewer that lacks some reads on
in the database until nothing is newer: one that just came back, or everybody after a message was lost. So pub/sub makes
it quick, and the database makes it complete. Only a task of its own writes to a viewer that reads on.

An entry may be for some of the viewers alone; the others have it without being sent it.

A viewer that takes what it is sent slowly is written no more while `WAITING_BYTES_MOST` wait for it: it reads on, too,
as soon as it has taken them. So it costs no more memory, however much is said or however far back it begins.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.codes import TRY_LATER
from consumers.frame import Element, Frame, json_frame
from consumers.viewer import Viewer
from metrics.access.policy import is_for
from metrics.actions import alert_events, messages, notifications
from metrics.health import traffic
from metrics.live.bus import Entry
from metrics.live.topic import ALERTS, PERSON, ROOM, Topic

log = structlog.get_logger(__name__)

READ_AT_ONCE = 200
BATCH_MOST = 20
"""Entries in one frame for pages, of those that came at once."""
WAITING_BYTES_MOST = 1024 * 1024
LOOKS_EVERY_S = 0.2
"""How often it is looked whether a slow viewer has taken what waits for it."""
LOGS: dict[str, Callable[[int, int, int, int], list[Entry]]] = {
    ROOM: messages.entries,
    PERSON: notifications.entries,
    ALERTS: alert_events.entries,
}
"""For each kind of log topic, the function that reads entries: id, after and up to which number, how many at most."""


class LogStream:
    """A log topic, the number of its newest entry, and its viewers. `sent` of a viewer is the number it has.

    `fed` says that the newest number is known, `subscribed` that new entries come over the channel layer.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.newest = 0
        self.fed = self.subscribed = False
        self.viewers: set[Viewer] = set()
        self._first: dict[Viewer, deque[Frame]] = {}
        self._reading: dict[Viewer, asyncio.Task[None]] = {}
        self._asked: dict[tuple[int, int], asyncio.Task[list[Frames]]] = {}

    def take(self, entries: Sequence[Entry]) -> None:
        """Send entries, which are in order, to the viewers who have all before them; a page gets some in one frame."""
        for first in range(0, len(entries), BATCH_MOST):
            self._take([one for one in entries[first : first + BATCH_MOST] if one["number"] > self.newest])

    def _take(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        before, self.newest = self.newest, entries[-1]["number"]
        if [one["number"] for one in entries] != list(range(before + 1, self.newest + 1)):  # one in between was lost
            self._read_on()
            return
        batch = Batch(entries)
        for viewer in [one for one in self.viewers if one not in self._reading]:
            if viewer.personal:  # a tab, which gets elements of its person instead: see bus.send_to
                viewer.sent = self.newest
            elif viewer.sent == before and not is_slow(viewer):
                viewer.sent = self.newest
                batch.write(viewer)
            else:
                self._read(viewer)

    def learn(self, newest: int) -> None:
        """Take over the number of the newest entry, as the database has it."""
        self.fed = True
        if newest > self.newest:
            self.newest = newest
            self._read_on()

    def join(self, viewer: Viewer, after: int, first: Iterable[Frame] = ()) -> None:
        """Add a viewer that has the entries up to the number `after`; it gets the frames `first` before others.

        One that says it has what there is not yet gets all that comes.
        """
        viewer.begin(min(after, self.newest), 0)
        self.viewers.add(viewer)
        if frames := deque(first):
            self._first[viewer] = frames
        self._read(viewer)

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self._first.pop(viewer, None)
        if task := self._reading.pop(viewer, None):
            task.cancel()

    def _read_on(self) -> None:
        for viewer in self.viewers:
            self._read(viewer)

    def _read(self, viewer: Viewer) -> None:
        is_behind = viewer.sent < self.newest or viewer in self._first
        if is_behind and viewer not in self._reading and not viewer.personal:
            task = self._reading[viewer] = asyncio.create_task(self._until_newest(viewer))
            task.add_done_callback(partial(self._read_enough, viewer))

    async def _until_newest(self, viewer: Viewer) -> None:
        first = self._first.get(viewer)
        while first:
            await _room(viewer)
            viewer.outlet.write(first.popleft())
        self._first.pop(viewer, None)
        while viewer.sent < self.newest:
            newest = self.newest
            found = await asyncio.shield(self._read_once(viewer.sent, newest))
            for frames in found:
                await _room(viewer)
                if frames.are_for(viewer):
                    viewer.outlet.write(frames.of(viewer))
                viewer.sent = frames.number
            if not found:  # they were removed, or changed once more, which comes as an entry above `newest`
                viewer.sent = newest

    def _read_once(self, after: int, upto: int) -> "asyncio.Task[list[Frames]]":
        """Return the reading of what comes after a number: viewers in step share it, and so the bytes of its frames."""
        asked = self._asked.get((after, upto))
        if asked is None:
            asked = self._asked[after, upto] = asyncio.create_task(self._frames(after, upto))
            asked.add_done_callback(lambda _: self._asked.pop((after, upto), None))
        return asked

    async def _frames(self, after: int, upto: int) -> "list[Frames]":
        ask = database_sync_to_async(LOGS[self.topic.kind], thread_sensitive=False)
        return [Frames(entry) for entry in await ask(self.topic.id, after, upto, READ_AT_ONCE)]

    def _read_enough(self, viewer: Viewer, task: "asyncio.Task[None]") -> None:
        self._reading.pop(viewer, None)
        if task.cancelled() or viewer not in self.viewers:
            return
        if error := task.exception():
            log.warning("a log was not read on", topic=str(self.topic), error=str(error))
            if isinstance(error, DatabaseError):
                viewer.outlet.close(TRY_LATER)
        else:
            self._read(viewer)  # should something have come just now


async def _room(viewer: Viewer) -> None:
    """Wait until a viewer has taken enough to be written more."""
    while is_slow(viewer):  # noqa: ASYNC110 (no server tells when a socket has room again)
        await asyncio.sleep(LOOKS_EVERY_S)


def is_slow(viewer: Viewer) -> bool:
    """Return whether so much waits for a viewer that it is sent nothing more for now."""
    return viewer.outlet.waiting_bytes() > WAITING_BYTES_MOST


class Frames:
    """The frames of one entry, made when the first viewer needs each: HTML for pages, JSON for programs."""

    def __init__(self, entry: Entry) -> None:
        self.number = entry["number"]
        self._entry = entry
        self._made: dict[bool, Frame] = {}

    def are_for(self, viewer: Viewer) -> bool:
        """Return whether the entry is for `viewer`, of all who follow the log."""
        audience = self._entry.get("audience")
        return audience is None or is_for(viewer.who.by, *audience)

    def of(self, viewer: Viewer) -> Frame:
        made = self._made.get(viewer.as_json)
        if made is None:
            made = self._made[viewer.as_json] = (
                json_frame("entry", self._entry["data"]) if viewer.as_json else Frame(self.partial())
            )
        traffic.sent(1, made.size_bytes)
        return made

    def partial(self) -> str:
        """Return the entry as a part of a frame for pages."""
        entry = self._entry
        return Element(entry["target"], entry["swap"], entry["html"]).partial()


class Batch:
    """Entries that came at once: a frame for pages with all of them, and a frame each for programs."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._each = [Frames(entry) for entry in entries]
        self._is_for_all = all(entry.get("audience") is None for entry in entries)
        self._page: Frame | None = None

    def write(self, viewer: Viewer) -> None:
        """Write to `viewer` what is for it."""
        if viewer.as_json or not self._is_for_all:
            for frames in self._each:
                if frames.are_for(viewer):
                    viewer.outlet.write(frames.of(viewer))
            return
        if self._page is None:
            self._page = Frame("".join(one.partial() for one in self._each))
        traffic.sent(1, self._page.size_bytes)
        viewer.outlet.write(self._page)
