"""Alerts in the webhooks of Alertmanager and Grafana, and in a plain form of our own.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
Both tell rarely that something is bad still, and once that it is over: so what is bad holds until then.
"""

import math
from collections.abc import Mapping
from typing import Any

from metrics.ingest import alertmanager
from metrics.ingest.alerts import (
    ALERTNAME,
    SEVERITY,
    BadAlert,
    NotAlerts,
    Sent,
    SentAlert,
    document,
    lenient,
    made,
    moment,
)

HOLDS_S = 7 * 86_400.0
"""So long at most holds what nobody says the end of."""
OVER = frozenset({"resolved", "ok", "normal", "inactive", "good", "up", "closed", "recovered", "clear", "success"})
BAD = frozenset(
    {"firing", "alerting", "active", "bad", "down", "open", "triggered", "problem", "nodata", "no_data", "error"}
    | {"pending", "critical", "warning", "failed", "failure"}
)


def parse(body: bytes, now: float) -> Sent:
    """Return the alerts in `body`, of whichever form it is. Raises NotAlerts."""
    given = document(body)
    if isinstance(given, list):
        return alertmanager.read(given, now)
    if not isinstance(given, dict) or not isinstance(given.get("alerts"), list):
        raise NotAlerts('the body has no list "alerts"')
    sent = Sent()
    for one in given["alerts"]:
        sent.add(_of_webhook if isinstance(one, dict) and "status" in one else plain, one, now)
    return sent


def plain(one: Any, now: float) -> SentAlert:
    """Return the alert of `{"name", "labels"?, "state"?, "severity"?, "text"?, "link"?, "value"?, "since"?, …}`.

    Without a `state` it is bad; `holds` are the seconds that it is so without being sent anew. Raises BadAlert.
    """
    if not isinstance(one, dict):
        raise BadAlert("an alert is an object")
    labels = _mapping(one, "labels")
    name = one.get("name") or labels.get(ALERTNAME)
    if not isinstance(name, str) or not name.strip():
        raise BadAlert("an alert has a name")
    more = {ALERTNAME: name, SEVERITY: one.get("severity") or labels.get(SEVERITY)}
    texts = {"summary": one.get("text"), "description": one.get("description"), "runbook_url": one.get("runbook")}
    starts_at = _time(one.get("since"), now)
    holds_s = _number(one.get("holds"), "holds")
    if holds_s is not None and holds_s < 0:
        raise BadAlert("holds is a number of seconds, 0 or more")
    ends_at = now if is_over(one.get("state")) else now + (HOLDS_S if holds_s is None else holds_s)
    return made(
        lenient({**labels, **more}.items()),
        {**_texts(_mapping(one, "annotations")), **_texts(texts)},
        min(starts_at, ends_at),
        ends_at,
        now,
        _string(one.get("link")),
        _number(one.get("value"), "value"),
    )


def is_over(state: Any) -> bool:
    """Whether a word, or true for bad, says that an alert is over. Raises BadAlert for one that nobody knows."""
    if state is None or isinstance(state, bool):
        return state is False
    word = str(state).strip().lower()
    if word in OVER:
        return True
    if word in BAD or not word:
        return False
    raise BadAlert(f"{word[:40]!r} is no state such as firing or resolved")


def _of_webhook(one: Mapping[str, Any], now: float) -> SentAlert:
    starts_at = _time(one.get("startsAt"), now)
    ends_at = _time(one.get("endsAt"), now) if is_over(one["status"]) else now + HOLDS_S
    annotations = _texts(_mapping(one, "annotations"))
    return made(
        lenient(_mapping(one, "labels").items()),
        annotations,
        min(starts_at, ends_at),
        min(ends_at, now) if is_over(one["status"]) else ends_at,
        now,
        _string(one.get("generatorURL") or one.get("panelURL") or one.get("dashboardURL")),
        _value(one.get("values")),
    )


def _value(values: Any) -> float | None:
    """Return the one number in Grafana's values; None if there are several, or none."""
    numbers = [one for one in values.values() if _is_number(one)] if isinstance(values, dict) else []
    return float(numbers[0]) if len(numbers) == 1 else None


def _mapping(one: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = one.get(field)
    if found is not None and not isinstance(found, dict):
        raise BadAlert(f"{field} is an object of names and values")
    return found or {}


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): _string(text) for name, text in given.items() if text not in (None, "")}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any, field: str) -> float | None:
    if value is None:
        return None
    if not _is_number(value):
        raise BadAlert(f"{field} is a number")
    return float(value)


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))
    except OverflowError:
        return False


def _time(given: Any, now: float) -> float:
    """Return a time that is Unix seconds, or as RFC 3339 writes it; `now` for none. Raises BadAlert."""
    if given in (None, ""):
        return now
    if _is_number(given):
        return float(given)
    try:
        found = moment(given) if isinstance(given, str) else None
    except (ValueError, OverflowError):
        raise BadAlert(f"{given[:40]!r} is no time such as 2026-11-20T12:00:00Z") from None
    if found is None and not isinstance(given, str):
        raise BadAlert("a time is Unix seconds, or such as 2026-11-20T12:00:00Z")
    return now if found is None else found
