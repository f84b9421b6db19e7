"""Storms: what many alerts cost that begin, or end, at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM
from metrics.actions import announcements, gathering, rules
from metrics.live import bus
from metrics.models import Alert, AlertEvent, Escalation, Incident, Transition
from metrics.times import datetime_of
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]


def queries(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        act()
    return len(asked)


def begin(count: int, name: str) -> None:
    """Have so many alerts of a new rule begin, of which nobody was told yet."""
    document = {"name": name, "query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}}
    rule, at = rules.create(SYSTEM, document), datetime_of(AT)
    labels = [{"host": f"{name} {number}"} for number in range(count)]
    alerts = [
        Alert(rule=rule, key=one["host"], labels=one, state="firing", since_ms=AT * 1000, seen_at_ms=AT * 1000)
        for one in labels
    ]
    Transition.objects.bulk_create(
        Transition(noun="alert", thing=str(one.pk), before="ok", after="firing", at=at, value=95)
        for one in Alert.objects.bulk_create(alerts)
    )


def test_incidents_that_end_together_cost_what_one_costs(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(bus, "append", lambda entries: sent.extend(map(len, entries.values())))

    def settle(count: int) -> int:
        made = [make.incident(f"{count} {number}").pk for number in range(count)]
        with transaction.atomic():
            return queries(lambda: gathering.settle(made, datetime_of(AT)))

    with django_capture_on_commit_callbacks(execute=True):
        settle(1)
        assert settle(50) == settle(1)
    assert sent == [1, 50, 1]
    assert not Incident.objects.filter(resolved_at=None).exists()
    assert [data["change"] for data in AlertEvent.objects.values_list("data", flat=True)] == ["resolved"] * 52


@pytest.mark.parametrize(("is_one_incident", "each_most"), [(True, 0), (False, 5)])
def test_what_alerts_cost_that_begin_together(is_one_incident: bool, each_most: int) -> None:
    make.user("ann")
    if not is_one_incident:
        Escalation.objects.create(spec={"steps": [{"tell": ["team"]}], "group_by": ["host"]})
    cost = {}
    for count in (1, 10):
        begin(count, f"Disk {count}")
        cost[count] = queries(lambda: announcements.announce(AT))
    assert Alert.objects.filter(are_told=True).count() == 11
    assert Incident.objects.count() == (1 if is_one_incident else 11)
    assert cost[10] <= cost[1] + 9 * each_most


def test_alerts_that_come_back_long_after_cost_no_more_each() -> None:
    begin(10, "Disk")
    announcements.announce(AT)
    Alert.objects.update(are_told=False)
    Incident.objects.update(resolved_at=datetime_of(AT), opened_at=datetime_of(AT - 9999))
    later, cost = datetime_of(AT + 9999), {}
    alerts = list(Alert.objects.order_by("pk"))
    for count, those in ((1, alerts[:1]), (9, alerts[1:])):
        Transition.objects.bulk_create(
            Transition(noun="alert", thing=str(one.pk), before="ok", after="firing", at=later, value=95)
            for one in those
        )
        cost[count] = queries(lambda: announcements.announce(AT + 9999))
    assert Alert.objects.filter(incident=Incident.objects.latest("pk")).count() == 10
    assert cost[9] <= cost[1]
