"""The tabs of each person and the paired screens in this process, and the bell that each person was sent last.

An element for one person goes to all tabs of theirs and to nothing else: neither to walls nor to programs. One for a
screen goes to its sockets. A bell that was lost on the way, or changed while a page was loading, is found by comparing
with the database.
"""

from collections import defaultdict

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.frame import MORPH, Element, Frame
from consumers.viewer import Viewer
from metrics.actions import notifications
from metrics.live.bus import Notified, Person, Personal

log = structlog.get_logger(__name__)


class Tabs:
    """Open tabs and screens by their holder, such as `user:5`."""

    def __init__(self) -> None:
        self._open: defaultdict[str, set[Viewer]] = defaultdict(set)
        self._people: set[int] = set()
        self._bells: dict[int, str] = {}
        self.newcomers: set[int] = set()
        self._numbers: dict[int, int] = {}

    def people(self) -> set[int]:
        """Return the ids of the people who have tabs open."""
        return set(self._people)

    def add(self, viewer: Viewer) -> None:
        """Count a viewer, if it is a tab of a person or a screen."""
        if not _is_reached(viewer):
            return
        self._open[viewer.who.holder].add(viewer)
        if (user := _person(viewer.who.holder)) is not None:
            self._people.add(user)
            self._bells.pop(user, None)  # it may have changed since the page was loaded
            self.newcomers.add(user)

    def discard(self, viewer: Viewer) -> None:
        """Count a viewer no more."""
        holder = viewer.who.holder
        if viewer not in self._open.get(holder, ()):
            return
        self._open[holder].discard(viewer)
        if not self._open[holder]:
            del self._open[holder]
            if (user := _person(holder)) is not None:
                self._people.discard(user)
                self._bells.pop(user, None)
                self._numbers.pop(user, None)

    def hand_over(self, message: Personal) -> None:
        """Send an element to every tab of its person, or to its screen."""
        viewers = self._open.get(message["holder"])
        if not viewers:
            return
        if message["target"] == notifications.BELL and (user := _person(message["holder"])) is not None:
            self._bells[user] = message["html"]
        frame = Frame(Element(message["target"], message["swap"], message["html"]).partial())
        for viewer in viewers:
            viewer.outlet.write(frame)

    def send(self, notified: Notified) -> None:
        """Show a notification, and how many are unread, in every tab of its people."""
        toast = Element(notifications.TOASTS, "beforeend", notified["html"]).partial()
        frames: dict[tuple[str, bool], Frame] = {}
        for user, number, unread, shows in notified["people"]:
            if user not in self._people:
                continue
            bell = ""
            if number > self._numbers.get(user, 0):  # else a newer one came first, and with it a newer count
                self._numbers[user] = number
                self._bells[user] = html = notifications.bell_of(unread)
                bell = Element(notifications.BELL, MORPH, html).partial()
            if not (frame := frames.get((bell, shows))):
                frame = frames[bell, shows] = Frame(bell + (toast if shows else ""))
            if frame.text:
                for viewer in self._open[Person(user).holder]:
                    viewer.outlet.write(frame)

    async def compare(self, *, only_new: bool = False) -> None:
        """Send people their bell if it is another than the one sent last; `only_new` are those not sent one yet."""
        users = [user for user in self._people if not only_new or user not in self._bells]
        if not users:
            return
        try:
            found = await database_sync_to_async(notifications.bells, thread_sensitive=False)(users)
        except DatabaseError as error:
            log.warning("bells were not compared", error=str(error))
            return
        for user, html in found.items():
            if self._bells.get(user) != html:
                holder = Person(user).holder
                self.hand_over(Personal(type="", holder=holder, target=notifications.BELL, swap=MORPH, html=html))


def _is_reached(viewer: Viewer) -> bool:
    """Return whether it gets what is sent to its holder alone."""
    by = viewer.who.holder.partition(":")[0]
    return by == "screen" or (by == "user" and viewer.personal)


def _person(holder: str) -> int | None:
    kind, _, id = holder.partition(":")
    return int(id) if kind == "user" else None
