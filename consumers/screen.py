"""The dashboard of a paired screen over a socket: `/ws/screen/?range=1h&dashboard=3&epoch=…&version=…`."""

from consumers.access import screen_credential
from consumers.dashboard import DashboardConsumer
from consumers.holders import Credential
from consumers.topic import number


class ScreenConsumer(DashboardConsumer):
    """The dashboard that a screen shows, which its page names, for whoever has the cookie of the screen."""

    formats = ("html",)

    def name(self) -> int | str:
        return number(self.asked.get("dashboard", ""))

    async def _credential(self) -> Credential:
        """Return the cookie of the screen; a ticket is none, as it may come from pages of other sites."""
        return Credential("", "?") if "ticket" in self.asked else screen_credential(self.scope)
