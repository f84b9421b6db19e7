"""Rows that this release can't read: each is left out and named where people look, and the others hold."""

import html
import json
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import audience, behind, maintenance, odd_rows, on_call, rules, schedules, silences, withholding
from metrics.alerts.escalation import USUAL
from metrics.alerts.matchers import parse
from metrics.models import (
    Alert,
    AlertWebhook,
    Channel,
    Escalation,
    Maintenance,
    MaintenanceSpan,
    Rule,
    Schedule,
    Silence,
)
from metrics.times import datetime_of
from tests import make
from tests.api.client import Program, body
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ODD: tuple[Any, ...] = (
    {"any": ["host=a"]},
    [],
    ["host=a"],
    [{"name": "host"}],
    [{"name": "host", "value": "a", "isRegex": "yes"}],
    [{"name": "host", "value": "(", "isRegex": True}],
    7,
)
HOUR = 3600


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The nouns of the rows that are logged."""
    found: list[str] = []
    monkeypatch.setattr(odd_rows, "_known", set())
    monkeypatch.setattr(odd_rows.log, "warning", lambda event, **more: found.append(more["noun"]))
    return found


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make.user("root", is_staff=True, is_superuser=True))
    return client


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return html.unescape(response.content.decode())


def silence(given: Any, **more: Any) -> Silence:
    fields = {"starts_at": datetime_of(AT - HOUR), "ends_at": datetime_of(4e9), "by": "ann", "comment": "Odd", **more}
    return Silence.objects.create(matchers=given, **fields)


def window(given: Any) -> Maintenance:
    row = Maintenance.objects.create(matchers=given, by="ann", comment="Odd work", start="2030-01-01T00:00", lasts_s=60)
    MaintenanceSpan.objects.create(maintenance=row, starts_at=datetime_of(AT - HOUR), ends_at=datetime_of(4e9))
    return row


def alert(name: str = "Disk full", **labels: str) -> Alert:
    document = {"name": name, "query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}}
    rule = Rule.objects.filter(name=name).first() or rules.create(SYSTEM, document)
    key = json.dumps(labels)
    return Alert.objects.create(
        rule=rule, key=key, since_ms=0, seen_at_ms=0, state="firing", are_told=True, labels=labels, series=labels
    )


def test_an_odd_silence_or_maintenance_withholds_nothing_and_the_others_do(said: list[str]) -> None:
    for given in ODD:
        silence(given)
        window(given)
    silence([{"name": "host", "value": "a"}], reach={"teams": "all"})
    silence([{"name": "host", "value": "a"}], comment="Good")
    one, other = alert(host="a"), alert(host="b")
    found = withholding.reasons([one, other], AT)
    assert {pk: [reason.text for reason in those] for pk, those in found.items()} == {one.pk: ["Good"]}
    assert maintenance.over(SYSTEM, [{"metric": "x", "host": "a"}], AT - 1, AT + 1) == []
    count = len(said)
    assert count == 2 * len(ODD) + 1
    withholding.reasons([one], AT)
    assert len(said) == count, "each is logged once"


def test_pages_and_api_name_an_odd_silence_and_take_a_good_one_in_its_place(admin: Client) -> None:
    for given in ODD:
        row, work = silence(given), window(given)
        for path in ("/silences/", f"/silences/{row.pk}/edit/", "/maintenance/", f"/maintenance/{work.pk}/edit/"):
            said = read(admin, path)
            assert path.endswith("edit/") or withholding.UNREADABLE in said, (given, path)
        program = Program("admin", f"root {given}"[:50])
        (listed,) = body(program.get("/api/v1/silences"))["silences"]
        assert listed["matchers"] == []
        assert body(program.get("/api/v1/maintenance"))["maintenance"][0]["matchers"] == []
        assert program.patch(f"/api/v1/silences/{row.pk}", {"comment": "Later"}).status_code == 422
        assert program.patch(f"/api/v1/maintenance/{work.pk}", {"comment": "Later"}).status_code == 422
        assert admin.post(f"/silences/{row.pk}/extend/", {"hours": "1"}).status_code == 302
        assert program.patch(f"/api/v1/maintenance/{work.pk}", {"matchers": "host=a"}).status_code == 200
        silences.expire(SYSTEM, str(row.pk))
        row.delete()
        maintenance.delete(SYSTEM, work.pk)
    made = silence(ODD[0])
    silences.set(SYSTEM, parse("host=a"), made.starts_at, made.ends_at, "Good", id=str(made.pk))
    assert Silence.objects.count() == 2


def test_an_odd_reach_is_that_of_anything_for_who_does_not_see_all(client: Client) -> None:
    ann = make.user("ann", is_staff=True)
    ops, night = make.team("ops", ann), make.team("night")
    rule = alert().rule
    rule.for_everyone = False
    rule.save()
    rule.teams.set([night])
    client.force_login(ann)
    program = Program("edit", "ann", [ops])
    odd: Any
    for odd in ({"teams": "all"}, 7, "all", [[1]], [{}], ["ops"]):
        row = silence([{"name": "host", "value": "a"}], reach=odd)
        work = window([{"name": "host", "value": "a"}])
        Maintenance.objects.update(reach=odd)
        for path in ("/silences/", f"/silences/{row.pk}/edit/", "/maintenance/", f"/maintenance/{work.pk}/edit/"):
            assert client.get(path).status_code in (200, 403), (odd, path)
        for path in ("/untold/", "/alerts/"):
            read(client, path)
        for path in ("silences", "maintenance"):
            body(program.get(f"/api/v1/{path}"))
        row.delete()
        work.delete()


def test_people_are_told_though_a_later_release_said_how(admin: Client, said: list[str]) -> None:
    ops = make.team("ops")
    row = Escalation.objects.create(team=ops, spec={"steps": "all"})
    newer = Escalation.objects.create(spec={}, version=99)
    plan = Schedule.objects.create(name="Nights", spec=["ann"])
    assert audience.of_teams([ops]) == USUAL
    assert on_call.now(plan, AT) == []
    assert audience.of_teams([ops]) == USUAL
    assert said == ["escalation", "escalation", "schedule"]
    for path in (f"/access/teams/{ops.pk}/escalation/", "/access/escalation/"):
        assert "can't read what is stored here" in read(admin, path)
    for path in ("/on-call/", f"/on-call/{plan.pk}/", f"/on-call/{plan.pk}/edit/"):
        read(admin, path)
    assert body(Program("read", "one").get("/api/v1/schedules"))["schedules"][0]["layers"] == []
    assert body(Program("admin", "two").get("/api/v1/escalations/ops"))["own"] is True
    schedules.change(SYSTEM, plan.pk, {"holidays": ["2026-12-25"]}, None, 1)
    assert schedules.is_readable(Schedule.objects.get())
    assert admin.post(f"/access/teams/{ops.pk}/escalation/reset/").status_code == 302
    assert list(Escalation.objects.all()) == [newer]
    assert row.team == ops


def test_what_can_not_be_read_is_named_as_not_told(admin: Client) -> None:
    ops = make.team("ops")
    silence(ODD[0])
    window(ODD[0])
    Escalation.objects.create(team=ops, spec={"steps": "all"})
    Schedule.objects.create(name="Nights", spec={}, version=99)
    Channel.objects.create(name="Pager", kind="mail", config=["a@example.com"])
    AlertWebhook.objects.create(name="Sender", digest="x", mapping={}, version=99)
    page = read(admin, "/untold/")
    assert page.count(withholding.UNREADABLE) == 2
    for text in ("Escalation of ops", "Nights", "Pager", "Its config can't be read", "Sender"):
        assert text in page, text
    read(admin, "/channels/")


def test_a_rule_with_an_odd_dependency_is_told_of() -> None:
    front, one = alert("Power"), alert("Disk", host="a")
    for odd in ("Power", ["Power"], [{"name": "Power"}], [{"rule": "Power", "labels": "host"}], {"rule": "Power"}, 7):
        one.rule.spec = {**one.rule.spec, "behind": odd}
        one.are_told = False
        one.rule.save()
        assert behind.reasons([one], ()) == {}, odd
        assert behind.those_behind(SYSTEM, front) == []
