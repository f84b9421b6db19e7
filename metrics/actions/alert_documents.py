"""Alerts and incidents as programs see them, over HTTP and over sockets. Times are Unix seconds."""

import math
from collections.abc import Iterable
from typing import Any

from metrics.models import Alert, Incident
from metrics.times import seconds_of


def of_alert(alert: Alert) -> dict[str, Any]:
    """Return an alert, whose rule was fetched with it."""
    return {
        "id": alert.pk,
        "rule": alert.rule.name,
        "labels": alert.labels,
        "severity": alert.severity,
        "incident": alert.incident_id,
        "state": alert.state,
        "since": alert.since_ms / 1000,
        "value": finite(alert.value),
        "unit": alert.unit,
        "annotations": alert.annotations,
        "link": alert.link,
        **_taken(alert),
    }


def of_incident(incident: Incident, teams: Iterable[str]) -> dict[str, Any]:
    """Return an incident, which is that of `teams` (names)."""
    return {
        "id": incident.pk,
        "title": incident.title,
        "severity": incident.severity,
        "teams": sorted(teams),
        "checklist": incident.checklist,
        "opened_at": incident.opened_at.timestamp(),
        "resolved_at": seconds_of(incident.resolved_at),
        "resolved_by": incident.resolved_by,
        **_taken(incident),
    }


def finite(value: float | None) -> float | None:
    """Return `value`, None for one that JSON has no number for."""
    return None if value is None or not math.isfinite(value) else value


def _taken(thing: Alert | Incident) -> dict[str, Any]:
    return {
        "acknowledged_by": thing.acknowledged_by,
        "acknowledged_at": seconds_of(thing.acknowledged_at),
        "acknowledged_until": seconds_of(thing.acknowledged_until),
        "reason": thing.reason,
    }
