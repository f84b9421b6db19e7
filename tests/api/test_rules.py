"""Rules and alerts over HTTP."""

from typing import Any

import pytest

from metrics.actions import evaluation
from metrics.alerts import registry
from metrics.models import Alert, Rule
from tests import make
from tests.api.client import Program, body, fields
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

RULES, ALERTS = "/api/v1/rules", "/api/v1/alerts"
ABOVE = {
    "name": "Disk full",
    "query": {"metric": "disk_used"},
    "condition": {"kind": "threshold", "above": 90, "clear_below": 80},
    "for": "1m",
}


@pytest.fixture
def editor(rules_at_once: None) -> Program:
    return Program("edit")


def test_a_rule_is_made_listed_changed_and_deleted(editor: Program) -> None:
    made = editor.post(RULES, {**ABOVE, "severity": "critical"})
    assert made.status_code == 201, made.content
    rule: Any = body(made)
    assert (rule["for"], rule["no_data"], rule["enabled"], rule["revision"]) == ("1m", "nodata", True, 1)
    assert body(editor.get(RULES))["rules"] == [rule] == [body(editor.get(f"{RULES}/{rule['id']}"))]
    changed: Any = editor.patch(f"{RULES}/{rule['id']}", {"for": None, "revision": 1})
    assert (body(changed)["for"], body(changed)["severity"]) == (None, "critical")
    assert editor.patch(f"{RULES}/{rule['id']}", {"for": "2m", "revision": 1}).status_code == 412
    assert editor.delete(f"{RULES}/{rule['id']}").status_code == 204
    assert editor.get(f"{RULES}/{rule['id']}").status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"condition": {"kind": "threshold", "above": "high"}}, "condition.above"),
        ({"condition": {"kind": "nothing"}}, "condition"),
        ({"for": "1 minute"}, "for"),
        ({"query": {}}, "query.metric"),
        ({"team": "nobody"}, "access.teams"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_can_not_be_is_refused_by_its_field(editor: Program, given: dict[str, Any], field: str) -> None:
    response = editor.post(RULES, {**ABOVE, **given})
    assert (response.status_code, fields(response)) == (422, [(None, field)])
    assert not Rule.objects.exists()


def test_an_alert_is_listed_and_taken(editor: Program) -> None:
    make.team("ops")
    editor.post(RULES, {**ABOVE, "for": None, "team": "ops", "labels": {"tier": "db"}})
    assert body(editor.get(ALERTS)) == {"alerts": []}
    accepted([sample("disk_used", 95, host="a")])
    evaluation.evaluate(AT)
    (alert,) = body(editor.get(ALERTS))["alerts"]
    assert (alert["rule"], alert["labels"], alert["state"], alert["since"], alert["value"]) == (
        "Disk full",
        {"host": "a", "tier": "db"},
        "firing",
        AT,
        95,
    )
    path = f"{ALERTS}/{alert['id']}/acknowledge"
    assert Program("read", "reader").post(path, {}).status_code == 403
    assert editor.post(path, {"until": "yesterday"}).status_code == 422
    assert editor.post(path, {"until": "2020-01-01T00:00:00Z"}).status_code == 422
    assert body(editor.post(path, {"reason": "on it"}))["acknowledged_by"] == "token job"
    assert body(editor.delete(path))["acknowledged_by"] == ""
    Alert.objects.update(state="ok")
    assert body(editor.get(ALERTS)) == {"alerts": []}
    assert len(body(editor.get(f"{ALERTS}?all=true"))["alerts"]) == 1
    assert editor.post(path, {}).status_code == 422


def test_the_conditions_describe_themselves(editor: Program) -> None:
    kinds = {one["kind"]: one for one in body(editor.get("/api/v1/conditions"))["conditions"]}
    assert set(kinds) == set(registry.offered())
    assert "clear_below" in kinds["threshold"]["schema"]["properties"]
    assert all(one["about"].endswith(".") for one in kinds.values())
