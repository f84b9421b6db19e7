"""Alertmanager's API: statuses, bodies and words are those of the real one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import evaluation, rules, silences
from metrics.alerts.matchers import Matcher
from metrics.models import Alert, Silence
from tests import make
from tests.api.client import Program, body
from tests.make import accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ALERTS, SILENCES = "/api/v2/alerts", "/api/v2/silences"
LABELS = {"alertname": "DiskFull", "node": "a", "severity": "critical", "team": "ops"}
FULL = {"labels": LABELS, "annotations": {"summary": "full"}, "generatorURL": "http://x/y"}
LAG = {"labels": {"alertname": "Lag", "node": "b", "severity": "warning", "team": "ops"}}
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def admin() -> Program:
    return Program("admin")


def at(after_h: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=after_h)).isoformat().replace("+00:00", "Z")


def silence(**fields: Any) -> dict[str, Any]:
    matchers = [{"name": "alertname", "value": "DiskFull", "isRegex": False}]
    whole = {"matchers": matchers, "startsAt": at(0), "endsAt": at(1), "createdBy": "me", "comment": "c"}
    return {name: value for name, value in {**whole, **fields}.items() if value is not None}


def test_alerts_are_taken_and_listed_with_every_field(admin: Program) -> None:
    answer = admin.post(ALERTS, [FULL, LAG])
    assert (answer.status_code, answer.content) == (200, b"")
    lag, full = body(admin.get(ALERTS))  # by their fingerprints
    assert lag["fingerprint"] == "619f1e564eac093c"
    assert {
        name: full[name] for name in ("annotations", "fingerprint", "generatorURL", "labels", "receivers", "status")
    } == {
        "annotations": {"summary": "full"},
        "fingerprint": "b3ea2197a7daf8aa",
        "generatorURL": "http://x/y",
        "labels": LABELS,
        "receivers": [{"name": "everyone"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
    }
    starts, ends, updated = (datetime.fromisoformat(full[name]) for name in ("startsAt", "endsAt", "updatedAt"))
    assert (ends - starts, updated - starts) == (timedelta(minutes=5), timedelta())
    assert "generatorURL" not in lag


@pytest.mark.parametrize("path", ["/api/v2/alerts/", "/alertmanager/api/v2/alerts", "//alertmanager/api/v2/alerts/"])
def test_no_way_of_writing_the_path_is_answered_with_a_redirect(admin: Program, path: str) -> None:
    assert admin.post(path, [FULL]).status_code == 200
    assert Alert.objects.count() == 1


def test_a_password_is_a_token_too() -> None:
    secret = make.token("prom", "push")
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    http = Client(headers={"Authorization": f"Basic {basic}"})
    assert http.post(ALERTS, json.dumps([FULL]), content_type="application/json").status_code == 200
    assert http.get("/api/v2/status").status_code == 200
    assert http.get(ALERTS).status_code == 403
    refused = Client().post(ALERTS, "[]", content_type="application/json")
    assert (refused.status_code, type(body(refused))) == (401, str)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"[]", 200, None),
        (b"[" + json.dumps({**FULL, "status": "firing", "foo": 1}).encode() + b"]", 200, None),
        (b'[{"labels":{"alertname":"Good1"}},{"labels":{}}]', 400, "at least one label pair required"),
        (b'[{"labels":{"":"1"}}]', 400, 'invalid label set: invalid name ""'),
        (
            b"x",
            400,
            {
                "code": 400,
                "message": 'parsing alerts body from "" failed, because '
                "invalid character 'x' looking for beginning of value",
            },
        ),
    ],
)
def test_what_is_refused(admin: Program, sent: bytes, status: int, said: Any) -> None:
    answer = admin.post(ALERTS, sent)
    assert (answer.status_code, body(answer) if answer.content else None) == (status, said)


def test_good_alerts_beside_a_bad_one_are_stored(admin: Program) -> None:
    assert admin.post(ALERTS, [FULL, {"labels": {}}]).status_code == 400
    assert Alert.objects.count() == 1


def test_a_body_of_another_type_is_refused(admin: Program) -> None:
    answer = Client(headers={"Authorization": f"Bearer {admin.token}"}).post(ALERTS, "[]", content_type="text/plain")
    assert answer.status_code == 415
    assert body(answer) == {  # type: ignore[arg-type]
        "code": 415,
        "message": 'unsupported media type "text/plain", only [application/json] are allowed',
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Lag", "DiskFull"]),
        ({"active": "false"}, ["DiskFull"]),
        ({"silenced": "false"}, ["Lag"]),
        ({"active": "false", "silenced": "false"}, []),
        ({"filter": ["team=ops", "severity=~crit.*"]}, ["DiskFull"]),
        ({"filter": 'node!="a"'}, ["Lag"]),
        ({"receiver": "every.*"}, ["Lag", "DiskFull"]),
        ({"receiver": "every"}, []),
        ({"inhibited": "true", "unprocessed": "false"}, ["Lag", "DiskFull"]),
    ],
)
def test_filters(admin: Program, query: dict[str, Any], names: list[str]) -> None:
    admin.post(ALERTS, [FULL, LAG])
    admin.post(SILENCES, silence())
    assert [one["labels"]["alertname"] for one in body(admin.get(ALERTS, **query))] == names


@pytest.mark.parametrize(
    ("query", "status"), [({"active": "x"}, 422), ({"filter": "x"}, 400), ({"receiver": "("}, 400)]
)
def test_a_query_that_makes_no_sense(admin: Program, query: dict[str, str], status: int) -> None:
    answer = admin.get(ALERTS, **query)
    assert (answer.status_code, sorted(body(answer))) == (status, ["code", "message"])


@pytest.mark.usefixtures("rules_at_once")
def test_our_own_alerts_are_listed_too(admin: Program) -> None:
    condition = {"kind": "threshold", "above": 90}
    document = {"name": "Disk", "query": {"metric": "disk"}, "condition": condition, "text": "Full: {value}"}
    rules.create(SYSTEM, {**document, "runbook": "https://wiki/disk"})
    now = datetime.now(UTC).timestamp()
    accepted([sample("disk", 95, now, host="a")], now=now)
    evaluation.evaluate(now)
    (one,) = body(admin.get(ALERTS))
    assert one["labels"] == {"alertname": "Disk", "metric": "disk", "severity": "warning", "host": "a"}
    assert one["annotations"] == {"summary": "Full: 95", "value": "95", "runbook_url": "https://wiki/disk"}
    assert one["generatorURL"] == f"http://testserver/alerts/{Alert.objects.get().pk}/"


def test_groups_are_those_who_are_told_and_the_labels_that_they_group_by(admin: Program) -> None:
    ops = make.team("ops")
    Program("push", "of-ops", [ops]).post(ALERTS, [LAG, FULL])
    (group,) = body(admin.get("/api/v2/alerts/groups"))
    assert (group["receiver"], group["labels"], group["routeLabels"]) == ({"name": "ops"}, {}, {})
    assert [one["labels"]["alertname"] for one in group["alerts"]] == ["DiskFull", "Lag"]
    assert body(admin.get("/api/v2/alerts/groups", receiver="other")) == []
    assert body(admin.get("/api/v2/receivers")) == [{"name": "everyone"}, {"name": "ops"}]
    assert body(Program("read", "other", [make.team("night")]).get(ALERTS)) == []


def test_the_status_has_all_that_amtool_reads(admin: Program) -> None:
    status = body(admin.get("/api/v2/status"))
    assert status["cluster"] == {"status": "disabled", "peers": []}
    assert all(status["versionInfo"].values())
    assert 'receiver: "everyone"' in status["config"]["original"]


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready", "/alertmanager/-/healthy"])
def test_anybody_may_ask_whether_it_is_there(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.content) == (200, b"OK")


def test_a_silence_is_made_changed_listed_and_ended(admin: Program) -> None:
    admin.post(ALERTS, [FULL])
    answer = admin.post(SILENCES, silence(startsAt="2020-01-01T00:00:00.000Z"))
    assert (answer.status_code, list(body(answer))) == (200, ["silenceID"])
    id = body(answer)["silenceID"]
    one = body(admin.get(f"/api/v2/silence/{id}"))
    assert sorted(one) == sorted(
        ["id", "status", "annotations", "comment", "createdBy", "startsAt", "endsAt", "updatedAt", "matchers"]
    )
    assert one["matchers"] == [{"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True}]
    assert body(admin.get(ALERTS))[0]["status"] == {
        "state": "suppressed",
        "silencedBy": [id],
        "inhibitedBy": [],
        "mutedBy": [],
    }
    changed = {
        **{name: one[name] for name in ("id", "matchers", "startsAt", "createdBy")},
        "endsAt": at(2),
        "comment": "longer",
    }
    assert body(admin.post(SILENCES, changed)) == {"silenceID": id}
    assert Silence.objects.get().by == "me (token job)"
    assert [found["id"] for found in body(admin.get(SILENCES, filter="alertname=DiskFull"))] == [id]
    assert body(admin.get(SILENCES, filter="alertname=Other")) == []
    ended = admin.delete(f"/api/v2/silence/{id}")
    assert (ended.status_code, ended.content) == (200, b"")
    assert body(admin.get(f"/api/v2/silence/{id}"))["status"] == {"state": "expired"}


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"matchers": []}, 422, {"code": 612, "message": "matchers in body should have at least 1 items"}),
        ({"comment": None}, 422, {"code": 602, "message": "comment in body is required"}),
        (
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
        (
            {"startsAt": "2026-11-01T09:00:00Z", "endsAt": "2026-11-01T09:01:00Z"},
            400,
            "Failed to create silence: end time can't be in the past",
        ),
        (
            {"startsAt": "2026-11-01T09:00:00Z", "endsAt": "2026-11-01T09:00:00Z"},
            400,
            "Failed to create silence: start time must be before end time",
        ),
        ({"id": "nope"}, 404, "silence not found"),
        ({"id": UNKNOWN}, 404, "silence not found"),
    ],
)
def test_a_silence_that_can_t_be(admin: Program, fields: dict[str, Any], status: int, said: Any) -> None:
    answer = admin.post(SILENCES, silence(**fields))
    assert (answer.status_code, body(answer)) == (status, said)
    assert not Silence.objects.exists()


def test_a_pattern_that_is_none(admin: Program) -> None:
    answer = admin.post(SILENCES, silence(matchers=[{"name": "a", "value": "(", "isRegex": True}]))
    assert answer.status_code == 400
    assert body(answer).startswith('silence invalid: invalid label matcher 0: invalid regular expression "("')


@pytest.mark.parametrize("id", [UNKNOWN, "nope"])
def test_a_silence_that_there_is_not(admin: Program, id: str) -> None:
    assert admin.get(f"/api/v2/silence/{id}").status_code == 404
    assert admin.delete(f"/api/v2/silence/{id}").status_code == 404


class TestOurEndpoint:
    @pytest.mark.parametrize(
        "sent",
        [
            [FULL],
            {"alerts": [{"name": "DiskFull", "severity": "critical", "labels": {"node": "a"}, "text": "full"}]},
            {
                "version": "4",
                "receiver": "x",
                "alerts": [{**FULL, "status": "firing", "endsAt": "0001-01-01T00:00:00Z"}],
            },
        ],
    )
    def test_it_takes_each_form(self, sent: Any) -> None:
        answer = Program("push").post("/api/v1/alerts", sent)
        assert (answer.status_code, body(answer)) == (202, {"accepted": 1})
        (one,) = body(Program("read", "reader").get("/api/v1/alerts"))["alerts"]
        assert (one["rule"], one["state"], one["severity"], one["annotations"]["summary"]) == (
            "DiskFull",
            "firing",
            "critical",
            "full",
        )

    @pytest.mark.parametrize("sent", [b"x", {}, {"alerts": [1]}, [{"labels": {}}], 1])
    def test_what_is_refused_has_a_sentence(self, sent: Any) -> None:
        answer = Program("push").post("/api/v1/alerts", sent)
        assert answer.status_code == 400
        assert body(answer)["detail"]

    def test_a_token_sends_as_many_as_it_may_push(self, settings: Any) -> None:
        settings.PUSH_SAMPLES_PER_MINUTE = 2
        push = Program("push")
        assert push.post("/api/v1/alerts", [FULL, LAG]).status_code == 202
        assert push.post("/api/v1/alerts", [FULL]).status_code == 429
        assert push.post(ALERTS, [FULL, LAG, FULL]).status_code == 413


def test_names_of_labels_may_be_any_utf_8(admin: Program) -> None:
    labels = {"alertname": "Naïve", "host.name": "a", "größe ☃": "b", 'with "quotes"\n': "c"}
    assert admin.post(ALERTS, [{"labels": labels}]).status_code == 200
    for text in ('"host.name"="a"', '"größe ☃"=~"b|c"', "alertname=Naïve"):
        assert [one["labels"] for one in body(admin.get(ALERTS, filter=text))] == [labels], text
    assert body(admin.get(ALERTS, filter='"host.name"="b"')) == []
    matchers = [{"name": "host.name", "value": "a", "isRegex": False}]
    assert admin.post(SILENCES, silence(matchers=matchers)).status_code == 200
    (one,) = body(admin.get(ALERTS))
    assert one["status"]["state"] == "suppressed"
    page = Client()
    page.force_login(make.admin())
    for path in ("/alerts/", f"/alerts/{Alert.objects.get().pk}/", "/silences/"):
        assert "host.name" in page.get(path).content.decode()


def test_an_alert_names_only_silences_that_one_may_see(admin: Program) -> None:
    ops, night = make.team("ops"), make.team("night")
    admin.post(ALERTS, [FULL])
    silences.set(
        SYSTEM,
        [Matcher("alertname", "=", "DiskFull")],
        None,
        datetime.now(UTC) + timedelta(hours=1),
        "secret",
        access=Access(everyone=False, teams=["ops"]),
    )
    made = Silence.objects.get()
    for team, seen in ((ops, [str(made.pk)]), (night, [])):
        (one,) = body(Program("read", str(team), [team]).get(ALERTS))
        assert (one["status"]["silencedBy"], one["status"]["state"]) == (seen, "suppressed")
