"""Missing data of most rules at once: one incident about this system, instead of one for each series.

While it is open, people are not told of single series without data. It is over when at most half of them have none.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from metrics.access.principal import SYSTEM
from metrics.actions import (
    alert_changes,
    alert_events,
    audience,
    escalations,
    gathering,
    locks,
    notifications,
    rooms,
    rule_index,
    timeline,
)
from metrics.actions.notification_settings import ALERT
from metrics.actions.withholding import Reason
from metrics.alerts.machine import State
from metrics.models import Alert, Incident
from metrics.series import read
from metrics.times import datetime_of

KEY = "no data"
TITLE = "Watchfloor gets no data"
LEAST = 5
"""Of fewer series each is told."""
SHARE = 0.5
WINDOW_S = 60.0
SEEN_S = 86_400.0
"""A series whose newest sample is older is gone, and does not count."""


def look(now: float) -> None:
    """Open or end the incident that says that we get no data, at `now` (Unix seconds)."""
    found = _open()
    if found is None and _without().filter(since_ms__gte=(now - WINDOW_S) * 1000).count() < LEAST:
        return
    without = _without().filter(seen_at_ms__gt=(now - SEEN_S) * 1000).count()
    watched = _watched(now)
    is_so = without >= LEAST and without > SHARE * watched
    with transaction.atomic():
        if is_so and found is None:
            _begin(without, watched, now)
        elif found is not None and not is_so:
            locks.incidents([found.pk])
            gathering.settle([found.pk], datetime_of(now))
            timeline.say(found, f"Data comes again: {without} of {watched} series have none.")


def reasons(alerts: Sequence[Alert]) -> dict[int, Reason]:
    """Return why people are not told of those of `alerts` that have no data, by their ids."""
    if not any(one.state == State.NODATA for one in alerts):
        return {}
    found = _open()
    if found is None:
        return {}
    since = found.opened_at.timestamp()
    reason = Reason("no data", str(found.pk), TITLE, "", since, float("inf"))
    return {one.pk: reason for one in alerts if one.state == State.NODATA}


def _open() -> Incident | None:
    return Incident.objects.filter(key=KEY, resolved_at=None).first()


def _without() -> QuerySet[Alert]:
    return Alert.objects.filter(state=State.NODATA)


def _watched(now: float) -> int:
    """Return how many series rules look at that have data, or had it lately; each counts for each of its rules."""
    rules = [one for of_metric in rule_index.by_metric().values() for one in of_metric if one.spec.no_data == "nodata"]
    tracks = [track for rule in rules for track in read.tracks(rule.query, now, rule.hidden)]
    return sum(track.latest is not None and track.came_at > now - SEEN_S for track in tracks)


def _begin(without: int, watched: int, now: float) -> None:
    moment = datetime_of(now)
    incident = Incident.objects.create(
        key=KEY,
        title=TITLE,
        severity="critical",
        opened_at=moment,
        newest_at=moment,
        untold_since=moment,
        changed_at=moment,
    )
    rooms.of_incident(incident)
    escalations.begin(incident, audience.of_teams([]), moment)
    incident.save()
    alert_events.record([alert_events.Event(incident, alert_events.BEGAN)])
    alert_changes.note(alert_changes.DRAWN)
    text = f"{TITLE}: {without} of {watched} series have none. People are not told of each of them."
    timeline.say(incident, text)
    counts = {
        to: notifications.send(SYSTEM, to, ALERT, text, f"/incidents/{incident.pk}/", f"incident:{incident.pk}:no-data")
        for to in audience.of_incident(incident, now).people
    }
    timeline.say_all(timeline.notified(incident, counts))
