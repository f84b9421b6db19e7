"""The one order of locks: who waits for an incident holds none of its alerts; who waits for an alert, no later one."""

import threading
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import announcements, incidents, locks, rule_index, rules
from metrics.actions.errors import Missing
from metrics.models import Alert, Incident, Rule, Transition
from metrics.times import datetime_of
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WITHIN_S = 60


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch) -> Incident:
    """An incident with one alert that is bad, and told of."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks all of the database.")
    monkeypatch.setattr("metrics.redis_state.arrived.wake", lambda: None)
    rule_index.forget()
    document = {"name": "Disk full", "query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}}
    rule = rules.create(SYSTEM, document)
    found = make.incident("Disk full")
    alert = Alert.objects.create(
        rule=rule, key="a", state="firing", since_ms=AT * 1000, seen_at_ms=AT * 1000, are_told=True, incident=found
    )
    moved(alert, "firing", is_announced=True)
    return found


def moved(alert: Alert, after: str, *, is_announced: bool = False) -> None:
    at = datetime_of(AT)
    Transition.objects.create(
        noun="alert", thing=str(alert.pk), before="ok", after=after, at=at, processed_at=at if is_announced else None
    )


def is_over(alert: Alert) -> None:
    Alert.objects.update(state="ok")
    moved(alert, "ok")
    Transition.objects.filter(after="ok").update(before="firing")


def flaps(alert: Alert) -> None:
    Alert.objects.update(flaps_since_ms=0)


def is_held(alert: Alert) -> None:
    Alert.objects.update(are_told=False)


def nothing(alert: Alert) -> None: ...


CASES: list[tuple[str, Callable[[Alert], None], Callable[[int, int], object]]] = [
    ("what is over is announced", is_over, lambda rule, incident: announcements.announce(AT)),
    ("what was held back is released", is_held, lambda rule, incident: announcements.release(AT)),
    ("what flapped is calm", flaps, lambda rule, incident: announcements.release(AT + 9999)),
    ("a rule is deleted", nothing, lambda rule, incident: rules.delete(SYSTEM, rule)),
    ("a rule is turned off", nothing, lambda rule, incident: rules.change(SYSTEM, rule, {"enabled": False})),
    ("an incident is taken", nothing, lambda rule, incident: incidents.acknowledge(SYSTEM, incident)),
]


def test_whoever_waits_for_an_incident_holds_no_alert(incident: Incident) -> None:
    for name, prepare, act in CASES:
        with transaction.atomic():
            (alert,) = Alert.objects.select_related("rule")
            prepare(alert)
        errors: list[Exception] = []
        with transaction.atomic():
            Incident.objects.select_for_update().get(pk=incident.pk)
            thread = threading.Thread(target=_run, args=(act, alert.rule_id, incident.pk, errors))
            thread.start()
            _until_somebody_waits(thread)
            assert thread.is_alive(), (name, errors)
            Alert.objects.select_for_update(nowait=True).get(pk=alert.pk)  # else this raises
            transaction.set_rollback(True)
        thread.join(WITHIN_S)
        assert errors == [], name
        _as_before(alert, incident)


def is_over_in_part(alert: Alert) -> None:
    Alert.objects.filter(pk=min(Alert.objects.values_list("pk", flat=True))).update(state="ok")


def is_for_others(rule: int, incident: int) -> object:
    return rules.change(SYSTEM, rule, {"enabled": False}, Access(everyone=False, teams=[make.team("Others").name]))


OF_ALERTS = [*CASES, ("a rule is turned off and for others", is_over_in_part, is_for_others)]


@pytest.mark.parametrize("case", OF_ALERTS, ids=[name for name, _, _ in OF_ALERTS])
def test_whoever_waits_for_an_alert_holds_none_with_a_higher_id(
    incident: Incident, case: tuple[str, Callable[[Alert], None], Callable[[int, int], object]]
) -> None:
    _, prepare, act = case
    first = Alert.objects.select_related("rule").get()
    second = Alert.objects.get()
    second.pk, second.key = first.pk + 1, "b"
    # The first lies behind the second in the table, where an UPDATE comes across it later.
    Alert.objects.all().delete()
    second.save(force_insert=True)
    first.save(force_insert=True)
    moved(second, "firing", is_announced=True)
    with transaction.atomic():
        for alert in (second, first):
            prepare(alert)
    errors: list[Exception] = []
    with transaction.atomic():
        Alert.objects.select_for_update().get(pk=first.pk)
        thread = threading.Thread(target=_run, args=(act, first.rule_id, incident.pk, errors))
        thread.start()
        _until_somebody_waits(thread)
        assert thread.is_alive(), errors
        Alert.objects.select_for_update(nowait=True).get(pk=second.pk)  # else this raises
        transaction.set_rollback(True)
    thread.join(WITHIN_S)
    assert errors == []


def test_a_rule_that_is_changed_lets_alerts_of_it_begin(incident: Incident) -> None:
    rule = Rule.objects.get()
    with transaction.atomic():
        rules.change(SYSTEM, rule.pk, {"severity": "critical"})
        errors: list[Exception] = []
        thread = threading.Thread(target=_run, args=(lambda rule, _: _begin(rule), rule.pk, 0, errors))
        thread.start()
        thread.join(WITHIN_S)
        assert not thread.is_alive()
    assert errors == []
    assert Alert.objects.count() == 2


def _begin(rule: int) -> None:
    Alert.objects.create(rule_id=rule, key="b", state="firing", since_ms=0, seen_at_ms=0)


def _run(act: Callable[[int, int], object], rule: int, incident: int, errors: list[Exception]) -> None:
    try:
        act(rule, incident)
    except Exception as error:
        errors.append(error)
    finally:
        connection.close()


def _until_somebody_waits(thread: threading.Thread) -> None:
    """Wait until another connection waits for a lock, or the thread is over."""
    end = time.monotonic() + WITHIN_S
    while thread.is_alive() and time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(WAITS)
            if cursor.fetchone()[0]:
                return
        thread.join(0.05)


def _as_before(alert: Alert, incident: Incident) -> None:
    """Have the rule, its alert and the incident be as at first."""
    rule = alert.rule
    rule.enabled = True
    rule.save()
    incident.save()
    Transition.objects.all().delete()
    Alert.objects.all().delete()
    alert.state, alert.are_told, alert.flaps_since_ms, alert.incident = "firing", True, None, incident
    alert.save(force_insert=True)
    moved(alert, "firing", is_announced=True)


def test_a_row_that_somebody_removed_meanwhile_is_missing() -> None:
    found = make.user("ada")
    with transaction.atomic():
        assert locks.locked(found) == found
        User.objects.all().delete()
        with pytest.raises(Missing, match="Somebody removed ada meanwhile"):
            locks.locked(found)


def test_rows_that_refer_to_what_is_locked_are_written_meanwhile(incident: Incident) -> None:
    alert = Alert.objects.get()
    rows = {Rule: alert.rule_id, Incident: incident.pk, Alert: alert.pk}
    errors: list[Exception] = []

    def refer(_: int, __: int) -> None:
        with connection.cursor() as cursor:
            for model, id in rows.items():  # as PostgreSQL itself looks at the row of a foreign key
                cursor.execute(f"SELECT 1 FROM {model._meta.db_table} WHERE id = %s FOR KEY SHARE NOWAIT", [id])

    with transaction.atomic():
        locks.rules([alert.rule_id])
        locks.incidents([incident.pk])
        locks.locked(incident, no_key=True)
        locks.alerts(Alert.objects.all())
        thread = threading.Thread(target=_run, args=(refer, 0, 0, errors))
        thread.start()
        thread.join(WITHIN_S)
    assert errors == []
