"""Deliveries in the timeline of their incident: who was told through channels, and whom nobody could reach.

One line for each message, when the last of its deliveries ended; of updates only what failed.
"""

from collections.abc import Sequence

from metrics.actions import logs, rooms, timeline
from metrics.live.topic import room as topic_of
from metrics.models import Delivery, Incident

PREFIX = "incident:"
NAMED_MOST = 10


def incident_of(conversation: str) -> int | None:
    """Return the id of the incident that a conversation is about; None if it is about something else."""
    id = conversation.removeprefix(PREFIX)
    return int(id) if conversation.startswith(PREFIX) and id.isdecimal() else None


def hold(row: Delivery) -> Incident | None:
    """Lock the incident that a delivery is about and then its log, as all do who write its timeline; return it.

    A process that ends another delivery of it at the same time waits, and sees then that this one ended.
    """
    id = incident_of(row.conversation)
    incident = Incident.objects.select_for_update(no_key=True).filter(pk=id).first() if id is not None else None
    if incident is not None:
        logs.hold([topic_of(rooms.of_incident(incident).pk)])
    return incident


def note(incident: Incident, row: Delivery) -> None:
    """Say in the timeline what came of a message, if this was the last of its deliveries."""
    rows = list(Delivery.objects.filter(conversation=row.conversation, key=row.key).select_related("channel"))
    if any(one.state in Delivery.OPEN for one in rows):
        return
    sent = [one.channel.name for one in rows if one.state == Delivery.SENT]
    failed = [f"{one.channel.name} ({one.error})" for one in rows if one.state == Delivery.FAILED]
    if row.document["state"] == "update" and not failed:
        return
    said = [f"Told through {_names(sent)}."] if sent else []
    said += [f"Not told through {_names(failed)}."] if failed else []
    if said:
        timeline.say(incident, " ".join(said), f"told:{row.key}"[:100])


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MOST
    return ", ".join([*sorted(names)[:NAMED_MOST], *([f"{more} more"] if more > 0 else [])])
