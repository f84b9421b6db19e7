"""Somebody takes an alert."""

from datetime import timedelta

import pytest

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.access.sharing import Access
from metrics.actions import alerts, evaluation, rules
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.alerts.machine import State
from metrics.models import Alert, AuditEntry, Team
from metrics.times import datetime_of
from tests import make
from tests.alerting import push, rule
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]


def person(name: str, *, edits: bool = False) -> Principal:
    return of_user(make.user(name, is_staff=edits))


def test_somebody_takes_it_until_it_ends() -> None:
    ann = person("ann", edits=True)
    rule()
    push(95)
    taken = alerts.acknowledge(ann, Alert.objects.get().pk, " on it ")
    assert (taken.acknowledged_by, taken.reason, taken.state) == ("user ann", "on it", State.FIRING)
    assert AuditEntry.objects.filter(verb="acknowledge", by="user ann").exists()
    push(96, 10)
    assert Alert.objects.get().acknowledged_by == "user ann"
    push(50, 20)
    assert Alert.objects.get().acknowledged_by == ""


def test_it_comes_back_when_its_time_is_over() -> None:
    rule()
    push(95)
    pk = Alert.objects.get().pk
    until = datetime_of(AT) + timedelta(days=36_500)
    alerts.acknowledge(SYSTEM, pk, "", until)
    evaluation.sweep(until.timestamp() - 1)
    assert Alert.objects.get().acknowledged_at is not None
    evaluation.sweep(until.timestamp())
    assert Alert.objects.get().acknowledged_at is None


def test_another_does_not_take_what_somebody_has() -> None:
    rule()
    push(95)
    pk = Alert.objects.get().pk
    alerts.acknowledge(person("ann", edits=True), pk, "on it")
    with pytest.raises(Invalid, match="ann has taken it already"):
        alerts.acknowledge(person("bob", edits=True), pk, "mine")


def test_what_is_over_is_not_taken() -> None:
    rule()
    push(95)
    push(50, 10)
    with pytest.raises(Invalid, match="This alert is over"):
        alerts.acknowledge(SYSTEM, Alert.objects.get().pk, "")


def test_viewers_and_strangers_do_not() -> None:
    ops = Team.objects.create(name="ops")
    made = rule()
    push(95)
    pk = Alert.objects.get().pk
    with pytest.raises(Forbidden, match="only editors and administrators may acknowledge alerts"):
        alerts.acknowledge(person("vic"), pk, "")
    rules.change(SYSTEM, made.pk, {}, access=Access(everyone=False, teams=[ops.name]))
    with pytest.raises(Missing):
        alerts.acknowledge(person("eve", edits=True), pk, "")


def test_an_acknowledgement_stays_while_it_recovers_and_ends_with_it() -> None:
    ann = person("ann", edits=True)
    rule(condition={"kind": "threshold", "above": 90, "clear_below": 80}, clear_for="1m")
    push(95, host="a")
    alerts.acknowledge(ann, Alert.objects.get().pk, "mine")
    push(70, 10, host="a")
    assert (Alert.objects.get().state, Alert.objects.get().reason) == ("recovering", "mine")
    push(70, 80, host="a")
    evaluation.sweep(AT + 90)
    assert (Alert.objects.get().state, Alert.objects.get().reason) == ("ok", "")
