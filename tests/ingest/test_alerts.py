"""Alerts that others send: what each format becomes, and what is refused in which words."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.ingest import alert_mapping, alert_webhooks, alertmanager
from metrics.ingest.alert_mapping import AlertMapping
from metrics.ingest.alerts import NotAlerts, SentAlert, fingerprint
from tests.make import AT

DISK = {"alertname": "DiskFull", "node": "a"}
ZERO = "0001-01-01T00:00:00Z"


def read(given: Any, of: Any = alertmanager) -> list[SentAlert]:
    sent = of.parse(given if isinstance(given, bytes) else json.dumps(given).encode(), AT)
    assert sent.wrong == []
    return list(sent.alerts)


@pytest.mark.parametrize(
    ("given", "starts_at", "ends_at"),
    [
        ({}, 0, 300),
        ({"startsAt": ZERO, "endsAt": "0001-01-01T00:00:00.000Z"}, 0, 300),
        ({"startsAt": "2026-11-20T11:58:00.985215257Z"}, -119.014785, 300),
        ({"startsAt": "2026-11-20T11:58:00Z", "endsAt": "2026-11-20T12:02:00+00:00"}, -120, 120),
        ({"startsAt": "2026-11-20T11:58:00Z", "endsAt": "2026-11-20T11:59:00Z"}, -120, -60),
        ({"endsAt": "2026-11-20T11:59:00Z"}, -60, -60),
        ({"startsAt": "2026-11-20T12:01:00Z"}, 0, 300),
        ({"startsAt": "1999-01-01T00:00:00Z", "endsAt": "2999-01-01T00:00:00Z"}, -400 * 86_400, 400 * 86_400),
    ],
)
def test_times_are_those_that_were_sent_or_now_and_five_minutes(
    given: dict[str, str], starts_at: float, ends_at: float
) -> None:
    (one,) = read([{"labels": DISK, **given}])
    assert (one.starts_at - AT, one.ends_at - AT) == pytest.approx((starts_at, ends_at), abs=1e-5)


def test_a_name_may_come_twice_and_what_is_empty_or_unknown_is_left_out() -> None:
    labels = b'{"alertname":"VmUp","job":"a","alertname":"VmUp","x":""}'
    body = b'[{"labels": %s, "foo": 1, "annotations": {"summary":"s"}}]' % labels
    (one,) = read(body)
    assert (one.labels, one.annotations) == ({"alertname": "VmUp", "job": "a"}, {"summary": "s"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": {}}, "at least one label pair required"),
        ({"labels": {"a": ""}}, "at least one label pair required"),
        ({}, "at least one label pair required"),
        ({"labels": {"": "1"}}, 'invalid label set: invalid name ""'),
        ({"labels": {"a\x00": "1"}}, 'invalid label set: invalid name "a\\u0000"'),
        (
            {"labels": DISK, "startsAt": "2026-11-20T09:30:00Z", "endsAt": "2026-11-20T09:00:00Z"},
            "start time must be before end time",
        ),
        ({"labels": DISK, "startsAt": "2026-11-21T12:00:00Z"}, "start time must be before end time"),
        ({"labels": {"a": "b\0"}}, 'invalid label set: invalid value of "a": it has a NUL, or over 1000 characters'),
        (
            {"labels": {"a": "b" * 1001}},
            'invalid label set: invalid value of "a": it has a NUL, or over 1000 characters',
        ),
        ({"labels": {f"a{n}": "b" for n in range(101)}}, "invalid label set: more than 100 labels"),
        ({"labels": DISK, "annotations": {"": "x"}}, 'invalid annotations: invalid name ""'),
    ],
)
def test_one_that_is_bad_is_refused_and_the_others_are_not(given: dict[str, Any], said: str) -> None:
    sent = alertmanager.parse(json.dumps([{"labels": DISK}, given]).encode(), AT)
    assert [one.labels for one in sent.alerts] == [DISK]
    assert sent.wrong == [said]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"", "unexpected end of JSON input"),
        (b"{}", "json: cannot unmarshal object into Go value of type models.PostableAlerts"),
        (b"[1]", "json: cannot unmarshal number into Go value of type models.PostableAlert"),
        (
            b'[{"labels":{"alertname":"Num","v":1}}]',
            "json: cannot unmarshal number into Go struct field Alert.labels of type string",
        ),
        (
            b'[{"labels":{"a":"b"},"startsAt":"now"}]',
            'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse it',
        ),
        (
            b'[{"labels":["a"]}]',
            "json: cannot unmarshal array into Go struct field Alert.labels of type models.LabelSet",
        ),
        (
            b'[{"labels":{"a":"b"},"startsAt":1}]',
            "json: cannot unmarshal number into Go struct field Alert.startsAt of type string",
        ),
        (b"[", "unexpected end of JSON input"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(body: bytes, said: str) -> None:
    with pytest.raises(NotAlerts) as refused:
        alertmanager.parse(body, AT)
    assert str(refused.value) == said


def test_bytes_that_are_no_utf_8_cost_a_character_and_not_the_alert() -> None:
    """As in Alertmanager: Go reads them so."""
    body = '[{"labels": {"alertname": "Disk", "host": "Zürich"}}]'.encode("latin-1")
    (one,) = alertmanager.parse(body, AT).alerts
    assert one.labels == {"alertname": "Disk", "host": "Z�rich"}
    (one,) = alert_webhooks.parse(b'{"alerts": [{"name": "Disk", "text": "Z\xfcrich"}]}', AT).alerts
    assert one.annotations == {"summary": "Z�rich"}
    with pytest.raises(NotAlerts, match="invalid character 'x'"):
        alertmanager.parse(b"x\xfc", AT)


@pytest.mark.parametrize(
    ("labels", "severity", "name"),
    [
        ({"alertname": "A", "severity": "critical"}, "critical", "A"),
        ({"alertname": "A", "severity": "Page"}, "critical", "A"),
        ({"alertname": "A", "severity": "warn"}, "warning", "A"),
        ({"alertname": "A", "severity": "none"}, "info", "A"),
        ({"alertname": "A", "severity": "purple"}, "", "A"),
        ({"x": "y"}, "", ""),
        ({"alertname": "DatasourceNoData", "rulename": "Disk"}, "", "Disk"),
        ({"alertname": "DatasourceError"}, "", "DatasourceError"),
    ],
)
def test_severity_and_name(labels: dict[str, str], severity: str, name: str) -> None:
    one = SentAlert(labels, {}, AT, AT)
    assert (one.severity, one.name) == (severity, name)


@pytest.mark.parametrize(
    ("labels", "hash"),
    [
        ({"alertname": "DiskFull", "node": "a", "severity": "critical", "team": "ops"}, "b3ea2197a7daf8aa"),
        ({"alertname": "Lag", "node": "b", "severity": "warning", "team": "ops"}, "619f1e564eac093c"),
        ({"team": "web", "node": "1", "alertname": "Grp"}, "49b80045c35f45bd"),
    ],
)
def test_fingerprints_are_those_of_alertmanager(labels: dict[str, str], hash: str) -> None:
    assert fingerprint(labels) == hash


WEEK = 7 * 86_400


@pytest.mark.parametrize(
    ("given", "starts_at", "ends_at"),
    [
        ({"status": "firing", "startsAt": "2026-11-20T11:58:00.5Z", "endsAt": ZERO}, -119.5, WEEK),
        ({"status": "resolved", "startsAt": "2026-11-20T11:58:00Z", "endsAt": "2026-11-20T11:59:00Z"}, -120, -60),
        ({"status": "resolved", "startsAt": "2026-11-20T11:58:00Z"}, -120, 0),
        ({"status": "resolved", "startsAt": "2026-11-20T11:58:00Z", "endsAt": "2026-11-20T12:10:00Z"}, -120, 0),
    ],
)
def test_what_a_webhook_says_holds_until_it_says_the_end(
    given: dict[str, Any], starts_at: float, ends_at: float
) -> None:
    (one,) = read({"version": "4", "alerts": [{"labels": {"alertname": "A", "my-host": "b"}, **given}]}, alert_webhooks)
    assert (one.starts_at - AT, one.ends_at - AT) == (starts_at, ends_at)
    assert one.labels == {"alertname": "A", "my_host": "b"}


def test_grafanas_value_and_panel() -> None:
    labels = {**DISK, "__alert_rule_uid__": "ae1"}  # two of Grafana's rules may be alike but for this one
    grafana = {"status": "firing", "labels": labels, "values": {"B": 95.5}, "panelURL": "http://g/p"}
    (one,) = read({"alerts": [grafana]}, alert_webhooks)
    assert (one.value, one.link, one.labels) == (95.5, "http://g/p", {**DISK, "_alert_rule_uid_": "ae1"})


@pytest.mark.parametrize(
    ("given", "labels", "ends_at"),
    [
        ({"name": "Backup"}, {"alertname": "Backup"}, WEEK),
        ({"name": "Backup", "holds": 60}, {"alertname": "Backup"}, 60),
        ({"name": "Backup", "state": "OK"}, {"alertname": "Backup"}, 0),
        ({"name": "Backup", "state": False}, {"alertname": "Backup"}, 0),
        (
            {"name": "Backup", "state": "down", "severity": "high", "labels": {"host": "a", "n": 1}},
            {"alertname": "Backup", "severity": "high", "host": "a", "n": "1"},
            WEEK,
        ),
    ],
)
def test_the_plain_form(given: dict[str, Any], labels: dict[str, str], ends_at: float) -> None:
    given = {"since": AT, **given}
    (one,) = read({"alerts": [given]}, alert_webhooks)
    assert (one.labels, one.ends_at - AT) == (labels, ends_at)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (1, "an alert is an object"),
        ({}, "an alert has a name"),
        ({"name": "A", "state": "purple"}, "'purple' is no state such as firing or resolved"),
        ({"name": "A", "value": "x"}, "value is a number"),
        ({"name": "A", "holds": -1}, "holds is a number of seconds, 0 or more"),
        ({"name": "A", "value": 10**400}, "value is a number"),
        ({"name": "A", "since": "x"}, "'x' is no time such as 2026-11-20T12:00:00Z"),
        ({"name": "A", "since": {}}, "a time is Unix seconds, or such as 2026-11-20T12:00:00Z"),
        ({"name": "A", "labels": []}, "labels is an object of names and values"),
        ({"status": "firing"}, "at least one label pair required"),
    ],
)
def test_what_is_no_alert(given: Any, said: str) -> None:
    sent = alert_webhooks.parse(json.dumps({"alerts": [given, {"name": "Good"}]}).encode(), AT)
    assert (len(sent.alerts), sent.wrong) == (1, [said])


class TestMapping:
    def test_an_expression_that_finds_nothing_in_one_leaves_the_others_be(self) -> None:
        body = json.dumps([{"n": "Disk", "v": "x"}, {"n": "Shop", "v": -2}]).encode()
        sent = alert_mapping.parse(AlertMapping(name="n", value="abs(v)"), body, AT)
        assert [(one.labels["alertname"], one.value) for one in sent.alerts] == [("Shop", 2)]
        (said,) = sent.wrong
        assert said.startswith("the expression for value ")

    def test_one_that_finds_no_list_refuses_the_body(self) -> None:
        with pytest.raises(NotAlerts, match="the expression for alerts "):
            alert_mapping.parse(AlertMapping(alerts="abs(all)", name="n"), b'{"all": "x"}', AT)

    def test_a_label_has_a_name_that_one_may_have(self) -> None:
        with pytest.raises(ValidationError, match="'2nd' can't be the name of a label"):
            AlertMapping(name="n", labels={"2nd": "n"})
