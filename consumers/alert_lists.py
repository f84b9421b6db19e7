"""Lists of alerts on open pages: drawn once for all who may see the same, and sent to these as the same bytes.

Lists are drawn at once when alerts change. Then they rest, the longer the more of a processor that took, and are drawn
once more if alerts changed meanwhile: so a storm of alerts takes a fifth of one, however many pages are open.
"""

import asyncio
import time
from dataclasses import replace
from functools import partial

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.frame import Element, Frame
from consumers.log_stream import is_slow
from consumers.viewer import Viewer
from metrics.access.principal import Principal
from metrics.actions import alert_list
from metrics.actions.alert_list import Asked

log = structlog.get_logger(__name__)

TARGET, SWAP = "alerts", "innerMorph"
RESTS_LEAST_S = 0.2
RESTS_TIMES = 4
"""Lists rest so many times as long as a processor drew them."""
Key = tuple[Principal, Asked]


class AlertLists:
    """Viewers whose pages show a part of the list, and the number of changes of alerts that this process knows."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._number: int | None = None
        self._drawing: asyncio.Task[None] | None = None

    def add(self, viewer: Viewer) -> None:
        """Have a viewer sent the part of the list that its page shows, if it shows any."""
        if viewer.list is not None:
            self._viewers.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        """Send a viewer nothing more."""
        self._viewers.discard(viewer)

    def change(self, number: int) -> None:
        """Have lists drawn as they are after the change of this number, or for viewers that were not sent it yet."""
        self._number = number
        if self._viewers and (self._drawing is None or self._drawing.done()):
            self._drawing = asyncio.create_task(self._draw())

    async def _draw(self) -> None:
        try:
            while behind := self._behind():
                took_s = sum([await self._draw_one(key) for key in behind])
                await asyncio.sleep(max(RESTS_LEAST_S, RESTS_TIMES * took_s))
        except DatabaseError as error:  # whoever was not sent it is sent it in a later round
            log.warning("lists of alerts were not drawn", error=str(error))
        except Exception:
            log.exception("lists of alerts were not drawn")

    def _behind(self) -> dict[Key, list[Viewer]]:
        """Return the viewers that were not sent the newest list, but for slow ones, by what they may see and show."""
        found: dict[Key, list[Viewer]] = {}
        for viewer in self._viewers:
            if viewer.list is not None and viewer.listed != self._number and not is_slow(viewer):
                found.setdefault((alike(viewer.who.by), viewer.list), []).append(viewer)
        return found

    async def _draw_one(self, key: Key) -> float:
        """Draw one list and send it; return for how long that took a processor (seconds)."""
        number = self._number  # what changes while it is drawn may not be in it
        drawn: tuple[str, float] = await _html(*key)
        html, took_s = drawn
        frame = Frame(Element(TARGET, SWAP, html).partial())
        for viewer in self._behind().get(key, ()):
            viewer.listed = number
            viewer.outlet.write(frame)
        return took_s


def alike(by: Principal) -> Principal:
    """Return the principal that stands for all who see the same as `by`."""
    return replace(by, name="", pk=None, address=None)


@partial(database_sync_to_async, thread_sensitive=False)
def _html(by: Principal, asked: Asked) -> tuple[str, float]:
    began = time.thread_time()
    return alert_list.html(by, asked, time.time()), time.thread_time() - began
