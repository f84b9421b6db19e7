"""Incidents as people have them: they look at them, take them, hand them over, end them and open them again."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, Count, DateTimeField, Q, When

from metrics.access.policy import ACKNOWLEDGE, CHANGE, check, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import (
    alert_changes,
    alerts,
    audience,
    escalations,
    gathering,
    journal,
    locks,
    notifications,
    timeline,
)
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.actions.notification_settings import ALERT
from metrics.alerts.machine import ALERTING, BURNING, State
from metrics.models import Alert, Incident
from metrics.models.log import sender
from metrics.prepared_query import Given, PreparedQuery
from metrics.times import datetime_of
from metrics.widgets.links import outside

LISTED_MOST = 200
CHECKLIST_MOST, ITEM_MOST = 50, 300
BAD = ALERTING | BURNING
"""The states of alerts that somebody should know of."""
OPEN_FIRST = Case(When(resolved_at=None, then=0), default=1)
ACKNOWLEDGED = alerts.ACKNOWLEDGED


def find(by: Principal, id: int) -> Incident:
    """Return the incident `id`. Raises Missing, also if it is not for `by` to see."""
    found = visible(by, Incident).prefetch_related("teams").filter(pk=id).first()
    if found is None:
        raise Missing(f"There is no incident {id}.")
    return found


class Counts(NamedTuple):
    """How many alerts an incident has, and how many of them somebody should know of."""

    all: int
    bad: int


def listed(by: Principal, all: bool = False) -> list[Incident]:
    """Return the incidents that `by` may see and that are open, or all: the open ones first, then the newest."""
    rows = visible(by, Incident).select_related("room").prefetch_related("teams")
    return list((rows if all else rows.filter(resolved_at=None)).order_by(OPEN_FIRST, "-pk")[:LISTED_MOST])


def counts(incidents: Iterable[Incident]) -> dict[int, Counts]:
    """Return how many alerts each of `incidents` has, by their ids, in one query."""
    rows = Alert.objects.filter(incident__in=[one.pk for one in incidents]).order_by().values_list("incident")
    found = {pk: Counts(*of) for pk, *of in rows.annotate(Count("pk"), bad=Count("pk", filter=Q(state__in=BAD)))}
    return {one.pk: found.get(one.pk, Counts(0, 0)) for one in incidents}


def ids_of_alerts(incidents: Iterable[Incident]) -> dict[int, list[int]]:
    """Return the ids of the alerts of each of `incidents`, in order, by its id, in one query."""
    found: dict[int, list[int]] = {one.pk: [] for one in incidents}
    for incident, alert in Alert.objects.filter(incident__in=found).order_by("pk").values_list("incident", "pk"):
        found[incident].append(alert)
    return found


def acknowledge(
    by: Principal, id: int, reason: str = "", until: datetime | None = None, had_by: str | None = None
) -> Incident:
    """Take an incident, with all of its alerts that nobody has taken; it may be that of somebody else.

    `had_by` is who had it when `by` saw it, as in `alerts.check_holder`; so it is below.
    Raises Missing, Forbidden and Invalid.
    """
    reason = alerts.checked_reason(reason, until)
    now = datetime_of(time.time())
    with transaction.atomic():
        incident = _locked(by, id, ACKNOWLEDGE)
        if incident.resolved_at is not None:
            raise Invalid("id", "This incident is over; there is nothing to acknowledge.")
        alerts.check_holder(by, incident, had_by)
        before = alerts.acknowledgement(incident)
        _take(by, incident, reason, until, now)
        journal.record(by, "acknowledge", incident, before, alerts.acknowledgement(incident))
        before_by = before["by"] if before["by"] != by.name else ""
        timeline.acknowledged(by, incident, before_by)
    return incident


def give_back(by: Principal, id: int, had_by: str | None = None) -> Incident:
    """Take an acknowledgement back: the incident, and the alerts taken with it, are for anybody again.

    Raises Missing, Forbidden and Invalid.
    """
    with transaction.atomic():
        incident = _locked(by, id, ACKNOWLEDGE)
        if incident.resolved_at is not None:
            raise Invalid("id", "This incident is over; there is nothing to give back.")
        alerts.check_holder(by, incident, had_by)
        _give_back(by, incident)
    return incident


def hand_over(by: Principal, id: int, to: str, reason: str = "", had_by: str | None = None) -> Incident:
    """Give an incident to the user named `to`, who is told. Raises Missing, Forbidden and Invalid."""
    reason = alerts.checked_reason(reason, None)
    with transaction.atomic():
        incident = _locked(by, id, ACKNOWLEDGE)
        person = escalations.person(to)
        if person is None or not visible(person, Incident).filter(pk=incident.pk).exists():
            raise Invalid("to", f"to: there is no user {to[:100]!r} who may see this incident.")
        if incident.resolved_at is not None:
            raise Invalid("id", "This incident is over; there is nothing to hand over.")
        alerts.check_holder(by, incident, had_by)
        check(person, ACKNOWLEDGE, incident)
        before = alerts.acknowledgement(incident)
        _take(person, incident, reason, None, datetime_of(time.time()))
        journal.record(by, "hand over", incident, before, alerts.acknowledgement(incident))
        timeline.handed_over(by, incident)
        text = f"{sender(by.name)} handed it over to you: {incident.title}"
        notifications.send(by, [person.pk or 0], ALERT, text, f"/incidents/{incident.pk}/")
    return incident


def resolve(by: Principal, id: int, reason: str = "") -> Incident:
    """End an incident, whatever its alerts do; they gather anew when they begin anew. Raises Missing and Forbidden."""
    reason = alerts.checked_reason(reason, None)
    now = datetime_of(time.time())
    with transaction.atomic():
        incident = _locked(by, id, CHANGE)
        if incident.resolved_at is None:
            gathering.end(incident, now, by.name)
            incident.save(update_fields=gathering.ENDED)
            gathering.moved([incident], "open", "resolved", now, f"{by.name} resolved it.")
            journal.record(by, "resolve", incident)
            timeline.resolved(by, incident, reason)
        elif reason:
            timeline.resolved(by, incident, reason, too=True)
    return incident


def reopen(by: Principal, id: int, reason: str = "") -> Incident:
    """Open an incident again; people are told of it as of a new one. Raises Missing, Forbidden and Invalid."""
    reason = alerts.checked_reason(reason, None)
    now = datetime_of(time.time())
    with transaction.atomic():
        incident = _locked(by, id, CHANGE)
        if incident.resolved_at is not None:
            gathering.open_again(incident, audience.of_teams(incident.teams.all()), now)
            incident.untold_since = incident.changed_at = now
            incident.save()
            gathering.moved([incident], "resolved", "open", now, f"{by.name} reopened it.")
            journal.record(by, "reopen", incident)
            timeline.reopened(by, incident, reason)
        elif reason:
            timeline.reopened(by, incident, reason, too=True)
    return incident


def change(by: Principal, id: int, changes: Mapping[str, Any]) -> Incident:
    """Set the `title`, the `severity` or the `checklist` (texts), as `changes` says.

    Raises Missing, Forbidden and Invalid.
    """
    with transaction.atomic():
        incident = _locked(by, id, CHANGE)
        before = facts(incident)
        if "title" in changes:
            incident.title = _text("title", changes["title"], gathering.TITLE_MOST)
        if "severity" in changes:
            if changes["severity"] not in alerts.SEVERITIES:
                raise Invalid("severity", f"severity: it is one of {', '.join(alerts.SEVERITIES)}.")
            incident.severity = changes["severity"]
        if "checklist" in changes:
            incident.checklist = _items(incident.checklist, changes["checklist"])
        incident.save(update_fields=["title", "severity", "checklist"])
        journal.record(by, "change", incident, before, facts(incident))
        if (incident.title, incident.severity) != (before["title"], before["severity"]):
            alert_changes.note(alert_changes.DRAWN)
        if incident.severity != before["severity"]:
            timeline.graded(by, incident)
    return incident


def tick(by: Principal, id: int, place: int, *, done: bool = True, text: str | None = None) -> Incident:
    """Note that the item at `place` (from 0) of the checklist is done, or is not; `text` is what `by` read there.

    Raises Missing, Forbidden and Invalid.
    """
    with transaction.atomic():
        incident = _locked(by, id, ACKNOWLEDGE)
        if not 0 <= place < len(incident.checklist):
            raise Invalid("place", f"place: the checklist has {len(incident.checklist)} items.")
        item = incident.checklist[place]
        if text is not None and text.split() != item["text"].split():  # forms write line ends in their own way
            raise Invalid("text", "The checklist was changed just before; nothing was ticked.")
        if bool(item.get("done_by")) != done:
            before = facts(incident)
            stamp = {"done_by": by.name, "done_at": time.time()} if done else {}
            incident.checklist = [
                {"text": item["text"], **stamp} if index == place else one
                for index, one in enumerate(incident.checklist)
            ]
            incident.save(update_fields=["checklist"])
            journal.record(by, "change", incident, before, facts(incident))
            timeline.ticked(by, incident, item["text"], done=done)
    return incident


def _over_by(now: datetime | Given) -> Q:
    return Q(acknowledged_until__lte=now, resolved_at=None)


_OVER = PreparedQuery(
    lambda now: Incident.objects.filter(_over_by(now)).order_by().values_list("pk")[:1], DateTimeField()
)


def end_acknowledgements(now: float) -> None:
    """Have those come back whose time is over: whoever is told first is told again."""
    if not _OVER.finds(datetime_of(now)):
        return
    over = _over_by(datetime_of(now))
    for id in Incident.objects.filter(over).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():  # one each: alerts are locked before the log of events
            incident = Incident.objects.select_for_update(no_key=True).filter(over, pk=id).first()
            if incident is None:
                continue
            _give_back(SYSTEM, incident)
            incident.untold_since = incident.changed_at = datetime_of(now)
            incident.save(update_fields=["untold_since", "changed_at"])


def facts(incident: Incident) -> dict[str, Any]:
    """Return what the journal keeps of an incident."""
    return {"title": incident.title, "severity": incident.severity, "checklist": incident.checklist}


def alerts_of(by: Principal, incident: Incident, most: int = alerts.LISTED_MOST) -> list[Alert]:
    """Return the alerts of an incident that `by` may see: the worst first."""
    rows = visible(by, Alert).filter(incident=incident).select_related("rule")
    return list(rows.order_by(alerts.WORST_FIRST, alerts.MOST_SEVERE_FIRST, "-since_ms", "pk")[:most])


def count_of_alerts(by: Principal, incident: Incident) -> int:
    """Return how many alerts of an incident `by` may see."""
    return visible(by, Alert).filter(incident=incident).count()


def runbooks(by: Principal, incident: Incident) -> list[str]:
    """Return the runbooks of the alerts of an incident, of what `by` may see: its own, else that of its rule."""
    rows = visible(by, Alert).filter(incident=incident).order_by()
    found = rows.values_list("annotations__runbook_url", "rule__spec__runbook").distinct()
    return sorted({outside(own or "") or runbook for own, runbook in found} - {None, ""})


def _take(by: Principal, incident: Incident, reason: str, until: datetime | None, now: datetime) -> None:
    """Note that `by` has taken an incident, and its alerts that were free, or whoever's the incident was."""
    before = incident.acknowledged_by
    alerts.take(by, incident, reason, until, now)
    incident.next_step_at = None
    incident.untold_since, incident.changed_at = incident.untold_since or now, now
    incident.save(update_fields=[*ACKNOWLEDGED, "next_step_at", "untold_since", "changed_at"])
    theirs = Q(acknowledged_at=None) | (Q(acknowledged_by=before) if before else Q(pk=None))
    taken = locks.alerts(Alert.objects.filter(theirs, incident=incident).exclude(state=State.OK))
    rows = Alert.objects.filter(pk__in=[one.pk for one in taken])
    rows.update(**{name: getattr(incident, name) for name in ACKNOWLEDGED})


def _give_back(by: Principal, incident: Incident) -> None:
    if not incident.acknowledged_at:
        return
    before = alerts.acknowledgement(incident)
    taken = locks.alerts(Alert.objects.filter(incident=incident, acknowledged_by=incident.acknowledged_by))
    rows = Alert.objects.filter(pk__in=[one.pk for one in taken])
    rows.update(acknowledged_at=None, acknowledged_by="", acknowledged_until=None, reason="")
    alerts.clear(incident)
    escalations.begin(incident, audience.of_teams(incident.teams.all()), datetime_of(time.time()))
    incident.save(update_fields=[*ACKNOWLEDGED, "step", "next_step_at", "unseen_at"])
    journal.record(by, "give back", incident, before, alerts.acknowledgement(incident))
    timeline.given_back(by, incident, sender(before["by"]))


def _locked(by: Principal, id: int, verb: str) -> Incident:
    incident = locks.locked(find(by, id), no_key=True)
    check(by, verb, incident)
    return incident


def _items(before: Sequence[Mapping[str, Any]], texts: Any) -> list[dict[str, Any]]:
    """Return `texts` as a checklist; what was done stays so, by its text. Raises Invalid."""
    if not isinstance(texts, list | tuple) or len(texts) > CHECKLIST_MOST:
        raise Invalid("checklist", f"checklist: it is a list of at most {CHECKLIST_MOST} texts.")
    done = {one["text"]: one for one in before}
    return [dict(done.get(text, {"text": text})) for text in (_text("checklist", one, ITEM_MOST) for one in texts)]


def _text(field: str, text: Any, most: int) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > most:
        raise Invalid(field, f"{field}: it is a text of 1 to {most} characters.")
    check_storable(text, field)
    return text.strip()
