"""Webhooks that take alerts in any JSON, as JMESPath expressions find them."""

from typing import Any

import pytest
from django.test import Client

from metrics.models import Alert, AlertWebhook, AuditEntry, Rule
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

WEBHOOKS = "/api/v1/alert-webhooks"
UPTIME = {
    "name": "monitor.name",
    "state": "!(heartbeat.up)",
    "severity": "'critical'",
    "text": "msg",
    "labels": {"url": "monitor.url"},
}


def sent(*, up: bool) -> dict[str, Any]:
    return {"monitor": {"name": "Shop", "url": "https://shop"}, "heartbeat": {"up": up}, "msg": "503"}


def post(url: str, given: Any) -> Any:
    return Client().post(url, given, content_type="application/json")


def test_alerts_are_what_the_expressions_find() -> None:
    editor = Program("edit", "ed", [make.team("ops")])
    access = {"everyone": False, "teams": ["ops"]}
    made = editor.post(WEBHOOKS, {"name": "uptime", "mapping": UPTIME, "access": access})
    assert made.status_code == 201
    url = body(made)["url"]
    assert body(post(url, sent(up=False))) == {"accepted": 1}
    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.labels["url"]) == ("firing", "critical", "https://shop")
    assert [team.name for team in Rule.objects.get(name="Shop").teams.all()] == ["ops"]
    post(url, sent(up=True))
    alert.refresh_from_db()
    assert alert.state == "ok"
    assert url.rpartition("/")[2] not in str(list(AuditEntry.objects.values()) + list(AlertWebhook.objects.values()))
    (listed,) = body(editor.get(WEBHOOKS))["webhooks"]
    assert listed["last_used_at"] is not None
    assert body(Program("edit", "other", [make.team("night")]).get(WEBHOOKS)) == {"webhooks": []}


def test_one_whose_team_is_gone_tells_nobody() -> None:
    ops = make.team("ops")
    access = {"everyone": False, "teams": ["ops"]}
    made = Program("admin").post(WEBHOOKS, {"name": "uptime", "mapping": UPTIME, "access": access})
    ops.delete()
    answer = post(body(made)["url"], sent(up=False))
    assert answer.status_code == 403
    assert "has no team any more" in body(answer)["detail"]
    assert not Rule.objects.exists()


def test_a_list_is_found_and_one_that_is_no_alert_is_refused_alone() -> None:
    editor = Program("edit")
    url = body(editor.post(WEBHOOKS, {"name": "list", "mapping": {"alerts": "checks[]", "name": "title"}}))["url"]
    answer = post(url, {"checks": [{"title": "A"}, {"title": None}, {"title": "B"}]})
    assert (answer.status_code, body(answer)["detail"]) == (400, "an alert has a name")
    assert Alert.objects.count() == 2
    assert post(url, b"x").status_code == 400


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "[["}, "mapping.name"),
        ({}, "mapping.name"),
        ({"name": "a", "labels": {"a-b": "c"}}, "mapping.labels"),
        ({"name": "a", "other": "b"}, "mapping.other"),
    ],
)
def test_a_mapping_that_can_t_be(given: dict[str, Any], field: str) -> None:
    answer = Program("edit").post(WEBHOOKS, {"name": "x", "mapping": given})
    assert answer.status_code == 422
    assert fields(answer)[0][1] == field


def test_it_is_changed_and_removed() -> None:
    editor = Program("edit")
    made = body(editor.post(WEBHOOKS, {"name": "uptime", "mapping": UPTIME}))
    assert editor.post(WEBHOOKS, {"name": "uptime", "mapping": UPTIME}).status_code == 422
    changed = body(editor.patch(f"{WEBHOOKS}/{made['id']}", {"mapping": {"name": "'Shop'"}}))
    assert changed["mapping"] == {"name": "'Shop'"}
    assert post(made["url"], {"x": 1}).status_code == 202
    assert editor.delete(f"{WEBHOOKS}/{made['id']}").status_code == 204
    assert post(made["url"], {"x": 1}).status_code == 403


def test_one_whose_mapping_is_odd_is_listed_and_may_get_another_name() -> None:
    editor, made = Program("edit"), AlertWebhook.objects.create(name="odd", mapping=[7], digest="x")
    assert [one["mapping"] for one in body(editor.get(WEBHOOKS))["webhooks"]] == [{}]
    assert body(editor.patch(f"{WEBHOOKS}/{made.pk}", {"name": "other"}))["name"] == "other"
