"""Lists of alerts on open pages: drawn once for all who may see the same, and sent to these as the same bytes.

A list is drawn at once when alerts change. Then it rests, the longer the more of a processor that took, and is drawn
once more if alerts changed meanwhile. Each list rests by itself, so one that takes long makes no other late; and only
one is drawn at a time.
"""

import asyncio
import time
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
Key = tuple[Principal, Asked]


class AlertLists:
    """The lists that pages of this process show, and the number of changes of alerts that it knows."""

    def __init__(self) -> None:
        self._lists: dict[Key, Shown] = {}
        self._viewers: dict[Viewer, Shown] = {}
        self._number: int | None = None
        self._turn = asyncio.Lock()

    def add(self, viewer: Viewer) -> None:
        """Have a viewer sent the list that its page shows, if it shows any, and if there are not too many of them.

        The page fetches its list every now and then, also if it is sent none.
        """
        if viewer.list is None:
            return
        key = alike(viewer.who.by), viewer.list
        if key not in self._lists:
            if not self._may_open(viewer.who.holder):
                return
            self._lists[key] = Shown(key, viewer.who.holder)
        self._viewers[viewer] = self._lists[key]
        self._lists[key].viewers.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        """Send a viewer nothing more."""
        if shown := self._viewers.pop(viewer, None):
            shown.viewers.discard(viewer)
            if not shown.viewers:
                del self._lists[shown.key]

    def change(self, number: int) -> None:
        """Have lists drawn as they are after the change of this number, or for viewers that do not show it yet."""
        self._number = number
        for shown in list(self._lists.values()):
            if not shown.is_busy and any(viewer.listed != number for viewer in shown.viewers):
                shown.drawing = asyncio.create_task(self._draw(shown))

    def _may_open(self, holder: str) -> bool:
        lists = self._lists.values()
        return len(lists) < LISTS_OF_ALL and sum(one.opener == holder for one in lists) < LISTS_OF_ONE

    async def _draw(self, shown: "Shown") -> None:
        while self._behind(shown):
            async with self._turn:
                number = self._number  # what changes while it is drawn may not be in it
                try:
                    drawn: tuple[str, float] = await _html(*shown.key)
                except DatabaseError as error:  # it is drawn after its rest
                    log.warning("a list of alerts was not drawn", error=str(error))
                    took_s = RESTS_MOST_S
                except Exception:  # so it is the next time: pages fetch it, as long as they can
                    log.exception("a list of alerts can't be drawn")
                    took_s = RESTS_MOST_S
                    for viewer in self._behind(shown):
                        viewer.listed = number
                else:
                    took_s = drawn[1] + self._send(shown, drawn[0], number)
            await asyncio.sleep(min(RESTS_MOST_S, max(RESTS_LEAST_S, RESTS_TIMES * took_s)))

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
        viewers = self._behind(shown)
        for viewer in viewers:
            viewer.listed = number
            viewer.outlet.write(frame)
        traffic.sent(len(viewers), len(viewers) * frame.size_bytes)
        return time.thread_time() - began


class Shown:
    """A list that pages show, their `viewers`, and its `opener`: the holder of the first of them."""

    def __init__(self, key: Key, opener: str) -> None:
        self.key, self.opener = key, opener
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
