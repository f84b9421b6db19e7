"""The log of events of alerts: following it gives what a snapshot has, in the order of commits."""

import json
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from metrics.access.principal import SYSTEM, Principal, Role, of_user
from metrics.access.sharing import Access
from metrics.actions import (
    alert_events,
    alert_following,
    alert_notices,
    alerts,
    announcements,
    incidents,
    logs,
    no_data,
    rules,
)
from metrics.actions.alert_events import OVER, RESOLVED, Event
from metrics.live.topic import EVENTS, Topic
from metrics.models import Alert, AlertEvent, Incident, LogHead, Rule, Transition
from tests import make
from tests.alerting import push_hosts, rule
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

VIEWER = Principal("user", "user vera", Role.VIEWER, 1)
Known = dict[str, dict[int, dict[str, Any]]]


def followed(by: Principal, known: Known | None = None, after: int | None = None) -> tuple[Known, int]:
    """Return the alerts and the incidents that a program knows which follows the log, and how far it has read."""
    page = alert_following.page(by, after, most=2)
    if page.start.snapshot is not None:
        found = {"alert": page.start.snapshot.alerts, "incident": page.start.snapshot.incidents}
        return {kind: {one["id"]: one for one in those} for kind, those in found.items()}, page.number
    known = known or {"alert": {}, "incident": {}}
    for event in page.events:
        thing = event[event["kind"]]
        known[event["kind"]][thing["id"]] = thing
        if event["change"] in (OVER, RESOLVED):
            del known[event["kind"]][thing["id"]]
    return followed(by, known, page.number) if page.more else (known, page.number)


def changes() -> list[tuple[str, str]]:
    return [(one.data["kind"], one.data["change"]) for one in AlertEvent.objects.all()]


def values(*those: float) -> None:
    for minute, value in enumerate(those):
        push_hosts(60 * minute, a=value)


def flap(*, calms: bool = False) -> None:
    rule("Loose", "loose")
    for minute in range(11):
        push_hosts(60 * minute, "loose", a=1 if minute % 2 else 95)
    if calms:
        push_hosts(4000, "loose", a=95)
        announcements.release(AT + 9000)


def grow_worse() -> None:
    push_hosts(a=95)
    incidents.acknowledge(SYSTEM, Incident.objects.get().pk, "mine")
    rule("Site slow", "latency", severity="critical")
    push_hosts(60, "latency", b=95)


def for_others() -> None:
    make.team("night")
    push_hosts(a=95)
    access = Access(everyone=False, teams=["night"])
    rules.change(SYSTEM, Alert.objects.get().rule_id, {}, access)
    announcements.release(AT + 60)


def deleted() -> None:
    push_hosts(a=95, b=95)
    rules.delete(SYSTEM, Alert.objects.all()[0].rule_id)


def no_data_comes(*, ends: bool = True) -> None:
    for key in "abcde":
        Alert.objects.create(rule=Rule.objects.get(), key=key, state="nodata", since_ms=AT * 1000, seen_at_ms=AT * 1000)
    no_data.look(AT)
    if ends:
        Alert.objects.update(state="ok")
        no_data.look(AT + 60)


def answered() -> None:
    push_hosts(a=95, b=96)
    incident = Incident.objects.get().pk
    incidents.acknowledge(SYSTEM, incident, "mine")
    incidents.give_back(SYSTEM, incident)
    incidents.change(SYSTEM, incident, {"title": "Disks", "severity": "critical"})
    alerts.acknowledge(SYSTEM, Alert.objects.all()[0].pk, "on it")
    incidents.resolve(SYSTEM, incident, "done")
    incidents.reopen(SYSTEM, incident, "not done")


ALERT, INCIDENT = "alert", "incident"
STORIES: dict[str, tuple[Callable[[], Any], list[tuple[str, str]] | None]] = {
    "began": (lambda: push_hosts(a=95, b=95), [(INCIDENT, "began"), (ALERT, "began"), (ALERT, "began")]),
    "over": (
        lambda: values(95, 1),
        [(INCIDENT, "began"), (ALERT, "began"), (ALERT, "over"), (INCIDENT, "resolved")],
    ),
    "comes back": (
        lambda: values(95, 1, 95),
        [
            *[(INCIDENT, "began"), (ALERT, "began"), (ALERT, "over"), (INCIDENT, "resolved")],
            *[(INCIDENT, "reopened"), (ALERT, "began")],
        ],
    ),
    "answered": (
        answered,
        [
            *[(INCIDENT, "began"), (ALERT, "began"), (ALERT, "began"), (INCIDENT, "taken"), (INCIDENT, "given back")],
            *[(INCIDENT, "changed"), (ALERT, "taken"), (INCIDENT, "resolved"), (INCIDENT, "reopened")],
        ],
    ),
    "no data": (no_data_comes, [(INCIDENT, "began"), (INCIDENT, "resolved")]),
    "flaps": (flap, None),
    "calm again": (lambda: flap(calms=True), None),
    "worse": (
        grow_worse,
        [(INCIDENT, "began"), (ALERT, "began"), (INCIDENT, "taken"), (INCIDENT, "changed"), (ALERT, "began")],
    ),
    "for others": (
        for_others,
        [
            *[(INCIDENT, "began"), (ALERT, "began"), (INCIDENT, "resolved"), (ALERT, "over")],
            *[(INCIDENT, "began"), (ALERT, "began")],
        ],
    ),
    "deleted": (
        deleted,
        [
            *[(INCIDENT, "began"), (ALERT, "began"), (ALERT, "began")],
            *[(INCIDENT, "resolved"), (ALERT, "over"), (ALERT, "over")],
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_who_follows_knows_what_a_snapshot_has(story: str) -> None:
    happen, expected = STORIES[story]
    begun, number = followed(SYSTEM)
    assert begun == {"alert": {}, "incident": {}}
    rule()
    happen()
    if expected is not None:
        assert changes() == expected
    seen, newest = followed(SYSTEM, begun, number)
    fresh, now = followed(SYSTEM)
    assert newest == now == AlertEvent.objects.count()
    unknown = ("state", "since") if story == "flaps" else ()  # its changes are not told meanwhile
    assert facts(seen, unknown) == facts(fresh, unknown)
    if story == "for others":
        for known in (followed(VIEWER), followed(VIEWER, None, 0)):
            assert known == ({"alert": {}, "incident": {}}, newest)


def facts(known: Known, unknown: Sequence[str] = ()) -> Known:
    """Return what is known but for the newest value, of which nobody is told, and who took alerts with an incident."""
    fleeting = {"value", "acknowledged_by", "acknowledged_at", "acknowledged_until", "reason", *unknown}
    seen = {pk: {name: one[name] for name in one.keys() - fleeting} for pk, one in known["alert"].items()}
    return {"alert": seen, "incident": known["incident"]}


def test_the_log_of_events_is_locked_before_those_of_rooms_and_people(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    held = logs._held

    def noted(topics: Iterable[Topic]) -> Any:
        order.extend(topic.kind for topic in topics if topic.kind not in order)
        return held(topics)

    make.user("ann")
    rule()
    monkeypatch.setattr(logs, "_held", noted)
    no_data_comes(ends=False)
    assert order == ["alerts", "room", "person"]
    order.clear()
    Alert.objects.update(state="ok")
    no_data.look(AT + 60)
    assert order == ["alerts", "room"]


def test_flapping_and_calm_are_told() -> None:
    flap(calms=True)
    told = [change for kind, change in changes() if kind == "alert"]
    assert told == ["began", "over", "began", "over", "began", "flaps", "calm"]
    assert AlertEvent.objects.latest("number").data["at"] == AT + 9000


def test_a_change_that_can_not_be_announced_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    line = alert_notices.line

    def raises(alert: Alert, move: Transition) -> str:
        return line(alert, move) if alert.labels["host"] == "a" else str(1 / 0)

    rule()
    with monkeypatch.context() as odd:
        odd.setattr(alert_notices, "line", raises)
        push_hosts(a=95, b=95)
        announcements.release(AT + 10)
        assert Alert.objects.filter(are_told=True).values_list("labels__host", flat=True).get() == "a"
        assert not Transition.objects.filter(processed_at=None).exists()
    announcements.release(AT + 20)
    assert changes() == [(INCIDENT, "began"), (ALERT, "began"), (ALERT, "began")]


def test_a_database_that_is_away_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    rule()

    def raises(_: object) -> None:
        raise OperationalError("The server closed the connection.")

    with monkeypatch.context() as away:
        away.setattr(alert_events, "record", raises)
        with pytest.raises(OperationalError):
            push_hosts(a=95)
    assert Transition.objects.filter(processed_at=None).exists()
    announcements.announce(AT + 10)
    assert changes() == [(INCIDENT, "began"), (ALERT, "began")]


def test_a_value_without_a_number_in_json_is_left_out() -> None:
    rule()
    push_hosts(a=95)
    alert = Alert.objects.select_related("rule").get()
    move = Transition.objects.filter(noun="alert").latest("pk")
    for odd in (math.inf, -math.inf, math.nan):
        alert.value = move.value = odd
        with transaction.atomic():
            alert_events.record([Event(alert, "changed"), Event(alert, "changed", move=move)])
    assert [one.data["alert"]["value"] for one in AlertEvent.objects.all()[2:]] == [None] * 6


def test_an_event_says_who_did_it_and_why() -> None:
    rule()
    push_hosts(a=95)
    ada = of_user(make.user("ada", is_staff=True))
    incidents.acknowledge(ada, Incident.objects.get().pk, "on it")
    began, taken = (AlertEvent.objects.get(number=number).data for number in (2, 3))
    assert (began["why"], began["by"], began["at"]) == ("The value was 95; bad is above 90.", "", AT)
    assert began["alert"]["labels"] == {"host": "a"}
    assert (taken["why"], taken["by"], taken["incident"]["acknowledged_by"]) == ("on it", "ada", "user ada")


def test_who_was_away_too_long_is_told_so_and_begins_anew() -> None:
    rule()
    push_hosts(a=95, b=95)
    assert alert_following.begin(SYSTEM, 1).lost == ""
    alert_events.forget(timezone.now().timestamp() + 8 * 86_400)
    push_hosts(60, a=1)
    start = alert_following.begin(SYSTEM, 1)
    assert start.lost == "Events up to 3 are kept no more: the log begins with 4. The alerts that are bad now follow."
    assert (start.number, start.begins) == (4, 4)
    assert start.snapshot is not None
    assert [one["labels"] for one in start.snapshot.alerts] == [{"host": "b"}]
    assert alert_following.begin(SYSTEM, 3).snapshot is None
    restored = alert_following.begin(SYSTEM, 5)
    assert restored.lost == "There is no event 5 yet: the newest one is 4. The alerts that are bad now follow."


def test_an_empty_log_that_had_events_has_lost_them() -> None:
    rule()
    push_hosts(a=95)
    AlertEvent.objects.all().delete()
    assert alert_following.begin(SYSTEM, 1).lost
    assert alert_following.begin(SYSTEM, 2).snapshot is None


def test_a_snapshot_comes_in_parts() -> None:
    snapshot = alert_following.Snapshot([{"id": n} for n in range(201)], [{"id": 1}])
    assert [(len(alerts), len(those), more) for alerts, those, more in snapshot.parts()] == [
        (100, 1, True),
        (100, 0, True),
        (1, 0, False),
    ]
    assert list(alert_following.Snapshot([], []).parts()) == [([], [], False)]


def test_parts_and_pages_are_no_larger_than_clients_take() -> None:
    alerts: list[dict[str, Any]] = [{"id": number, "annotations": {"text": "é" * 30_000}} for number in range(9)]
    parts = list(alert_following.Snapshot(alerts, alerts).parts())
    assert [one for part, _, _ in parts for one in part] == [one for _, part, _ in parts for one in part] == alerts
    for part in parts:
        assert len(json.dumps(part, ensure_ascii=False).encode()) < 256 * 1024 + 100
    AlertEvent.objects.bulk_create(AlertEvent(number=one["id"] + 1, at=timezone.now(), data=one) for one in alerts)
    LogHead.objects.create(topic=str(EVENTS), newest=9)
    pages, after = 0, 0
    while (page := alert_following.page(SYSTEM, after)).events:
        pages, after = pages + 1, page.number + page.more
        assert page.more is (after < 9)
    assert (pages, after) == (3, 9)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has a single writer")
def test_whoever_polls_while_many_announce_and_answer_misses_nothing() -> None:
    for metric in ("disk_used", "latency"):
        make.team(metric)
        rule(metric, metric, teams=[metric])
    announced, answered = threading.Event(), threading.Event()
    errors, read = list[Exception](), list[int]()

    def announce(metric: str) -> None:
        for minute in range(6):
            push_hosts(
                minute * 60 + (metric == "latency"), metric, **dict.fromkeys("abc", 95 if minute % 2 == 0 else 1)
            )

    def answer(_: str) -> None:
        while not announced.is_set():
            for id in Incident.objects.filter(resolved_at=None).values_list("pk", flat=True):
                incidents.acknowledge(SYSTEM, id)
                incidents.give_back(SYSTEM, id)

    def poll(_: str) -> None:
        after = 0
        while not answered.is_set() or after < AlertEvent.objects.count():
            page = alert_following.page(SYSTEM, after)
            read.extend(one["id"] for one in page.events)
            after = page.number

    def run(what: Any, metric: str) -> None:
        try:
            what(metric)
        except Exception as error:
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    writers = [threading.Thread(target=run, args=(announce, metric)) for metric in ("disk_used", "latency")]
    answering, polling = (threading.Thread(target=run, args=(what, "")) for what in (answer, poll))
    for thread in (polling, answering, *writers):
        thread.start()
    for thread in writers:
        thread.join(120)
    announced.set()
    answering.join(60)
    answered.set()
    polling.join(60)
    told = [one for one in errors if "there is nothing to" not in str(one)]
    assert told == []
    assert read == list(range(1, AlertEvent.objects.count() + 1))
    assert {kind for kind, _ in changes()} == {"alert", "incident"}
