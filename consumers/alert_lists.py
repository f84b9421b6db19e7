"""Lists of alerts on open pages: drawn once for all who may see the same, and sent to these as the same bytes.

A list is drawn at once when alerts change. Then it rests, the longer the more of a processor that took, and is drawn
once more if alerts changed meanwhile. They take turns, and one keeps its turn for as long again as it took a processor:
all lists of a process together take half of one at most.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.frame import Element, Frame
from consumers.limits import LISTS_OF_ALL, LISTS_OF_ONE
from consumers.log_stream import is_slow
from consumers.viewer import Viewer
from metrics.access.principal import Principal, alike
from metrics.actions import alert_list
from metrics.actions.alert_list import Asked
from metrics.health import traffic

log = structlog.get_logger(__name__)

TARGET, SWAP = "alerts", "innerMorph"
RESTS_LEAST_S = 0.2
RESTS_MOST_S = 1.0
RESTS_TIMES = 4
"""A list rests so many times as long as a processor drew and sent it, at most `RESTS_MOST_S`."""
FAILED_S = 0.25
"""A drawing that fails counts as one that took a processor so long."""
Key = tuple[Principal, Asked]


class AlertLists:
    """The lists that pages of this process show, and the number of changes of alerts that it knows."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._lists: dict[Key, Shown] = {}
        self._viewers: dict[Viewer, Shown] = {}
        self._of: defaultdict[str, set[Viewer]] = defaultdict(set)
        """Viewers that show a list, by their holder."""
        self._left_out: set[Viewer] = set()
        """Viewers that are sent no list, and for which that is tried again each round."""
        self._number: int | None = None
        self._turn = asyncio.Lock()

    def add(self, viewer: Viewer) -> None:
        """Have a viewer sent the list that its page shows, if it shows any.

        If there are too many of them, it is sent none until there is room; its page fetches the list meanwhile.
        """
        if viewer.list is None:
            return
        key = alike(viewer.who.by), viewer.list
        if not self._has_room(viewer.who.holder, key):
            self._left_out.add(viewer)
            return
        self._left_out.discard(viewer)
        shown = self._lists.setdefault(key, Shown(key))
        self._viewers[viewer] = shown
        self._of[viewer.who.holder].add(viewer)
        shown.viewers.add(viewer)
        self._begin(shown)

    def discard(self, viewer: Viewer) -> None:
        """Send a viewer nothing more."""
        self._left_out.discard(viewer)
        if shown := self._viewers.pop(viewer, None):
            theirs = self._of[viewer.who.holder]
            theirs.discard(viewer)
            if not theirs:
                del self._of[viewer.who.holder]
            shown.viewers.discard(viewer)
            if not shown.viewers:
                del self._lists[shown.key]

    def change(self, number: int) -> None:
        """Have lists drawn as they are after the change of this number, or for viewers that do not show it yet."""
        self._number = number
        for viewer in list(self._left_out):
            self.add(viewer)
        for shown in list(self._lists.values()):
            self._begin(shown)

    def _has_room(self, holder: str, key: Key) -> bool:
        """Return whether a page of `holder` may be sent the list of `key`. Whole lists do not count."""
        if key[1] == Asked():
            return True
        theirs = {self._viewers[one].key for one in self._of.get(holder, ())}
        return all(
            sum(asked != Asked() for _, asked in {*keys, key}) <= most
            for keys, most in ((theirs, LISTS_OF_ONE), (self._lists, LISTS_OF_ALL))
        )

    def _begin(self, shown: "Shown") -> None:
        if self._number is None or shown.is_busy:
            return
        if any(viewer.listed != self._number for viewer in shown.viewers):
            shown.drawing = asyncio.create_task(self._draw(shown))

    async def _draw(self, shown: "Shown") -> None:
        """Draw a list and let it rest, again and again while somebody waits for it."""
        while True:
            async with self._turn:
                if not self._behind(shown):
                    return
                took_s = await self._draw_once(shown)
                await self._sleep(took_s)
            await self._sleep(min(RESTS_MOST_S, max(RESTS_LEAST_S, RESTS_TIMES * took_s)))

    async def _draw_once(self, shown: "Shown") -> float:
        """Draw and send a list; return for how long that took a processor (seconds)."""
        number = self._number  # what changes while it is drawn may not be in it
        try:
            drawn: tuple[str, float] = await _html(*shown.key)
            return drawn[1] + self._send(shown, drawn[0], number)
        except DatabaseError as error:  # it is drawn after its rest
            log.warning("a list of alerts was not drawn", error=str(error))
        except Exception:  # so it is the next time: pages fetch it, as long as they can
            log.exception("a list of alerts can't be drawn")
            for viewer in self._behind(shown):
                viewer.listed = number
        return FAILED_S

    def _behind(self, shown: "Shown") -> list[Viewer]:
        """Return the viewers of a list that do not show the newest, but for slow ones.

        Those that may see something else by now are moved to the list that is theirs.
        """
        found = []
        for viewer in [one for one in shown.viewers if one.listed != self._number]:
            if alike(viewer.who.by) != shown.key[0]:
                self.discard(viewer)
                self.add(viewer)
            elif not is_slow(viewer):
                found.append(viewer)
        return found

    def _send(self, shown: "Shown", html: str, number: int | None) -> float:
        """Send a list to its viewers that were not sent it; return for how long that took a processor (seconds)."""
        began = time.thread_time()
        frame = Frame(Element(TARGET, SWAP, html).partial())
        sent = 0
        for viewer in self._behind(shown):
            try:
                viewer.outlet.write(frame)
            except Exception:  # it is tried again in the next round
                log.exception("a list of alerts was not sent")
                self.discard(viewer)
                self._left_out.add(viewer)
            else:
                viewer.listed = number
                sent += 1
        traffic.sent(sent, sent * frame.size_bytes)
        return time.thread_time() - began


class Shown:
    """A list that pages show, and their `viewers`."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.viewers: set[Viewer] = set()
        self.drawing: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it is drawn, or rests."""
        return self.drawing is not None and not self.drawing.done()


@partial(database_sync_to_async, thread_sensitive=False)
def _html(by: Principal, asked: Asked) -> tuple[str, float]:
    began = time.thread_time()
    return alert_list.html(by, asked, time.time()), time.thread_time() - began
