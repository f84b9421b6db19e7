"""Messages about incidents through channels: one for a storm, then updates of the same conversation, then its end.

A first message waits until nothing more happens for a moment, and a storm at most for half a minute. Updates come at
intervals; that somebody took it, that something critical began, and that it is over are told at once. An incident that
was over before anybody was told is never told of.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from celery.exceptions import OperationalError
from django.db import transaction
from django.db.models import DateTimeField, F, Q, QuerySet
from redis import RedisError

from metrics.actions import alert_notices, alerts, audience, deliveries, timeline
from metrics.alerts.machine import State
from metrics.database import after_commit
from metrics.models import Alert, Channel, Delivery, Incident
from metrics.models.log import sender
from metrics.notify.message import Chart, Line, Message
from metrics.notify.message import State as MessageState
from metrics.prepared_query import Given, PreparedQuery
from metrics.redis_state import delivering, outage
from metrics.times import datetime_of

SETTLES = timedelta(seconds=0.6)
WAITS_MOST = timedelta(seconds=30)
INTERVAL = timedelta(minutes=5)
LINES_MOST = 10
AT_ONCE = 100
HELD = Delivery.HELD


def _waiting(changed: datetime | Given, since: datetime | Given, told: datetime | Given) -> QuerySet[Incident]:
    """Return the incidents that people are to be told of: that changed until `changed`, or first `since` then.

    Of those that are no news, those that they were `told` of until then.
    """
    settled = Q(changed_at__lte=changed) | Q(untold_since__lte=since)
    is_news = Q(resolved_at__isnull=False) | Q(acknowledged_at__gt=F("told_at")) | Q(severity="critical")
    due = Q(told_at=None) | is_news | Q(told_at__lte=told)
    return Incident.objects.exclude(untold_since=None).filter(settled, due)


_WAITING = PreparedQuery(
    lambda *ends: _waiting(*ends).order_by(alerts.MOST_SEVERE_FIRST, "untold_since").values_list("pk"),
    *[DateTimeField()] * 3,
)


def send(now: float) -> int:
    """Queue the messages that are due at `now` (Unix seconds); return of how many incidents."""
    moment, count = datetime_of(now), 0
    ends = moment - SETTLES, moment - WAITS_MOST, moment - INTERVAL
    for (pk,) in _WAITING.rows(*ends):
        if count == AT_ONCE:
            break
        with transaction.atomic():
            incident = _waiting(*ends).select_for_update(no_key=True).prefetch_related("teams").filter(pk=pk).first()
            if incident is None or not _is_due(incident, moment) or _is_quiet(incident, moment):
                continue
            if incident.told or incident.resolved_at is None:
                state: MessageState = "resolved" if incident.resolved_at else "update" if incident.told_at else "firing"
                incident.told += 1
                said = message(incident, state, f"incident:{pk}:{incident.told}", now)
                channels = _channels(incident, state, now)
                held = {one.channel_id for one in deliveries.queue(channels, said, at=now) if one.state == HELD}
                if held and state == "firing":
                    names = ", ".join(sorted(one.name for one in channels if one.pk in held))
                    timeline.say(incident, f"In the next digest of {names}.", f"digest:{pk}:{incident.told}")
                incident.told_at = moment
                count += 1
            incident.untold_since = None
            incident.save(update_fields=["told", "told_at", "untold_since"])
    return count


def ask(kinds: Collection[str]) -> None:
    """Have what this transaction changes told as soon as it has settled, through `kinds` of channels."""
    after_commit(_ask, kinds)


def escalated(incident: Incident, channels: Sequence[Channel], key: str, now: datetime) -> list[Channel]:
    """Queue the message that nobody has taken an incident, in the transaction around this; return who is told now.

    In quiet hours it waits: when those end, the next message says how it stands. Saving that is for the caller.
    """
    if _is_quiet(incident, now):
        incident.untold_since, incident.changed_at = incident.untold_since or now, now
        return []
    said = message(incident, "escalated", key, now.timestamp())
    held = {one.channel_id for one in deliveries.queue(channels, said, at=now.timestamp()) if one.state == HELD}
    return [one for one in channels if one.pk not in held]


def message(incident: Incident, state: MessageState, key: str, now: float) -> Message:
    """Return what is told of an incident as it stands: its worst alerts, with the chart of the first."""
    rows = Alert.objects.filter(incident=incident).select_related("rule")
    rows = rows if state == "resolved" else rows.filter(are_told=True)
    found = list(rows.order_by(alerts.WORST_FIRST, alerts.MOST_SEVERE_FIRST, "-since_ms", "pk")[:LINES_MOST])
    return Message(
        subject=incident.title,
        state=state,
        key=key,
        at=now,
        conversation=f"incident:{incident.pk}",
        severity=incident.severity,
        lines=tuple(map(_line, found)),
        more=max(0, rows.count() - len(found)),
        url=deliveries.address_of(f"/incidents/{incident.pk}/"),
        runbook=next(filter(None, map(alert_notices.runbook_of, found)), ""),
        who=sender(incident.acknowledged_by) if incident.acknowledged_by else "",
        chart=_chart(found[0], now) if found else None,
    )


def _channels(incident: Incident, state: MessageState, now: float) -> list[Channel]:
    """Return the channels that hear of an incident; of its end all that ever heard of it."""
    found = {one.pk: one for one in audience.of_incident(incident, now).channels}
    if state == "resolved":
        heard = Channel.objects.filter(deliveries__conversation=f"incident:{incident.pk}", enabled=True)
        found |= {one.pk: one for one in heard.distinct()}
    return list(found.values())


def _chart(alert: Alert, now: float) -> Chart:
    fired = None if alert.fired_at_ms is None else alert.fired_at_ms / 1000
    return Chart(alert.rule_id, alert.series, now, fired)


def _line(alert: Alert) -> Line:
    value = alert_notices.value_of(alert)
    text = alert_notices.text_of(alert, value)
    name = f"{alert}: no data" if alert.state == State.NODATA else str(alert)
    name = f"{alert} flaps" if alert.flaps_since_ms is not None else name
    return Line(f"{name}. {text}" if text else name, value, alert.since_ms / 1000)


def _is_quiet(incident: Incident, now: datetime) -> bool:
    """Whether what happened waits: its teams have quiet hours for such."""
    quiet = audience.of_teams(incident.teams.all()).quiet
    return quiet is not None and quiet.holds(incident.severity, now)


def _is_due(incident: Incident, now: datetime) -> bool:
    if incident.told_at is None or incident.resolved_at is not None or incident.told_at <= now - INTERVAL:
        return True
    if incident.acknowledged_at is not None and incident.acknowledged_at > incident.told_at:
        return True
    fired = Alert.objects.filter(incident=incident, severity="critical", are_told=True)
    return fired.filter(fired_at_ms__gt=incident.told_at.timestamp() * 1000).exists()


def _ask(kinds: Collection[str]) -> None:
    try:
        delivering.ask_soon(kinds, SETTLES.total_seconds())
    except (RedisError, OperationalError) as error:
        outage.log("messages wait", error)  # the next tick sends them
