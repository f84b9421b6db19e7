"""Incidents over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.actions import rooms
from metrics.models import Alert, Incident, Rule
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

INCIDENTS = "/api/v1/incidents"


@pytest.fixture
def incident() -> Incident:
    made = make.incident("Disk full", everyone=False, teams=[make.team("ops", make.user("bob", is_staff=True))])
    rooms.of_incident(made)
    return made


@pytest.fixture
def editor(incident: Incident) -> Program:
    return Program("edit", teams=list(incident.teams.all()))


def test_one_is_listed_taken_handed_over_and_ended(editor: Program, incident: Incident) -> None:
    one = f"{INCIDENTS}/{incident.pk}"
    (listed,) = body(editor.get(INCIDENTS))["incidents"]
    assert listed == body(editor.get(one))
    assert (listed["title"], listed["teams"], listed["alerts"]) == ("Disk full", ["ops"], [])
    taken = body(editor.post(f"{one}/acknowledge", {"reason": "on it", "until": "2099-01-01T00:00:00Z"}))
    assert (taken["acknowledged_by"], taken["reason"]) == ("token job", "on it")
    assert body(editor.post(f"{one}/hand-over", {"to": "bob"}))["acknowledged_by"] == "user bob"
    assert body(editor.delete(f"{one}/acknowledge"))["acknowledged_by"] == ""
    changed = body(editor.patch(one, {"severity": "critical", "checklist": ["Look"]}))
    assert (changed["severity"], changed["checklist"]) == ("critical", [{"text": "Look"}])
    assert body(editor.post(f"{one}/resolve", {}))["resolved_by"] == "token job"
    assert body(editor.get(INCIDENTS)) == {"incidents": []}
    assert len(body(editor.get(INCIDENTS, all="true"))["incidents"]) == 1
    assert body(editor.post(f"{one}/reopen", {}))["resolved_at"] is None


@pytest.mark.parametrize(
    ("verb", "given", "field"),
    [
        ("acknowledge", {"until": "2020-01-01T00:00:00Z"}, "until"),
        ("hand-over", {"to": "nobody"}, "to"),
        ("hand-over", {}, "to"),
        ("resolve", {"colour": "red"}, "colour"),
    ],
)
def test_what_can_not_be_is_refused_by_its_field(
    editor: Program, incident: Incident, verb: str, given: dict[str, str], field: str
) -> None:
    answer = editor.post(f"{INCIDENTS}/{incident.pk}/{verb}", given)
    assert (answer.status_code, fields(answer)) == (422, [(None, field)])


def test_readers_read_and_other_teams_see_none(incident: Incident) -> None:
    one = f"{INCIDENTS}/{incident.pk}"
    reader = Program("read", "reader", list(incident.teams.all()))
    assert reader.get(one).status_code == 200
    assert reader.post(f"{one}/acknowledge", {}).status_code == 403
    stranger = Program("edit", "stranger", [make.team("night")])
    assert stranger.get(one).status_code == 404
    assert body(stranger.get(INCIDENTS)) == {"incidents": []}


def test_many_are_listed_by_few_queries_with_the_ids_of_their_alerts(editor: Program, incident: Incident) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries, make.loading(Alert) as loaded:
            editor.get(INCIDENTS)
        assert loaded == []
        return len(queries)

    rule = Rule.objects.create(name="Disk", metric="m", spec={}, severity="warning")
    times = {"since_ms": 0, "seen_at_ms": 0}
    alerts = [
        Alert.objects.create(rule=rule, key=state, state=state, incident=incident, **times)
        for state in ("ok", "firing")
    ]
    asked()
    few = asked()
    for title in ("one", "two"):
        rooms.of_incident(make.incident(title, everyone=False, teams=list(incident.teams.all())))
    assert asked() == few
    *_, first = body(editor.get(INCIDENTS))["incidents"]
    assert (first["alerts"], first["bad"]) == ([one.pk for one in alerts], 1)
