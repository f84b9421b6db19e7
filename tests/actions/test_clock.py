"""A clock that is set back: alerts are seen again, people are told no later, and wait no longer than they had to."""

from datetime import timedelta

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import clock, evaluation, rules
from metrics.models import Alert, Channel, Delivery, Incident
from metrics.times import datetime_of
from tests import make
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

BACK_S = 3600.0


def push(at: float, value: float) -> None:
    accepted([sample("errors", value, at, host="a")], now=at)
    evaluation.evaluate(at)
    evaluation.look(at)


def test_an_alert_that_was_over_begins_again_after_the_clock_was_set_back() -> None:
    query, condition = {"metric": "errors", "group_by": ["host"]}, {"kind": "threshold", "above": 10}
    rules.create(SYSTEM, {"name": "Errors", "query": query, "condition": condition})
    for after_s, value in ((0, 50), (20, 50), (40, 1), (60, 1)):
        push(AT + after_s, value)
    alert = Alert.objects.get()
    assert alert.state == "ok"

    now = AT + 60 - BACK_S
    clock.follow(AT + 60, now, now)
    for after_s in (300, 320):
        push(now + after_s, 50)
    alert.refresh_from_db()
    assert alert.state == "firing"


def test_what_waits_waits_as_long_as_it_had_to_and_nothing_is_seen_in_a_time_to_come() -> None:
    before, after = datetime_of(AT), datetime_of(AT - BACK_S)
    minute = timedelta(minutes=1)
    incident = make.incident("Disk full")
    moments = {"untold_since": before - minute, "told_at": before - 90 * minute, "next_step_at": before + 5 * minute}
    Incident.objects.update(acknowledged_until=before + minute, **moments)
    channel = Channel.objects.create(name="ops", kind="webhook", config={})
    of_states = {
        state: Delivery.objects.create(
            channel=channel, key=state, document={}, state=state, created_at=before - minute, next_at=before + minute
        )
        for state in (Delivery.WAITING, Delivery.HELD)
    }

    clock.follow(AT, AT - BACK_S, AT - BACK_S)
    incident.refresh_from_db()
    assert incident.untold_since == after - minute
    assert incident.told_at == before - 90 * minute
    assert incident.next_step_at == after + 5 * minute
    assert incident.acknowledged_until == before + minute
    for one in of_states.values():
        one.refresh_from_db()
    assert of_states[Delivery.WAITING].next_at == after + minute
    assert of_states[Delivery.HELD].next_at == before + minute
