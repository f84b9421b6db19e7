"""The badge of unread rooms that the tabs of each person show, and what makes it change.

Every process hears in a few bytes that something was said; each counts for the people whose tabs it has, once a round.
"""

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.frame import MORPH
from consumers.tabs import Tabs
from metrics.actions import reading
from metrics.live import bus

log = structlog.get_logger(__name__)


class Unread:
    """People whose badge may be another than the one that their `tabs` show."""

    def __init__(self, tabs: Tabs) -> None:
        self._tabs = tabs
        self._stale: set[int] = set()
        self._shown: dict[int, str] = {}

    def hear(self, message: bus.Unread) -> None:
        """Note whom a message concerns."""
        here = self._tabs.people()
        self._stale.update(here if message["rooms"] else here & set(message["users"]))

    async def compare(self, *, every: bool = False) -> None:
        """Send people their badge if it is another than the one that they were sent last.

        Those are counted whom a message concerned, and new tabs; or `every` one, as messages may have been lost.
        """
        here, new = self._tabs.people(), self._tabs.newcomers
        self._shown = {user: html for user, html in self._shown.items() if user in here - new}
        users, self._stale = here if every else (self._stale | new) & here, set()
        new.clear()
        if not users:
            return
        try:
            found = await database_sync_to_async(reading.badges, thread_sensitive=False)(users)
        except DatabaseError as error:
            self._stale |= users
            log.warning("what is unread was not counted", error=str(error))
            return
        for user, html in found.items():
            if self._shown.get(user) != html:
                self._shown[user] = html
                self._tabs.hand_over(
                    bus.Personal(
                        type=bus.PERSONAL,
                        holder=bus.Person(user).holder,
                        target=reading.BADGE,
                        swap=MORPH,
                        html=html,
                    )
                )
