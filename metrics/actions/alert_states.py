"""Changes of the states of alerts, written many at a time with their transitions: compare and swap."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from django.db.models import Q

from metrics.actions import alert_notices, alerts, journal
from metrics.actions.looked import Looked
from metrics.alerts.machine import BURNING, Change, State, Status
from metrics.models import Alert

FOLLOWED = ["state", "since_ms", "seen_at_ms", "lapses_after_s", "labels", "severity", "value", "fired_at_ms"]
CLEARED = {"acknowledged_at": None, "acknowledged_until": None, "acknowledged_by": "", "reason": ""}


@dataclass(frozen=True, slots=True)
class Moved:
    """One rule and series that were looked at, where the alert stands now, and the changes that led there."""

    looked: Looked
    status: Status
    changes: Sequence[Change]


def write(moved: Sequence[Moved]) -> int:
    """Write where alerts stand, but for those that somebody else changed since they were read; return how many.

    In the transaction around this.
    """
    begun = _free([one for one in moved if one.looked.alert is None])
    known = _unchanged([one for one in moved if one.looked.alert is not None])
    followed = {one.pk: one for one in map(_followed, known)}
    Alert.objects.bulk_update(followed.values(), FOLLOWED)
    over = [alert.pk for alert, one in zip(followed.values(), known, strict=True) if _is_over(one.changes)]
    Alert.objects.filter(pk__in=over).update(**CLEARED)
    made = Alert.objects.bulk_create(map(_followed, begun))
    journal.moved(
        alert_notices.transition(one.looked.rule, alert, change)
        for alert, one in zip([*made, *followed.values()], [*begun, *known], strict=True)
        for change in one.changes
    )
    return len(begun) + len(known)


def _free(begun: Sequence[Moved]) -> list[Moved]:
    """Return those of which there is no alert yet."""
    ours = Q(rule__in={one.looked.rule.pk for one in begun}, key__in=[one.looked.key for one in begun])
    there = set(Alert.objects.filter(ours).values_list("rule_id", "key")) if begun else set()
    return [one for one in begun if (one.looked.rule.pk, one.looked.key) not in there]


def _unchanged(known: Sequence[Moved]) -> list[Moved]:
    """Return those whose alert stands as it was read, and hold it until the end of the transaction."""
    rows = Alert.objects.filter(pk__in=[one.looked.alert.pk for one in known if one.looked.alert])
    held = rows.select_for_update(no_key=True).order_by("pk").values_list("pk", "state", "since_ms", "seen_at_ms")
    now = {pk: (state, since_ms, seen_at_ms) for pk, state, since_ms, seen_at_ms in held} if known else {}
    return [
        one
        for one in known
        if (alert := one.looked.alert)
        and (state := now.get(alert.pk))
        and state[:2] == (alert.state, alert.since_ms)
        and state[2] <= _seen_at_ms(alert, one.status)
    ]


def _followed(one: Moved) -> Alert:
    """Return the alert as it stands now: a copy of the one that was read, or a new one."""
    looked, status = one.looked, one.status
    alert = copy(looked.alert) or Alert(
        rule_id=looked.rule.pk, key=looked.key, series=dict(looked.labels), unit=looked.unit, seen_at_ms=0
    )
    alert.labels, alert.severity = {**looked.labels, **looked.rule.spec.labels}, looked.rule.spec.severity
    alert.lapses_after_s = looked.stale_after_s or alert.lapses_after_s
    alert.seen_at_ms = _seen_at_ms(alert, status)
    alert.value = alert.value if looked.value is None else looked.value
    alert.state, alert.since_ms = status.state, round(max(status.since, 0.0) * 1000)
    fired = [change.at for change in one.changes if change.after is State.FIRING and change.before not in BURNING]
    alert.fired_at_ms = round(fired[-1] * 1000) if fired else alert.fired_at_ms
    if _is_over(one.changes):
        alerts.clear(alert)
    return alert


def _seen_at_ms(alert: Alert, status: Status) -> int:
    return max(alert.seen_at_ms, round(max(status.seen_at, 0.0) * 1000))


def _is_over(changes: Sequence[Change]) -> bool:
    return any(change.after is State.OK for change in changes)
