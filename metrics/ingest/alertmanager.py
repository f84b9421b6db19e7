"""Alerts as Prometheus, Thanos and vmalert send them to an Alertmanager: `[{labels, annotations, startsAt, …}]`.

https://prometheus.io/docs/alerting/latest/clients/. Refusals, and their words, are those of Alertmanager.
"""

from collections.abc import Mapping
from typing import Any

from metrics.ingest.alerts import BadAlert, NotAlerts, Sent, SentAlert, document, made, moment

RESOLVES_AFTER_S = 300.0
"""So long an alert holds that does not say when it ends."""
GO_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def parse(body: bytes, now: float) -> Sent:
    """Return the alerts in `body`. Raises NotAlerts."""
    return read(document(body), now)


def read(given: Any, now: float) -> Sent:
    """Return the alerts of a document. Raises NotAlerts if one has a wrong type: then none is taken."""
    if given is not None and not isinstance(given, list):
        raise NotAlerts(f"json: cannot unmarshal {_kind(given)} into Go value of type models.PostableAlerts")
    sent = Sent()
    for one in [_typed(one) for one in given or ()]:
        sent.add(_made, one, now)
    return sent


def _typed(one: Any) -> Mapping[str, Any]:
    if not isinstance(one, dict):
        raise NotAlerts(f"json: cannot unmarshal {_kind(one)} into Go value of type models.PostableAlert")
    found: dict[str, Any] = {
        name: _texts(one.get(name), f"Alert.{name}" if name == "labels" else f"PostableAlert.{name}")
        for name in ("labels", "annotations")
    }
    for name in ("startsAt", "endsAt", "generatorURL"):
        text = one.get(name)
        if text is not None and not isinstance(text, str):
            raise NotAlerts(f"json: cannot unmarshal {_kind(text)} into Go struct field Alert.{name} of type string")
        found[name] = text or ""
    for name in ("startsAt", "endsAt"):
        found[name] = _moment(found[name])
    return found


def _texts(given: Any, field: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise NotAlerts(f"json: cannot unmarshal {_kind(given)} into Go struct field {field} of type models.LabelSet")
    for text in given.values():
        if text is not None and not isinstance(text, str):
            raise NotAlerts(f"json: cannot unmarshal {_kind(text)} into Go struct field {field} of type string")
    return {name: text or "" for name, text in given.items()}


def _moment(text: str) -> float | None:
    try:
        return moment(text) if text else None
    except (ValueError, OverflowError):
        raise NotAlerts(f'parsing time "{text[:40]}" as "2006-01-02T15:04:05Z07:00": cannot parse it') from None


def _made(one: Mapping[str, Any], now: float) -> SentAlert:
    starts_at, ends_at = one["startsAt"], one["endsAt"]
    if starts_at is None:
        starts_at = now if ends_at is None else min(now, ends_at)
    if ends_at is None:
        ends_at = now + RESOLVES_AFTER_S
    for name in one["annotations"]:
        if not name:
            raise BadAlert('invalid annotations: invalid name ""')
    return made(one["labels"], one["annotations"], starts_at, ends_at, now, one["generatorURL"])


def _kind(value: Any) -> str:
    return GO_NAMES.get(type(value), "null")
