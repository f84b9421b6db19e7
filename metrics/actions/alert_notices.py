"""The words of alerts: why a state changed, and what people are told of it."""

import re

from metrics.access.principal import SYSTEM
from metrics.actions import journal, notifications
from metrics.actions.notification_settings import ALERT
from metrics.actions.rule_index import Known
from metrics.alerts.machine import BURNING, TOLD, Change, State
from metrics.models import Alert, Rule, Transition
from metrics.widgets import units

FIELD = re.compile(r"\{(\w+)\}")


def transition(rule: Known, alert: Alert, change: Change) -> Transition:
    """Return the row of a change, with the reason."""
    return journal.transition(alert, change.before, change.after, change.at, _why(rule, alert, change))


def _why(rule: Known, alert: Alert, change: Change) -> str:
    if change.after is State.NODATA:
        return "No sample came."
    if change.value is None:
        return "It lasted for long enough."
    words = f"The value was {units.show(change.value, alert.unit)}"
    return f"{words}; bad is {rule.spec.kind.says(rule.condition)}."


def tell(rule: Known, alert: Alert, change: Change) -> None:
    """Tell the people of the rule what begins and what is over, in the transaction of the change."""
    begins = change.after in TOLD and not (change.after is State.FIRING and change.before is State.RECOVERING)
    is_over = change.before in (*BURNING, State.NODATA) and change.after in (State.OK, State.PENDING)
    if not begins and not is_over:
        return
    text = said(rule, alert, change)[: notifications.TEXT_MOST]
    key = f"alert:{alert.pk}:{change.after}:{change.at:.3f}"
    for to in _told(rule):
        notifications.tell(SYSTEM, to, ALERT, text, f"/alerts/{alert.pk}/", key)


def _told(rule: Known) -> list[str]:
    """Return the people whom `rule` tells: its teams; without any, everyone who may see it."""
    row = Rule.objects.prefetch_related("teams").filter(pk=rule.pk).first()
    if row is None:
        return []
    teams = [f"team:{team.name}" for team in row.teams.all()]
    return teams or ([notifications.EVERYONE] if row.for_everyone else [])


def said(rule: Known, alert: Alert, change: Change) -> str:
    """Return the sentence that people are told of `change`."""
    name = str(alert)
    if change.after is State.NODATA:
        return f"No data: {name}."
    value = "" if change.value is None else str(units.show(change.value, alert.unit))
    if change.after in (State.OK, State.PENDING):
        return f"Over: {name}{f', now {value}' if value else ''}."
    text = FIELD.sub(lambda found: {**alert.labels, "value": value}.get(found[1], found[0]), rule.spec.text)
    return f"{rule.spec.severity.capitalize()}: {name} is {value or 'bad'}. {text}".strip()
