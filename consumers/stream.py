"""One variant as a process shows it: the newest fragments, and the viewers they go to.

Versions decide who gets what. Fragments are gathered for `FLUSH_S` and then sent as one frame, the same
text for every viewer in step. A viewer that has more than `WINDOW_BYTES` unacknowledged is behind: it is
sent nothing until it has acknowledged all it was sent, and then one frame with the newest fragment of each
widget it missed. So what a slow viewer costs is bounded, and it never works through a queue of old values.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from consumers.frame import frame, partial, pulse
from metrics.live.bus import Message
from metrics.live.snapshot import Fragment, Snapshot, Variant

FLUSH_S = 0.1
PULSE_S = 5.0
WINDOW_BYTES = 256 * 1024
STALLED_S = 30.0
VERSIONS_KEPT = 2048

Send = Callable[[str], Awaitable[None]]
Close = Callable[[int], Awaitable[None]]


class Viewer:
    """One open socket: how to reach it, and which versions it was sent and has acknowledged.

    `acked_bytes` is what the stream's frames came to at the acknowledged version; what came since is owed.
    """

    __slots__ = ("acked", "acked_bytes", "behind", "close", "send", "sent", "waiting_since")

    def __init__(self, send: Send, close: Close) -> None:
        self.send = send
        self.close = close
        self.sent = 0
        self.acked = 0
        self.acked_bytes = 0
        self.behind = False
        self.waiting_since: float | None = None


class Stream:
    """A variant, the newest fragment of each widget, and its viewers."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.epoch = ""
        self.version = 0
        self.build = ""
        self.viewers: set[Viewer] = set()
        self._fragments: dict[str, Fragment] = {}
        self._partials: dict[str, str] = {}
        self._flushed = 0
        self._flushed_at = 0.0
        self._flushing: asyncio.TimerHandle | None = None
        self._bytes = 0
        self._bytes_at: OrderedDict[int, int] = OrderedDict()

    # --- What comes in ---------------------------------------------------------------------------------

    def take(self, message: Message) -> bool:
        """Take the fragments of the next version; False if versions are missing in between: then `load`."""
        if message["epoch"] != self.epoch or message["version"] > self.version + 1:
            return False
        if message["version"] == self.version + 1:
            for widget, html in message["fragments"].items():
                self._put(widget, Fragment(html, message["version"]))
            self.version, self.build = message["version"], message["build"]
            self._flush_soon()
        return True

    def load(self, snapshot: Snapshot) -> None:
        """Take over the snapshot: what is newer in it, or all of it when it has another epoch."""
        if snapshot.epoch != self.epoch:
            self._begin(snapshot.epoch)
        elif snapshot.version <= self.version:
            return
        for widget, fragment in snapshot.fragments.items():
            if fragment.version > self.version:
                self._put(widget, fragment)
        self.version, self.build = snapshot.version, snapshot.build or self.build
        self._flush_soon()

    def _begin(self, epoch: str) -> None:
        """Start over: versions of an earlier epoch mean nothing now, so every viewer is sent everything."""
        self.epoch, self.version, self._flushed, self._bytes = epoch, 0, 0, 0
        self._bytes_at.clear()
        self._fragments.clear()
        self._partials.clear()
        for viewer in self.viewers:
            viewer.sent = viewer.acked = viewer.acked_bytes = 0
            viewer.behind, viewer.waiting_since = False, None

    def _put(self, widget: str, fragment: Fragment) -> None:
        self._fragments[widget] = fragment
        self._partials[widget] = partial(widget, fragment.html)

    # --- Who sees it -----------------------------------------------------------------------------------

    async def join(self, viewer: Viewer, epoch: str, version: int) -> None:
        """Add a viewer whose page shows `version` of `epoch`, and send it what is newer, and a pulse."""
        known = version if epoch == self.epoch and version <= self.version else 0
        viewer.sent = viewer.acked = known
        viewer.acked_bytes = self._bytes
        self.viewers.add(viewer)
        await self._catch_up(viewer)

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)

    async def acknowledge(self, viewer: Viewer, version: int) -> None:
        """Note that the page shows `version`; a viewer that was behind and has now caught up gets what it missed."""
        if not viewer.acked < version <= viewer.sent:
            return
        viewer.acked = version
        viewer.acked_bytes = self._bytes_at.get(version, viewer.acked_bytes)
        viewer.waiting_since = None if version == viewer.sent else time.monotonic()
        if viewer.behind and version == viewer.sent:
            viewer.behind = False
            await self._catch_up(viewer)

    # --- What goes out ---------------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if self._flushing is None:
            loop = asyncio.get_running_loop()
            wait_s = max(0.0, self._flushed_at + FLUSH_S - time.monotonic())
            self._flushing = loop.call_later(wait_s, lambda: asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        self._flushing = None
        self._flushed_at = time.monotonic()
        before, self._flushed = self._flushed, self.version
        text = self._frame(before)
        due = [viewer for viewer in self.viewers if viewer.sent < self.version and not viewer.behind]
        in_step = [viewer for viewer in due if self._has_credit(viewer)]
        self._count(len(text))
        for viewer in in_step:
            # One that joined between two flushes has part of this already, and gets the rest.
            await self._send(viewer, text if viewer.sent == before else self._frame(viewer.sent))

    async def _catch_up(self, viewer: Viewer) -> None:
        text = self._frame(viewer.sent)
        self._count(len(text))
        await self._send(viewer, text)

    async def pulse(self) -> None:
        """Send a pulse to every viewer in step, unless a frame brought one a moment ago."""
        if time.monotonic() - self._flushed_at < PULSE_S - 0.5:
            return
        self._flushed_at = time.monotonic()
        text = self._frame(self.version)
        for viewer in list(self.viewers):
            if viewer.sent == self.version and not viewer.behind:
                await self._send(viewer, text)

    async def drop_stalled(self) -> None:
        """Close what has acknowledged nothing for `STALLED_S` while it owed an acknowledgement."""
        now = time.monotonic()
        for viewer in [one for one in self.viewers if one.waiting_since and now - one.waiting_since > STALLED_S]:
            self.leave(viewer)
            await viewer.close(1013)

    async def _send(self, viewer: Viewer, text: str) -> None:
        if viewer.sent < self.version:
            viewer.waiting_since = viewer.waiting_since or time.monotonic()
            viewer.sent = self.version
        await viewer.send(text)

    def _frame(self, since: int) -> str:
        newer: Iterable[str] = (
            self._partials[widget] for widget, fragment in self._fragments.items() if fragment.version > since
        )
        return frame(newer, pulse(self.epoch, self.version, time.time(), self.build))

    # --- Credit ----------------------------------------------------------------------------------------

    def _has_credit(self, viewer: Viewer) -> bool:
        """Return whether `viewer` may be sent another frame; if not, it is behind from now on."""
        viewer.behind = viewer.acked < viewer.sent and self._bytes - viewer.acked_bytes > WINDOW_BYTES
        return not viewer.behind

    def _count(self, size_bytes: int) -> None:
        self._bytes += size_bytes
        self._bytes_at[self.version] = self._bytes
        if len(self._bytes_at) > VERSIONS_KEPT:
            self._bytes_at.popitem(last=False)
