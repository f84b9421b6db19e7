"""How teams answer, over HTTP."""

import json
from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import schedules
from metrics.models import AuditEntry, Escalation
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

OPS, ALL = "/api/v1/escalations/ops", "/api/v1/escalations/installation"


def put(program: Program, path: str, document: Any) -> Any:
    headers = {"Authorization": f"Bearer {program.token}"}
    return program.http.put(path, json.dumps(document), content_type="application/json", headers=headers)


def test_a_team_answers_as_it_says_and_else_as_the_installation() -> None:
    ops = make.team("ops")
    editor, admin = Program("edit", "ops", [ops]), Program("admin", "root")
    assert put(admin, ALL, {"gather": "1h"}).status_code == 200
    found = body(editor.get(OPS))
    assert (found["own"], found["gather"], found["steps"]) == (
        False,
        "1h",
        [{"after": None, "tell": ["team", "channels"]}],
    )
    schedules.create(SYSTEM, {"name": "Nights"})
    steps = [{"tell": ["team"]}, {"after": "10m", "tell": ["channels", "on-call:Nights"]}]
    made = body(put(editor, OPS, {"steps": steps, "quiet": {"from": "22:00", "to": "07:00", "time_zone": "UTC"}}))
    assert (made["own"], made["gather"], made["quiet"]["from"]) == (True, "5m", "22:00")
    assert made["means"].startswith("At once the team; after 10m its channels and ")
    assert "Nights" in made["means"]
    assert Escalation.objects.count() == 2


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [{"tell": ["user:nobody"]}]}, "steps.0.tell"),
        ({"steps": [{"tell": ["on-call:Nights"]}]}, "steps.0.tell"),
        ({"steps": [{"tell": ["on-call:Hidden"]}]}, "steps.0.tell"),
        ({"steps": [{"after": "2m", "tell": ["team"]}, {"tell": ["team"]}]}, "escalation"),
        ({"quiet": {"from": "22:00", "to": "07:00", "time_zone": "Mars"}}, "quiet.time_zone"),
        (
            {"quiet": {"from": "22:00", "to": "07:00", "time_zone": "UTC", "severities": ["critical"]}},
            "quiet.severities.0",
        ),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_can_not_be_is_refused_by_its_field(document: Any, field: str) -> None:
    ops = make.team("ops")
    schedules.create(SYSTEM, {"name": "Hidden"}, Access(everyone=False))
    answer = put(Program("edit", "ops", [ops]), OPS, document)
    assert answer.status_code == 422
    if field != "escalation":
        assert fields(answer) == [(None, field)]


def test_what_a_team_says_is_taken_back() -> None:
    ops = make.team("ops")
    editor, admin = Program("edit", "ops", [ops]), Program("admin", "root")
    assert put(admin, ALL, {"gather": "1h"}).status_code == 200
    assert put(editor, OPS, {"gather": "2h"}).status_code == 200
    assert editor.delete(OPS).status_code == 204
    found = body(editor.get(OPS))
    assert (found["own"], found["gather"]) == (False, "1h")
    assert editor.delete(OPS).status_code == 404
    assert editor.delete(ALL).status_code == 403
    assert admin.delete(ALL).status_code == 204
    assert body(editor.get(OPS))["gather"] == "5m"
    verbs = AuditEntry.objects.filter(noun="escalation").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["create", "create", "delete", "delete"]


def test_others_change_nothing() -> None:
    make.team("ops")
    stranger = Program("edit", "stranger", [make.team("night")])
    assert put(stranger, OPS, {}).status_code == 404
    assert put(stranger, ALL, {}).status_code == 403
    assert put(Program("read", "reader"), ALL, {}).status_code == 403
    assert stranger.get(ALL).status_code == 200
