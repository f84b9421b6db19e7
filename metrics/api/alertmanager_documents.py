"""Documents as Alertmanager's API of version 2 has them, every field present: alerts, groups, silences, the status.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psutil
from django.http import HttpRequest

from metrics.actions import silences
from metrics.actions.listed_alerts import Listed
from metrics.health.own_metrics import ALERTMANAGER_VERSION
from metrics.ingest.alertmanager import RESOLVES_AFTER_S
from metrics.models import Silence
from metrics.times import datetime_of

VERSION = {
    "branch": "watchfloor",
    "buildDate": "20261101-00:00:00",
    "buildUser": "watchfloor",
    "goVersion": "none",
    "revision": "watchfloor",
    "version": ALERTMANAGER_VERSION,
}


def status(receivers: Sequence[str]) -> dict[str, Any]:
    """Return what it is, with a configuration that Alertmanager's tools can read."""
    names = [json.dumps(name) for name in receivers]
    lines = ["global:", "  resolve_timeout: 5m", "route:", f"  receiver: {names[0]}", "receivers:"]
    config = "\n".join([*lines, *(f"- name: {name}" for name in names), "templates: []", ""])
    return {
        "cluster": {"status": "disabled", "peers": []},
        "config": {"original": config},
        "uptime": moment(started_at()),
        "versionInfo": VERSION,
    }


@cache
def started_at() -> datetime:
    """Return when this process began; it may be a copy of one that imported this before."""
    return datetime_of(psutil.Process().create_time())


def alert(request: HttpRequest, one: Listed, now: float) -> dict[str, Any]:
    """Return one alert; one that is evaluated here holds for as long as others would."""
    row = one.alert
    ends_ms = row.ends_at_ms or (now + RESOLVES_AFTER_S) * 1000
    link = row.link if row.rule.received is not None else request.build_absolute_uri(f"/alerts/{row.pk}/")
    found = {
        "annotations": one.annotations(),
        "endsAt": moment(datetime_of(ends_ms / 1000)),
        "fingerprint": one.fingerprint,
        "labels": one.labels,
        "receivers": [{"name": name} for name in one.receivers],
        "startsAt": moment(datetime_of((row.fired_at_ms or row.since_ms) / 1000)),
        "status": {
            "inhibitedBy": [],
            "mutedBy": list(one.muted_by),
            "silencedBy": list(one.silenced_by),
            "state": "active" if one.is_active else "suppressed",
        },
        "updatedAt": moment(datetime_of(max(row.seen_at_ms, row.since_ms) / 1000)),
    }
    return {**found, "generatorURL": link} if link else found


def groups(alerts: Iterable[tuple[Listed, dict[str, Any]]], names: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return alerts and their documents by receiver, and by the values of the labels of these `names` for each."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[dict[str, Any]]] = {}
    for one, document in alerts:
        for receiver in one.receivers:
            by = tuple((name, one.labels[name]) for name in sorted(names.get(receiver, ())) if name in one.labels)
            found.setdefault((receiver, by), []).append(document)
    return [
        {
            "alerts": sorted(documents, key=lambda document: sorted(document["labels"].items())),
            "labels": dict(by),
            "receiver": {"name": receiver},
            "routeLabels": {},
        }
        for (receiver, by), documents in sorted(found.items(), key=lambda pair: (pair[0][1], pair[0][0]))
    ]


def silence(one: Silence, now: datetime) -> dict[str, Any]:
    """Return one silence."""
    return {
        "id": str(one.pk),
        "status": {"state": silences.state(one, now)},
        "annotations": {},
        "comment": one.comment,
        "createdBy": one.by,
        "startsAt": moment(one.starts_at),
        "endsAt": moment(one.ends_at),
        "updatedAt": moment(one.updated_at),
        "matchers": one.matchers,
    }


def order(one: Silence, now: datetime) -> tuple[int, float]:
    """Return what silences are sorted by: active ones by their end, pending ones by their start, then others."""
    state = silences.state(one, now)
    if state == silences.ACTIVE:
        return 0, one.ends_at.timestamp()
    return (1, one.starts_at.timestamp()) if state == silences.PENDING else (2, -one.ends_at.timestamp())


def moment(at: datetime) -> str:
    """Return a time as Alertmanager writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
