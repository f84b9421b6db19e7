"""The words of alerts: why a state changed, and what people are told of it."""

import re

from metrics.actions import journal
from metrics.actions.rule_index import IndexedRule
from metrics.alerts.machine import Cause, Change, State
from metrics.models import Alert, Transition
from metrics.widgets import units
from metrics.widgets.links import outside

FIELD = re.compile(r"\{(\w+)\}")
SENTENCES = ("summary", "description", "message")
"""Words that may come with an alert and say what it is about, the first of them before the text of its rule."""
WORDS = {State.NODATA: "No data", State.OK: "Over", State.PENDING: "Over"}
"""Beginnings of a line of the timeline, where it is not the state itself."""
CALM, WITHHELD = "It flaps no more.", "It flaps no more, and people are not told of it now."
STILL = {State.NODATA: "without data"}


def transition(rule: IndexedRule, alert: Alert, change: Change) -> Transition:
    """Return the row of a change, with the reason."""
    return journal.transition(alert, change.before, change.after, change.at, _why(rule, alert, change), change.value)


def _why(rule: IndexedRule, alert: Alert, change: Change) -> str:
    if change.cause is Cause.LAPSED or change.after is State.NODATA:
        return "No sample came."
    lasted = "It lasted for long enough." if change.cause is Cause.TIMER else ""
    if change.value is None:
        return lasted or "A sample came."
    words = f"{lasted} The value was {units.show(change.value, alert.unit)}".lstrip()
    return f"{words}; bad is {rule.spec.kind.says(rule.condition)}."


def said(alert: Alert, move: Transition) -> str:
    """Return the sentence that people are told of a change."""
    name = str(alert)
    if move.after == State.NODATA:
        return f"No data: {name}."
    value = "" if move.value is None else str(units.show(move.value, alert.unit))
    if move.after in (State.OK, State.PENDING):
        return f"Over: {name}{f', now {value}' if value else ''}."
    return f"{alert.severity.capitalize()}: {name} is {value or 'bad'}. {text_of(alert, value)}".strip()


def flaps(alert: Alert, how: str) -> str:
    """Return the sentence that people are told of an alert that flaps."""
    return f"{alert} flaps: {how}. You are told again once it calms."


def calmed(alert: Alert) -> str:
    """Return the sentence that people are told of an alert that flapped and is bad still."""
    return f"{alert.severity.capitalize()}: {alert} flaps no more, and is {state_of(alert)}."


def state_of(alert: Alert) -> str:
    """Return the state of an alert as a word of a sentence."""
    return STILL.get(State(alert.state), alert.state)


def text_of(alert: Alert, value: str) -> str:
    """Return what the rule says of an alert, or whoever sent it, with its value and its labels."""
    text = next(filter(None, map(alert.annotations.get, SENTENCES)), "") or alert.rule.spec.get("text", "")
    return FIELD.sub(lambda found: str({**alert.labels, "value": value}.get(found[1], found[0])), text)


def value_of(alert: Alert) -> str:
    """Return the value that an alert has now, as it is told; empty if it has none."""
    return "" if alert.value is None or alert.state == State.NODATA else str(units.show(alert.value, alert.unit))


def runbook_of(alert: Alert) -> str:
    """Return the address of what to do about an alert: its own, if whoever sent it gave one, else that of its rule."""
    return outside(alert.annotations.get("runbook_url", "")) or alert.rule.spec.get("runbook", "")


def line(alert: Alert, move: Transition) -> str:
    """Return a change as a line of the timeline, in Markdown."""
    state = State(move.after)
    return line_of(alert, WORDS.get(state, state.capitalize()), move.why)


def line_of(alert: Alert, word: str, why: str) -> str:
    """Return what happened to an alert as a line of the timeline, in Markdown."""
    name = str(alert).replace("`", "'").replace("\n", " ")
    return f"**{word}** `{name}` {why}"
