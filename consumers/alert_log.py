"""Events of alerts for programs, over `/ws/alerts/?after=…`: what is bad, and each change that people are told of."""

import structlog
from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from consumers.access import Decision
from consumers.codes import TRY_LATER
from consumers.frame import Frame, json_frame
from consumers.hub import Membership, hub
from consumers.limits import MESSAGE_BYTES
from consumers.log import LogConsumer
from consumers.topic import number
from consumers.viewer import Viewer
from metrics.access.principal import Principal
from metrics.actions import alert_following
from metrics.actions.alert_following import Start
from metrics.live.topic import ALERTS, EVENTS

log = structlog.get_logger(__name__)


class AlertsConsumer(LogConsumer):
    """The events after the number `after`; without it, or if that was too long ago, a snapshot comes before them."""

    kind = ALERTS
    formats = ("json",)
    message_bytes = MESSAGE_BYTES

    def name(self) -> int:
        return EVENTS.id

    async def join(self, who: Decision, viewer: Viewer) -> Membership | None:
        after = number(self.asked["after"]) if "after" in self.asked else None
        try:
            start, first = await database_sync_to_async(_begin, thread_sensitive=False)(who.by, after)
        except DatabaseError as error:
            log.warning("alerts were not read", error=str(error))
            viewer.outlet.close(TRY_LATER)
            return None
        return await hub().follow(EVENTS, viewer, start.number, self.message_bytes, first)


def _begin(by: Principal, after: int | None) -> tuple[Start, list[Frame]]:
    start = alert_following.begin(by, after)
    return start, frames(start)


def frames(start: Start) -> list[Frame]:
    """Return what is sent before the events: why they don't begin where they were asked to, and a snapshot."""
    found = [json_frame("gap", {"begins": start.begins, "text": start.lost})] if start.lost else []
    if start.snapshot is not None:
        found += [
            json_frame("snapshot", {"id": start.number, "alerts": alerts, "incidents": incidents, "more": more})
            for alerts, incidents, more in start.snapshot.parts()
        ]
    return found
