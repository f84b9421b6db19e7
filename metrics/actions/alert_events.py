"""The log of events of alerts: what people were told of them and of incidents, in the order of the commits.

Each event is a row, written in the transaction of the change itself, and has the whole alert or incident in it. It is
for those whom the incident was for then. When its head is locked, `metrics.actions.locks` says.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Model

from metrics.access.principal import Principal
from metrics.actions import alert_documents, logs
from metrics.database import after_commit
from metrics.live import bus
from metrics.live.bus import Entry
from metrics.live.topic import EVENTS
from metrics.models import Alert, AlertEvent, Incident, Team, Transition
from metrics.models.log import sender
from metrics.times import datetime_of

BEGAN, CHANGED, FLAPS, CALM, OVER = "began", "changed", "flaps", "calm", "over"
TAKEN, GIVEN_BACK, RESOLVED, REOPENED = "taken", "given back", "resolved", "reopened"
CHANGES = {
    "alert": (BEGAN, CHANGED, FLAPS, CALM, TAKEN, GIVEN_BACK, OVER),
    "incident": (BEGAN, CHANGED, TAKEN, GIVEN_BACK, RESOLVED, REOPENED),
}
"""The changes that there are of each kind."""
OF_VERBS = {"acknowledge": TAKEN, "hand over": TAKEN, "give back": GIVEN_BACK, "change": CHANGED}
OF_STATES = {"resolved": RESOLVED, "open": REOPENED}
SENT_AT_ONCE = 100


class Event(NamedTuple):
    """A `change` of an alert or an incident, made `by` somebody, or with the `move` of the alert's state."""

    thing: Alert | Incident
    change: str
    by: str = ""
    why: str = ""
    move: Transition | None = None
    at: float | None = None
    """When it was (Unix seconds), if neither with the move nor now."""


def record(events: Sequence[Event]) -> None:
    """Append events to the log, in the transaction around this, and send them once it is committed."""
    incidents = Incident.objects.in_bulk({_incident(one.thing) for one in events} - {None})
    events = [one for one in events if _incident(one.thing) in incidents]
    if not events:
        return
    teams = _teams(incidents)
    first = logs.take_numbers({EVENTS: len(events)})[EVENTS].newest - len(events) + 1
    made = []
    for number, event in enumerate(events, first):
        incident = incidents[_incident(event.thing) or 0]
        data = {"id": number, **_data(event, incident, teams[incident.pk].values())}
        row = AlertEvent(number=number, at=datetime_of(time.time()), data=data, for_everyone=incident.for_everyone)
        made.append((row, list(teams[incident.pk])))
    AlertEvent.objects.bulk_create([row for row, _ in made])
    of = AlertEvent.teams.through
    of._default_manager.bulk_create([of(alertevent_id=row.pk, team_id=team) for row, its in made for team in its])
    after_commit(_send, [_entry(row, its) for row, its in made])


def did(by: Principal, verb: str, thing: Model) -> None:
    """Record that somebody did something to an alert that people were told of, or to an incident."""
    is_announced = isinstance(thing, Incident) or (isinstance(thing, Alert) and thing.are_told)
    if is_announced and verb in OF_VERBS:
        assert isinstance(thing, Alert | Incident)
        why = thing.reason if OF_VERBS[verb] == TAKEN else ""
        record([Event(thing, OF_VERBS[verb], sender(by.name), why)])


def moved(transitions: Iterable[Transition]) -> None:
    """Record that incidents ended or were opened again; what alerts do is recorded when people are told of it."""
    those = {int(one.thing): one for one in transitions if one.noun == "incident"}
    if those:
        incidents = Incident.objects.in_bulk(those)
        record([Event(incidents[pk], OF_STATES[one.after], why=one.why) for pk, one in those.items()])


def entries(_: int, after: int, upto: int, most: int) -> list[Entry]:
    """Return the first `most` entries of the log with numbers above `after`, and not above `upto`."""
    found = AlertEvent.objects.filter(number__gt=after, number__lte=upto).prefetch_related("teams").order_by("number")
    return [_entry(one, [team.pk for team in one.teams.all()]) for one in found[:most]]


def forget(now: float) -> None:
    """Remove events that are older than the setting says, at `now` (Unix seconds)."""
    old = AlertEvent.objects.filter(at__lt=datetime_of(now) - timedelta(days=settings.ALERT_EVENTS_DAYS))
    old.delete()


def _entry(row: AlertEvent, teams: Sequence[int]) -> Entry:
    audience = bus.Audience(row.for_everyone, list(teams))
    return Entry(number=row.number, target="", swap="", html="", data=row.data, audience=audience)


def _send(entries: Sequence[Entry]) -> None:
    for start in range(0, len(entries), SENT_AT_ONCE):
        bus.append({EVENTS: entries[start : start + SENT_AT_ONCE]})


def _incident(thing: Alert | Incident) -> int | None:
    return thing.pk if isinstance(thing, Incident) else thing.incident_id


def _teams(incidents: Iterable[int]) -> dict[int, dict[int, str]]:
    """Return the names of the teams of each of `incidents` (ids), by the ids of the teams."""
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    rows = Team.objects.filter(incidents__in=incidents).order_by("pk").values_list("incidents", "pk", "name")
    for incident, team, name in rows:
        found[incident][team] = name
    return found


def _data(event: Event, incident: Incident, teams: Iterable[str]) -> dict[str, Any]:
    is_incident, move = isinstance(event.thing, Incident), event.move
    at = event.at or (move.at.timestamp() if move else time.time())
    found = {"kind": "incident" if is_incident else "alert", "change": event.change, "at": at, "by": event.by}
    found["why"] = event.why or (move.why if move else "")
    if isinstance(event.thing, Incident):
        return {**found, "incident": alert_documents.of_incident(incident, teams)}
    document = alert_documents.of_alert(event.thing)
    if move:
        document |= {"state": move.after, "since": at, "value": alert_documents.finite(move.value)}
    return {**found, "alert": document}
