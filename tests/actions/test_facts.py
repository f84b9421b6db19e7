"""Facts for dashboards: who may see which, when time alone changes them, and what is known of the past."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import Model

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import (
    alert_changes,
    bad_alerts,
    facts,
    journal,
    maintenance,
    odd_rows,
    on_call,
    render,
    rules,
    schedules,
    silences,
    untold,
    windows,
)
from metrics.alerts import rotation
from metrics.alerts.matchers import parse, to_json
from metrics.live import due, marks
from metrics.live.topic import Topic
from metrics.models import (
    Alert,
    AlertWebhook,
    Channel,
    Delivery,
    Escalation,
    Heartbeat,
    Maintenance,
    MaintenanceSpan,
    Override,
    Rule,
    Schedule,
    Silence,
    Source,
    Widget,
)
from metrics.redis_state.connection import KEY, client
from metrics.redis_state.round_trip import ask
from metrics.times import datetime_of
from metrics.widgets.untold import WORDS
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

EVERY = [Widget(kind=kind, config={}) for kind in ("on_call", "untold", "alerts")]
LAYER = {
    "people": ["ada"],
    "start": "2026-11-20T09:00",
    "unit": "hours",
    "every": 8,
    "only": {"from": "09:00", "to": "14:00"},
}


def silence(comment: str, start: float, end: float, everyone: bool = True, *teams: Any) -> Silence:
    ends = {"starts_at": datetime_of(AT + start), "ends_at": datetime_of(AT + end)}
    given = to_json(parse("host=a"))
    row = Silence.objects.create(matchers=given, by="ada", comment=comment, for_everyone=everyone, **ends)
    row.teams.set(teams)
    return row


def works(comment: str, start: float, end: float, everyone: bool = True, *teams: Any) -> Maintenance:
    given = to_json(parse("host=a"))
    row = Maintenance.objects.create(matchers=given, by="ada", comment=comment, for_everyone=everyone)
    row.teams.set(teams)
    ends = {"starts_at": datetime_of(AT + start), "ends_at": datetime_of(AT + end)}
    MaintenanceSpan.objects.create(maintenance=row, **ends)
    windows.forget()
    return row


def taken(name: str, **labels: str) -> Alert:
    document = {"name": name, "query": {"metric": "load"}, "condition": {"kind": "threshold", "above": 90}}
    rule = Rule.objects.filter(name=name).first() or rules.create(SYSTEM, document)
    fields = {"labels": labels, "series": labels, "key": str(labels), "since_ms": AT * 1000, "seen_at_ms": AT * 1000}
    moment = datetime_of(AT)
    return Alert.objects.create(rule=rule, state="firing", acknowledged_by="ada", acknowledged_at=moment, **fields)


def test_a_dashboard_has_what_a_viewer_in_its_teams_may_see() -> None:
    ops, shop = make.team("ops"), make.team("shop")
    for name, everyone, teams in [("all", True, ()), ("ops", False, (ops,)), ("shop", False, (shop,))]:
        Schedule.objects.create(name=name, for_everyone=everyone).teams.set(teams)
        silence(name, -60, 600, everyone, *teams)
        works(name, -30, 600, everyone, *teams)
        source = Source.objects.create(kind="host", name=name, every_s=10, enabled=False, for_everyone=everyone)
        source.teams.set(teams)
    for name, teams, seen in [
        ("open", (), {"all"}),
        ("of-ops", (ops,), {"all", "ops"}),
        ("of-shop", (shop,), {"all", "shop"}),
    ]:
        dashboard = make.dashboard(name, teams=teams)
        found = facts.on(dashboard.pk, EVERY, AT)
        assert found.on_call is not None
        assert found.untold is not None
        assert {one.schedule for one in found.on_call} == seen
        assert {one.title for one in found.untold} == seen
        assert sorted(one.kind for one in found.untold) == sorted(["silence", "maintenance", "source"] * len(seen))
        assert {one.reason for one in found.maintenance} == seen
    unsaved = facts.on(None, EVERY, AT)
    assert {one.reason for one in unsaved.maintenance} == {"all"}


def test_of_a_channel_it_says_that_it_fails_and_no_more() -> None:
    ops, shop = make.team("ops"), make.team("shop")
    for name, team in [("secret-ops", ops), ("secret-shop", shop), ("secret-all", None)]:
        Channel.objects.create(name=name, kind="webhook", team=team, enabled=False)
    (dashboard,) = [make.dashboard("of-ops", teams=[ops])]
    found = facts.on(dashboard.pk, EVERY, AT).untold
    assert [(one.kind, one.title, one.text, one.link) for one in found or ()] == [
        ("channel", "A channel", "It is turned off.", "/untold/")
    ] * 2


def test_each_kind_that_keeps_quiet_is_drawn_and_a_digest_is_no_failure() -> None:
    Escalation.objects.create(spec={"x": 1}, version=99)
    Schedule.objects.create(name="Odd", spec=[])
    AlertWebhook.objects.create(name="Hook", mapping=[], digest="x")
    held = Channel.objects.create(name="secret", kind="webhook", config={"url": "http://x/"})
    Delivery.objects.create(
        channel=held, key="a", document={}, state=Delivery.HELD, created_at=datetime_of(AT), next_at=datetime_of(AT)
    )
    found = {one.kind: one for one in facts.on(None, EVERY, AT).untold or ()}
    assert {"escalation", "schedule", "digest"} <= set(found) <= set(WORDS)
    assert {"escalation", "schedule", "webhook"} <= {one.kind for one in untold.untold(SYSTEM, AT)} <= set(WORDS)
    assert (found["digest"].title, found["digest"].text) == ("A channel", "It hears of 1 message in its next digest.")


@pytest.mark.parametrize(
    "model", [Silence, Maintenance, Source, Heartbeat, Rule, Schedule, Channel, Escalation, AlertWebhook]
)
def test_a_change_of_each_thing_that_may_keep_quiet_is_a_change_of_what_is_not_told(model: type[Model]) -> None:
    assert "untold" in alert_changes.FACTS[journal.noun_of(model())]


def test_of_many_taken_alerts_each_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untold, "TAKEN_MOST", 1)
    for number in range(3):
        taken("Load", host=str(number))
    found = facts.on(None, EVERY, AT).untold or ()
    assert [(one.title, one.count) for one in found][1:] == [("And 2 more", 2)]
    assert sum(one.count for one in found) == 3


def test_only_what_a_widget_needs_is_read() -> None:
    silence("Disks", -60, 600)
    found = facts.on(None, [Widget(kind="line", config={})], AT)
    assert (found.on_call, found.untold, found.alerts) == (None, None, ())


def test_it_says_when_time_alone_changes_it() -> None:
    assert facts.on(None, EVERY, AT).changes_at is None
    works("Racks", 500, 900)
    assert facts.on(None, EVERY, AT).changes_at == AT + 500
    silence("Disks", 300, 600)
    assert [facts.on(None, EVERY, AT + later).changes_at for later in (0, 300, 600)] == [AT + 300, AT + 500, AT + 900]
    ada = make.user("ada")
    row = Schedule.objects.create(name="Ops", spec={"layers": [LAYER | {"people": ["ada"]}]})
    Override.objects.create(schedule=row, user=ada, starts_at=datetime_of(AT), ends_at=datetime_of(AT + 7), by="ada")
    assert facts.on(None, EVERY, AT).changes_at == AT + 7
    assert [one.people for one in facts.on(None, EVERY, AT).on_call or ()] == [("ada",)]


def test_of_the_past_a_schedule_is_known_unless_it_was_changed_since() -> None:
    make.user("ada")
    layer = {"people": ["ada"], "start": "2020-01-01T09:00", "unit": "days"}
    schedules.create(SYSTEM, {"name": "Ops", "layers": [layer]})
    now = datetime.now(UTC).timestamp()
    for at, known, people in [(now + 1, True, ("ada",)), (now - 86_400, False, ())]:
        found = facts.on_at(None, at, EVERY)
        assert [(one.known, one.people) for one in found.on_call or ()] == [(known, people)]
        assert found.untold is None


@pytest.mark.parametrize(
    ("url", "known_from", "done_h", "at_h", "known"),
    [
        (False, None, [], -1, True),
        (False, None, [], -24 * 401, False),  # those who stood in are forgotten
        (False, None, [("change", None, None)], -1, False),
        (False, None, [("make link", None, None)], -1, True),
        (False, None, [("override", None, (-2, 3))], -1, False),
        (False, None, [("override", None, (1, 3))], -1, True),
        (False, None, [("end override", (-2, -0.5), None)], -1, False),
        (False, None, [("end override", (1, 3), None)], -1, True),
        (False, None, [("end override", (-2, 9), (-2, 0))], -1, True),  # it was so until then
        (True, -24, [], -23, True),
        (True, -24, [], -25, False),
        (True, None, [], -1, False),
    ],
)
def test_of_the_past_it_is_known_who_stood_in_and_what_a_calendar_said(
    url: bool, known_from: float | None, done_h: list[Any], at_h: float, known: bool
) -> None:
    now = datetime.now(UTC)

    def hours(count: float) -> datetime:
        return now + timedelta(hours=count)

    def document(ends: tuple[float, float] | None) -> dict[str, str] | None:
        return ends and {"from": hours(ends[0]).isoformat(), "until": hours(ends[1]).isoformat()}

    fields = {"url": "sealed" if url else "", "known_from": None if known_from is None else hours(known_from)}
    row = Schedule.objects.create(name="Ops", **fields)
    with transaction.atomic():
        for verb, before, after in done_h:
            journal.record(SYSTEM, verb, row, document(before), document(after))
    (found,) = facts.on_at(None, hours(at_h).timestamp(), EVERY).on_call or ()
    assert found.known is known


def test_one_who_is_always_on_call_is_so_without_an_end_and_a_change_is_found_however_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ada", "bob"):
        make.user(name)
    plans = {"a": ["ada"], "b": ["ada", "bob"], "c": ["ada", "bob"]}
    for name, people in plans.items():
        layer = {"people": people, "start": "2026-11-20T09:00", "unit": "weeks" if name == "b" else "days"}
        schedules.create(SYSTEM, {"name": name, "layers": [layer]})
    asked: list[float] = []
    spans = rotation.spans

    def counted(*given: Any) -> Any:
        asked.append(round((given[4] - given[3]) / 86_400))
        return spans(*given)

    monkeypatch.setattr(rotation, "spans", counted)
    found = facts.on(None, EVERY, AT).on_call or ()
    nine = AT - 3 * 3600
    assert [(one.people, one.until, one.next) for one in found] == [
        (("ada",), None, ()),
        (("ada",), nine + 7 * 86_400, ("bob",)),
        (("ada",), nine + 86_400, ("bob",)),
    ]
    assert asked == [2, 2, 2, 60, 60]


def test_a_fact_that_fails_is_not_known_and_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(odd_rows, "_known", set())
    monkeypatch.setattr(odd_rows.log, "error", lambda event, **more: said.append(more["fact"]))
    works("Racks", -60, 60)
    for module, name in [(on_call, "on_duty_of"), (untold, "untold"), (bad_alerts, "on"), (bad_alerts, "on_at")]:
        monkeypatch.setattr(module, name, lambda *_: int("x"))
    Schedule.objects.create(name="Ops")
    for found in (facts.on(None, EVERY, AT), facts.on(None, EVERY, AT), facts.on_at(None, AT, EVERY)):
        assert (found.alerts, found.on_call, found.untold, len(found.maintenance)) == (None, None, None, 1)
    assert sorted(said) == ["alerts", "on_call", "untold"]
    away = OperationalError("away")
    monkeypatch.setattr(untold, "untold", lambda *_: (_ for _ in ()).throw(away))
    with pytest.raises(OperationalError):
        facts.on(None, EVERY, AT)


def test_shifts_of_an_odd_shape_leave_those_of_others() -> None:
    Schedule.objects.create(name="Odd", url="sealed", shifts=[["ada", 7]])
    Schedule.objects.create(name="Ops", url="sealed", shifts=[["Ada", "", AT - 60, AT + 60]])
    found = facts.on(None, EVERY, AT).on_call or ()
    assert [(one.schedule, one.people) for one in found] == [("Odd", ()), ("Ops", ("Ada",))]


def test_facts_are_read_once_until_they_change(
    django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any
) -> None:
    now = datetime.now(UTC).timestamp()
    local = datetime.fromtimestamp(now, UTC).replace(tzinfo=None, second=0, microsecond=0)
    with django_capture_on_commit_callbacks(execute=True):
        row = maintenance.create(SYSTEM, parse("host=a"), maintenance.Window("UTC", local, 3600), "Racks", Access())
        taken("Load", host="b").delete()  # its rule stays
    assert len(windows.on(frozenset, now + 1)) == 1
    first = facts.on(None, EVERY, now + 1)
    with django_assert_num_queries(0):
        assert len(windows.on(frozenset, now + 2)) == 1
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        one = taken("Load", host="a")
        journal.moved([journal.transition(one, "pending", "firing", AT, "It is high.")])  # a storm has many of these
    with django_assert_num_queries(0):
        assert len(windows.on(frozenset, now + 2)) == 1
    assert facts.on(None, EVERY, now + 2).untold == first.untold
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        journal.record(SYSTEM, "acknowledge", one)
    kinds = [one.kind for one in facts.on(None, EVERY, now + 2).untold or ()]
    assert sorted(kinds) == ["acknowledgement", "maintenance"]
    with django_capture_on_commit_callbacks(execute=True):
        maintenance.delete(SYSTEM, row.pk)
    assert windows.on(frozenset, now + 2) == []
    assert [one.kind for one in facts.on(None, EVERY, now + 2).untold or ()] == ["acknowledgement"]


@pytest.mark.django_db(transaction=True)
def test_a_change_has_every_chart_drawn_anew_and_only_lists_of_what_else_changed() -> None:
    widgets = [make.widget("load"), *({"kind": kind, "title": kind, "config": {}} for kind in ("on_call", "untold"))]
    make.dashboard(widgets=widgets)
    variant = make.variant()
    make.watch(variant, now=datetime.now(UTC).timestamp())
    now = datetime.now(UTC)
    silences.set(SYSTEM, parse("host=a"), now, datetime_of(now.timestamp() + 600), "Disks")
    assert set(make.marks(variant)) - {"@"} == {"untold"}
    make.user("ada")
    schedules.create(SYSTEM, {"name": "Ops", "layers": []})
    assert set(make.marks(variant)) - {"@"} == {"untold", "on-call"}
    local = datetime.fromtimestamp(now.timestamp(), UTC).replace(tzinfo=None, second=0, microsecond=0)
    maintenance.create(SYSTEM, parse("host=a"), maintenance.Window("UTC", local, 3600), "Racks", Access())
    assert "*" in make.marks(variant)


def test_a_variant_is_due_at_each_moment_that_was_noted_until_that_is_done() -> None:
    make.dashboard()
    variant = make.variant()
    for at in (50, 30, 30):
        due.note(variant, AT + at)
    client().zadd(f"{KEY}due", {"an earlier release wrote this": AT})

    def taken(at: float) -> set[Topic]:
        with due.taken(ask(due.members(AT + at))) as found:
            return found

    assert [taken(29), taken(30), taken(49)] == [set(), {variant}, set()]
    with pytest.raises(ConnectionError), due.taken(ask(due.members(AT + 60))):
        raise ConnectionError
    with due.taken(ask(due.members(AT + 60))) as found:
        due.note(variant, AT + 70)
    assert found == {variant}
    assert [taken(60), taken(70)] == [set(), {variant}]
    assert client().zcard(f"{KEY}due") == 0


def test_only_moments_before_all_is_drawn_anyway_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    make.dashboard(widgets=[make.widget("load")])
    variant = make.variant()
    now = time.time()
    monkeypatch.setattr("metrics.actions.render.time.time", lambda: now)
    works("Racks", now - AT - 60, now - AT + 31)
    for later, count in [(0, 0), (2, 1)]:
        monkeypatch.setattr("metrics.actions.render.time.time", lambda later=later: now + later)
        marks.mark(variant, ["*"])
        render.render(variant)
        assert client().zcard(f"{KEY}due") == count


def test_what_is_drawn_is_drawn_anew_at_the_moment_when_maintenance_ends() -> None:
    make.dashboard(widgets=[make.widget("load")])
    variant = make.variant()
    works("Racks", -60, 7)
    due.note(variant, AT + 7)
    make.watch(variant, now=AT)
    render.sweep(AT)
    render.render(variant)
    make.watch(variant, now=AT + 6)
    render.sweep(AT + 6)
    assert make.marks(variant) == {}
    render.sweep(AT + 7)
    assert "*" in make.marks(variant)
