"""Alerts as people use them: the list of bad ones, and acknowledging them."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, Q, When

from metrics.access.policy import ACKNOWLEDGE, check, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import journal, locks
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.alerts.machine import State
from metrics.models import Alert, Incident, Rule
from metrics.models.log import sender
from metrics.prepared_query import PreparedQuery
from metrics.times import datetime_of

REASON_MOST = 500
LISTED_MOST = 1000
ORDER = (State.FIRING, State.NODATA, State.RECOVERING, State.PENDING)
WORST_FIRST = Case(*(When(state=state, then=place) for place, state in enumerate(ORDER)), default=len(ORDER))
SEVERITIES = ("critical", "warning", "info")
MOST_SEVERE_FIRST = Case(
    *(When(severity=one, then=place) for place, one in enumerate(SEVERITIES)), default=len(SEVERITIES)
)
KEPT = timedelta(days=90)
FORGOTTEN_AT_ONCE = 1000
ACKNOWLEDGED = ["acknowledged_at", "acknowledged_by", "acknowledged_until", "reason"]


def acknowledge(by: Principal, id: int, reason: str, until: datetime | None = None) -> Alert:
    """Take an alert: `by` looks after it, for `reason`, `until` then or until it ends. It is looked at as before.

    Raises Missing, Forbidden and Invalid, also if somebody else has taken it.
    """
    reason = checked_reason(reason, until)
    with transaction.atomic():
        alert = locks.locked(find(by, id), no_key=True)
        check(by, ACKNOWLEDGE, alert)
        if alert.state == State.OK:
            raise Invalid("id", "This alert is over; there is nothing to acknowledge.")
        if alert.acknowledged_by not in ("", by.name):
            raise Invalid("id", f"{sender(alert.acknowledged_by)} has taken it already; it has to be given back first.")
        before = acknowledgement(alert)
        take(by, alert, reason, until, datetime_of(time.time()))
        alert.save(update_fields=ACKNOWLEDGED)
        journal.record(by, "acknowledge", alert, before, acknowledgement(alert))
    return alert


def acknowledge_all(
    by: Principal, ids: Iterable[int], reason: str, until: datetime | None = None
) -> tuple[list[Alert], list[str]]:
    """Take alerts for one reason; return those that were taken, and a sentence for each that can't be.

    Raises Forbidden, and Invalid for a reason or a time that can't be.
    """
    reason = checked_reason(reason, until)
    taken, refused = [], []
    for id in list(dict.fromkeys(ids))[:LISTED_MOST]:
        try:
            taken.append(acknowledge(by, id, reason, until))
        except (Invalid, Missing) as problem:
            refused.append(f"Alert {id}: {problem}")
    return taken, refused


def take(by: Principal, thing: Alert | Incident, reason: str, until: datetime | None, now: datetime) -> None:
    """Note that `by` has taken `thing`; saving it is for the caller."""
    thing.acknowledged_at, thing.acknowledged_by = now, by.name
    thing.acknowledged_until, thing.reason = until, reason


def checked_reason(reason: str, until: datetime | None) -> str:
    """Return `reason` as it is stored. Raises Invalid unless it can be one, and `until` is in the future."""
    check_storable(reason, "reason")
    if len(reason) > REASON_MOST:
        raise Invalid("reason", f"reason: it has at most {REASON_MOST} characters.")
    if until is not None and until <= datetime_of(time.time()):
        raise Invalid("until", "until: it has to be in the future.")
    return reason.strip()


def give_back(by: Principal, id: int, had_by: str | None = None) -> Alert:
    """Take an acknowledgement back: the alert is for anybody again. `had_by` is as in `check_holder`.

    Raises Missing, Forbidden and Invalid.
    """
    with transaction.atomic():
        alert = locks.locked(find(by, id), no_key=True)
        check(by, ACKNOWLEDGE, alert)
        check_holder(by, alert, had_by)
        _give_back(by, alert)
    return alert


def end_all(by: Principal, rule: Rule, why: str, *, kept: Iterable[str] = ()) -> None:
    """Have the alerts of `rule` end, but for those whose keys are `kept`, in the transaction of a change of it."""
    for alert in locks.alerts(Alert.objects.filter(rule=rule).exclude(state=State.OK).exclude(key__in=set(kept))):
        journal.moved([journal.transition(alert, alert.state, State.OK, time.time(), why)])
        alert.state, alert.since_ms = State.OK, round(time.time() * 1000)
        clear(alert)
        alert.save(update_fields=["state", "since_ms", *ACKNOWLEDGED])


def find(by: Principal, id: int) -> Alert:
    """Return the alert `id` with its rule. Raises Missing, also if it is not for `by` to see."""
    alert = visible(by, Alert).select_related("rule").filter(pk=id).first()
    if alert is None:
        raise Missing(f"There is no alert {id}.")
    return alert


def current(by: Principal, all: bool = False) -> list[Alert]:
    """Return the alerts that `by` may see and that are not ok, or all: the worst first, then the newest."""
    found = visible(by, Alert).select_related("rule", "incident").prefetch_related("rule__teams")
    if not all:
        found = found.exclude(state=State.OK)
    return list(found.order_by(WORST_FIRST, MOST_SEVERE_FIRST, "-since_ms", "pk")[:LISTED_MOST])


def acknowledgement(thing: Alert | Incident) -> dict[str, str]:
    """Return who has taken `thing`, as the journal keeps it."""
    until = thing.acknowledged_until
    return {"by": thing.acknowledged_by, "reason": thing.reason, "until": until.isoformat() if until else ""}


def check_holder(by: Principal, thing: Alert | Incident, had_by: str | None) -> None:
    """Raise Invalid if somebody else took `thing` after `by` saw that `had_by` had it: "" nobody, None whoever."""
    if had_by is not None and thing.acknowledged_by not in ("", by.name, had_by):
        raise Invalid("had_by", f"{sender(thing.acknowledged_by)} took it just before you; nothing was changed.")


def clear(thing: Alert | Incident) -> None:
    """Leave nobody who has taken `thing`; saving it is for the caller."""
    thing.acknowledged_at = thing.acknowledged_until = None
    thing.acknowledged_by = thing.reason = ""


def _give_back(by: Principal, alert: Alert) -> None:
    before = acknowledgement(alert)
    clear(alert)
    alert.save(update_fields=ACKNOWLEDGED)
    journal.record(by, "give back", alert, before, acknowledgement(alert))


_OVER = PreparedQuery(
    lambda now: Alert.objects.filter(acknowledged_until__lte=now).order_by().values_list("pk")[:1], DateTimeField()
)


def end_acknowledgements(now: float) -> None:
    """Have those come back whose time is over."""
    if not _OVER.finds(datetime_of(now)):
        return
    over = Q(acknowledged_until__lte=datetime_of(now))
    with transaction.atomic():
        for alert in locks.alerts(Alert.objects.select_related("rule").filter(over)):
            _give_back(SYSTEM, alert)


def forget(now: float) -> None:
    """Remove the alerts that are over for `KEPT` at `now` (Unix seconds); transitions say what they were."""
    oldest_ms = round((now - KEPT.total_seconds()) * 1000)
    over = Alert.objects.filter(state=State.OK, since_ms__lt=oldest_ms, are_told=False, flaps_since_ms=None)
    while some := list(over.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        with transaction.atomic():
            those = locks.alerts(over.filter(pk__in=some))
            Alert.objects.filter(pk__in=[one.pk for one in those]).delete()
