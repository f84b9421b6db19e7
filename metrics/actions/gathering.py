"""Gathering alerts into incidents: which one an alert that begins belongs to, and when an incident is over."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from metrics.actions import alert_changes, alert_events, alerts, audience, escalations, journal, locks, rooms
from metrics.alerts.escalation import EscalationSpec
from metrics.models import Alert, Incident, Rule, Team

TITLE_MOST = 200
ENDED = ["resolved_at", "resolved_by", "next_step_at", "acknowledged_until", "untold_since", "changed_at"]
"""The fields of an incident that its end changes."""
GATHERED = ["newest_at", "severity", "resolved_at", "resolved_by", "told_at", "step", "next_step_at", "unseen_at"]
"""The fields of an incident, beside `ACKNOWLEDGED`, that an alert changes which joins it."""
REOPENS_WITHIN = timedelta(minutes=10)
"""An alert that comes back so soon after its incident was over opens that one again."""


class Gathering:
    """Incidents of alerts that begin, in the transaction around this; each is read once and written once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._specs: dict[frozenset[int], EscalationSpec] = {}
        self._open: dict[str, Incident] = {}
        self._known: dict[int, Incident] = {}
        self._locked: dict[int, Incident] = {}
        self._new_ones: list[Incident] = []
        self._joined: list[Alert] = []
        self.changed: dict[Incident, str] = {}
        """How incidents changed, for programs: see `alert_events.CHANGES`."""

    def lock(self, those: Sequence[Alert]) -> None:
        """Lock the incidents that `those` alerts may belong to, before any alert is locked."""
        keys = {_key(one, self._spec(list(one.rule.teams.all()))) for one in those}
        self._locked = {one.pk: one for one in locks.incidents([one.incident_id for one in those], keys)}

    def incident_of(self, alert: Alert, at: datetime) -> Incident:
        """Return the incident of an alert that is bad since `at`: an open one that it belongs to, else a new one."""
        teams = list(alert.rule.teams.all())
        spec = self._spec(teams)
        key = _key(alert, spec)
        incident = self._before(alert, key, spec) or self._gathers(key, at, spec)
        incident = incident or self._new(alert, key, at, spec, teams)
        self._known[incident.pk] = self._open[key] = incident
        incident.newest_at = max(incident.newest_at, at)
        if alerts.SEVERITIES.index(alert.severity) < alerts.SEVERITIES.index(incident.severity):
            incident.severity = alert.severity
            self.changed.setdefault(incident, alert_events.CHANGED)
            if incident.acknowledged_at:  # it is worse than the one that somebody took
                alerts.clear(incident)
                escalations.begin(incident, spec, self.now)
        alert.incident = incident
        self._joined.append(alert)
        return incident

    def store(self) -> None:
        """Write the incidents, with their rooms, and which alerts belong to them."""
        rooms.of_incidents(self._new_ones)
        Incident.objects.bulk_update([self._known[pk] for pk in sorted(self._known)], [*GATHERED, *alerts.ACKNOWLEDGED])
        Alert.objects.bulk_update(sorted(self._joined, key=lambda one: one.pk), ["incident"])
        if self.changed:
            alert_changes.note(alert_changes.DRAWN)

    def _spec(self, teams: Sequence[Team]) -> EscalationSpec:
        ids = frozenset(team.pk for team in teams)
        if ids not in self._specs:
            self._specs[ids] = audience.of_teams(teams)
        return self._specs[ids]

    def _before(self, alert: Alert, key: str, spec: EscalationSpec) -> Incident | None:
        """Return the incident that the alert was in, for the same people, if it is open or was a moment ago."""
        if alert.incident_id is None:
            return None
        pk = alert.incident_id
        found = self._known.get(pk) or self._locked.get(pk) or _locked_rows().filter(pk=pk).first()
        if found is None or found.key != key or (found.resolved_at or self.now) < self.now - REOPENS_WITHIN:
            return None
        if found.resolved_at is not None:
            open_again(found, spec, self.now)
            self.changed[found] = alert_events.REOPENED
        return found

    def _gathers(self, key: str, at: datetime, spec: EscalationSpec) -> Incident | None:
        least = at - timedelta(seconds=spec.gather_s)
        known = self._open.get(key)
        if known is not None and known.newest_at >= least:
            return known
        others = [one for one in self._of_key.get(key, ()) if one.pk not in self._known]
        return next((one for one in reversed(others) if one.resolved_at is None and one.newest_at >= least), None)

    @cached_property
    def _of_key(self) -> dict[str, list[Incident]]:
        """The incidents that are locked, by their keys, in the order of their ids."""
        found: defaultdict[str, list[Incident]] = defaultdict(list)
        for one in self._locked.values():
            found[one.key].append(one)
        return found

    def _new(self, alert: Alert, key: str, at: datetime, spec: EscalationSpec, teams: Sequence[Team]) -> Incident:
        incident = Incident(
            key=key,
            title=str(alert)[:TITLE_MOST],
            severity=alert.severity,
            for_everyone=alert.rule.for_everyone,
            checklist=_checklist(alert),
            opened_at=at,
            newest_at=at,
        )
        escalations.begin(incident, spec, self.now)
        incident.save()
        if teams:
            incident.teams.add(*teams)
        self._new_ones.append(incident)
        self.changed[incident] = alert_events.BEGAN
        return incident


def detach(rule: Rule, now: datetime) -> None:
    """Have the alerts of `rule`, which is for other people now, gather anew, in the transaction around this."""
    rows = Alert.objects.filter(rule=rule).exclude(incident=None)
    concerned = set(rows.values_list("incident", flat=True))
    locks.incidents(concerned)
    those = locks.alerts(rows.select_related("rule"))
    told = [one for one in those if one.are_told]
    Alert.objects.filter(pk__in=[one.pk for one in those]).update(incident=None, are_told=False, flaps_since_ms=None)
    settle(concerned, now)
    alert_events.record([alert_events.Event(one, alert_events.OVER, why="Its rule is for others now.") for one in told])


def settle(ids: Iterable[int | None], now: datetime) -> list[Incident]:
    """End those incidents (ids) of which no alert is bad any more, in the transaction around this; return them."""
    wanted = {id for id in ids if id is not None}
    bad = Alert.objects.filter(incident__in=wanted, are_told=True).values("incident")
    locks.incidents(wanted)
    ended = list(Incident.objects.filter(pk__in=wanted, resolved_at=None).exclude(pk__in=bad).order_by("pk"))
    for incident in ended:
        end(incident, now, "")
    Incident.objects.bulk_update(ended, ENDED)
    moved(ended, "open", "resolved", now, "All of its alerts ended.")
    return ended


def end(incident: Incident, now: datetime, by: str) -> None:
    """Have an incident be over. Saving it, the fields `ENDED`, is for the caller."""
    incident.resolved_at, incident.resolved_by, incident.next_step_at = now, by, None
    incident.acknowledged_until = None
    incident.untold_since = incident.untold_since or now
    incident.changed_at = now


def open_again(incident: Incident, spec: EscalationSpec, now: datetime) -> None:
    """Have an incident that was over be as a new one: nobody has it, nobody was told. Saving it is for the caller."""
    incident.resolved_at, incident.resolved_by, incident.told_at = None, "", None
    alerts.clear(incident)
    escalations.begin(incident, spec, now)


def _locked_rows() -> QuerySet[Incident]:
    return Incident.objects.select_for_update(no_key=True)


def moved(those: Iterable[Incident], before: str, after: str, now: datetime, why: str) -> None:
    moved = [journal.transition(one, before, after, now.timestamp(), why) for one in those]
    journal.moved(moved)
    if moved:
        alert_changes.note(alert_changes.DRAWN)


def _key(alert: Alert, spec: EscalationSpec) -> str:
    """Return the same for alerts that belong together: those for the same people, with the same labels to group by."""
    teams = sorted(team.pk for team in alert.rule.teams.all())
    labels = {name: alert.labels.get(name, "") for name in sorted(spec.group_by)}
    document = json.dumps([alert.rule.for_everyone, teams, labels])
    return hashlib.sha256(document.encode()).hexdigest()[:32]


def _checklist(alert: Alert) -> list[dict[str, Any]]:
    """Return the checklist of the rule of `alert`, of which nothing is done."""
    items: Sequence[str] = alert.rule.spec.get("checklist", ())
    return [{"text": text} for text in items]
