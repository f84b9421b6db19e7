"""Facts for dashboards: who may see which, when time alone changes them, and what is known of the past."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import facts, maintenance, render, schedules, silences, windows
from metrics.alerts.matchers import parse, to_json
from metrics.live import due
from metrics.models import Channel, Maintenance, MaintenanceSpan, Override, Schedule, Silence, Source, Widget
from metrics.times import datetime_of
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


def test_maintenance_is_read_once_until_it_changes() -> None:
    row = works("Racks", -60, 60)
    assert len(windows.on(None, AT)) == 1
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(windows.on(None, AT + 5)) == 1
    assert len(asked) == 0
    maintenance.delete(SYSTEM, row.pk)
    windows.forget()
    assert windows.on(None, AT + 5) == []


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


def test_a_variant_is_due_at_the_earliest_moment_that_was_noted_and_once() -> None:
    make.dashboard()
    variant = make.variant()
    for at in (50, 30, 40):
        due.note(variant, AT + at)
    assert [due.take(AT + at) for at in (29, 30, 60)] == [[], [variant], []]


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
