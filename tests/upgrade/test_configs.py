"""Every later release takes the configs that a release stored, and gives them the present form."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.db.models import JSONField

from metrics import yaml
from metrics.access.principal import SYSTEM
from metrics.actions import (
    alert_webhooks,
    channel_configs,
    channels,
    dashboards,
    rule_files,
    rule_index,
    rules,
    schedules,
    source_configs,
)
from metrics.actions.errors import Invalid
from metrics.alerts import registry as conditions
from metrics.alerts.digest import DigestSpec
from metrics.alerts.escalation import EscalationSpec
from metrics.alerts.received import ReceivedConfig
from metrics.alerts.rotation import ScheduleSpec
from metrics.alerts.rule import NOT_LOOKED_AT, RuleSpec
from metrics.alerts.threshold import ThresholdConfig
from metrics.ingest.alert_mapping import AlertMapping
from metrics.models import AlertWebhook, Channel, Rule, Schedule, Source, Widget
from metrics.notify import registry as channel_kinds
from metrics.sources import registry as source_kinds
from metrics.sources.http_check import HttpCheckConfig
from metrics.versioned import NewerVersionError, Versioned, upgraded
from metrics.widgets import registry as widget_kinds
from metrics.widgets.number import NumberConfig
from tests import make

STORED: dict[str, dict[str, dict[str, Any]]] = json.loads((Path(__file__).parent / "configs.json").read_text())
"""By kind and version."""
CLASSES: dict[str, type[Versioned]] = {
    "rule": RuleSpec,
    "escalation": EscalationSpec,
    "digest": DigestSpec,
    "schedule": ScheduleSpec,
    "alert mapping": AlertMapping,
    **{name: kind.config_class for name, kind in source_kinds.kinds().items()},
    **{name: kind.config_class for name, kind in widget_kinds.kinds().items()},
    **{f"condition {name}": kind.config_class for name, kind in conditions.kinds().items()},
    **{f"channel {name}": kind.config_class for name, kind in channel_kinds.kinds().items()},
}


def test_there_is_one_of_every_version_of_every_kind() -> None:
    expected = {name: [str(version + 1) for version in range(one.version)] for name, one in CLASSES.items()}
    assert {name: sorted(versions) for name, versions in STORED.items()} == expected


@pytest.mark.parametrize(("kind", "version"), [(kind, version) for kind in STORED for version in STORED[kind]])
def test_it_is_taken(kind: str, version: str) -> None:
    now = upgraded(CLASSES[kind], STORED[kind][version], int(version))
    CLASSES[kind].model_validate(now)


def test_there_is_one_of_whatever_has_versions() -> None:
    known = tuple(CLASSES.values())
    every = [one for one in Versioned.__subclasses__() if one.__module__.startswith("metrics.")]
    assert [one for one in every if not any(issubclass(config_class, one) for config_class in known)] == []


def test_no_condition_has_a_field_that_says_something_else_in_its_document() -> None:
    fields = {name: set(kind.config_class.model_fields) for name, kind in conditions.kinds().items()}
    assert {name for name, of_kind in fields.items() if of_kind & {"kind", "version"}} == set()


def test_what_a_later_release_stored_is_refused() -> None:
    with pytest.raises(NewerVersionError, match="this release knows version 1, not 2"):
        upgraded(NumberConfig, {}, 2)


def inverted(old: dict[str, Any], from_version: int) -> dict[str, Any]:
    """Return what a second version of two kinds could make of the first."""
    assert from_version == 1
    if "target" in old:
        return {"url": old["target"], "password": old["key"]}
    return {**old, "decimals": old["decimals"] + 1}


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    for config_class in (NumberConfig, HttpCheckConfig):
        monkeypatch.setattr(config_class, "version", 2)
        monkeypatch.setattr(config_class, "upgrade", inverted)


OLD = {"queries": [{"metric": "m"}], "decimals": 0}
NEW = {**OLD, "decimals": 1}


def of(dashboard: str) -> list[tuple[dict[str, Any], int]]:
    return list(Widget.objects.filter(dashboard__slug=dashboard).values_list("config", "version"))


@pytest.mark.django_db
class TestStored:
    def test_widgets_are_upgraded_in_a_revision(self, request: pytest.FixtureRequest) -> None:
        made = dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        request.getfixturevalue("_later")
        for _ in range(2):
            dashboards.upgrade_configs()
        assert of("d") == [(NEW, 2)]
        assert [one.summary for one in made.revisions.all()] == [
            "Upgraded to the form of this release.",
            "Made with 1 widget.",
        ]

    def test_a_revision_of_an_earlier_release_is_restored_in_the_present_form(
        self, request: pytest.FixtureRequest
    ) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        dashboards.change(SYSTEM, "d", {"widgets": []}, None)
        request.getfixturevalue("_later")
        dashboards.restore_revision(SYSTEM, "d", 1, None)
        assert of("d") == [(NEW, 2)]

    def test_a_config_that_this_release_refuses_prevents_no_other_change(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "key": "n"}]})
        Widget.objects.update(config={"gone": 1})
        for config_version in ({}, {"version": 1}):
            widget = {**number(), "key": "n", "config": {"gone": 1}, "title": f"N{config_version}", **config_version}
            dashboards.change(SYSTEM, "d", {"widgets": [widget]}, None)
            assert of("d") == [({"gone": 1}, 1)]

    def test_sources_are_upgraded_with_their_credentials(self, request: pytest.FixtureRequest) -> None:
        source = make.source("http_check", url="http://a/", password="secret")
        with_old = {"target": "http://a/", "key": "secret"}
        Source.objects.update(config=with_old)
        request.getfixturevalue("_later")
        for _ in range(2):
            source_configs.upgrade()
        source.refresh_from_db()
        assert (source.config, source.version) == ({"url": "http://a/"}, 2)
        assert source_configs.credentials_of(source) == ["password"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_later")
class TestGiven:
    def test_a_document_of_an_earlier_release_is_upgraded(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "version": 1}]})
        assert of("d") == [(NEW, 2)]

    def test_one_without_a_version_is_of_the_present_one(self) -> None:
        dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [number()]})
        assert of("d") == [(OLD, 2)]

    def test_one_of_a_later_release_is_refused(self) -> None:
        with pytest.raises(Invalid, match=r"widgets\.0\.version: this release knows version 2, not 3\."):
            dashboards.create(SYSTEM, {"slug": "d", "title": "D", "widgets": [{**number(), "version": 3}]})


def above(old: dict[str, Any], from_version: int) -> dict[str, Any]:
    """Return what a second version of `threshold` could make of the first, in which `above` was called `over`."""
    assert from_version == 1
    return {"above" if name == "over" else name: value for name, value in old.items()}


@pytest.mark.django_db
class TestConditions:
    """Their configs are in the documents of rules."""

    SPEC: ClassVar[dict[str, Any]] = {"query": {"metric": "m"}, "condition": {"kind": "threshold", "over": 90}}

    @pytest.fixture(autouse=True)
    def _later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ThresholdConfig, "version", 2)
        monkeypatch.setattr(ThresholdConfig, "upgrade", above)
        rule_index.forget()

    def stored(self, **fields: Any) -> Rule:
        return Rule.objects.create(name="Disk", metric="m", spec={**self.SPEC, **fields})

    def test_a_rule_that_an_earlier_release_stored_is_looked_at(self) -> None:
        self.stored()
        (known,) = rule_index.by_metric()["m"]
        assert known.condition == ThresholdConfig(above=90)

    def test_a_change_stores_it_in_the_present_form_with_its_version(self) -> None:
        for _ in range(2):
            rule = rules.change(SYSTEM, (Rule.objects.first() or self.stored()).pk, {"severity": "critical"})
            assert rule.spec["condition"] == {"kind": "threshold", "version": 2, "above": 90}

    def test_a_change_of_a_rule_whose_alerts_are_received_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ReceivedConfig, "version", 2)
        rule = self.stored(query=NOT_LOOKED_AT, condition={"kind": "received", "sender": "token a"})
        Rule.objects.update(received="a", metric="")
        assert rules.change(SYSTEM, rule.pk, {"severity": "critical"}).severity == "critical"

    def test_a_file_without_a_version_is_of_the_first(self) -> None:
        self.stored()
        text = yaml.write({"name": "Disk", **self.SPEC})
        assert rule_files.compare(SYSTEM, {"disk": text}) == []
        (written,) = rule_files.export(SYSTEM, {}).values()
        assert rule_files.compare(SYSTEM, {"disk": written}) == []

    def test_a_document_without_one_is_of_the_present_one(self) -> None:
        for given in ({"above": 90}, {"version": 1, "over": 90}, {"version": 2, "above": 90}):
            spec = rules.checked({"name": "Disk", **self.SPEC, "condition": {"kind": "threshold", **given}})
            assert spec.config() == ThresholdConfig(above=90)

    def test_one_of_a_later_release_is_refused(self) -> None:
        for version, said in ((3, "this release knows version 2, not 3"), ("1", "version has to be a whole number")):
            given = {"kind": "threshold", "version": version, "above": 90}
            with pytest.raises(Invalid, match=said):
                rules.checked({"name": "Disk", **self.SPEC, "condition": given})


@pytest.mark.django_db
def test_schedules_and_mappings_are_shown_and_changed_in_the_present_form(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(old: dict[str, Any], from_version: int) -> dict[str, Any]:
        return {name.removeprefix("old_"): value for name, value in old.items()}

    for config_class in (ScheduleSpec, AlertMapping):
        monkeypatch.setattr(config_class, "version", 2)
        monkeypatch.setattr(config_class, "upgrade", renamed)
    row = Schedule.objects.create(name="Databases", time_zone="UTC", spec={"old_holidays": ["2026-12-25"]})
    assert schedules.plan_of(row) == {"holidays": ["2026-12-25"]}
    assert schedules.change(SYSTEM, row.pk, {"layers": []}).spec == {"holidays": ["2026-12-25"]}
    assert alert_webhooks.document_of(AlertWebhook(mapping={"old_name": "title"})) == {"name": "title"}


@pytest.mark.django_db
def test_digests_of_channels_are_read_and_stored_in_the_present_form(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"url": "http://a/", "secret": "x" * 24}
    channel = channels.create(SYSTEM, "webhook", "pager", config, digest={"every": "1h"})
    Channel.objects.update(digest={"each": "1h"})

    def renamed(old: dict[str, Any], from_version: int) -> dict[str, Any]:
        return {"every" if name == "each" else name: value for name, value in old.items()}

    monkeypatch.setattr(DigestSpec, "version", 2)
    monkeypatch.setattr(DigestSpec, "upgrade", renamed)
    channel.refresh_from_db()
    assert channel_configs.digest_of(channel) == DigestSpec(every="1h")
    for _ in range(2):
        channel_configs.upgrade()
        channel.refresh_from_db()
        assert (channel.digest, channel.digest_version) == ({"every": "1h"}, 2)


VERSIONED = {
    "AlertWebhook.mapping": "version",
    "Channel.config": "version",
    "Channel.digest": "digest_version",
    "Escalation.spec": "version",
    "Rule.spec": "version",
    "Schedule.spec": "version",
    "Source.config": "version",
    "Widget.config": "version",
}
"""The configs that rows have, with the column that says of which version each is."""
OTHERS = {
    "It is a fact of the row, not a config: words, numbers, labels, or what a machine noted.": {
        "Alert.annotations",
        "Alert.labels",
        "Alert.series",
        "AuditEntry.after",
        "AuditEntry.before",
        "Dashboard.tags",
        "Delivery.receipt",
        "Heartbeat.starts",
        "IdempotencyKey.answer",
        "Incident.checklist",
        "Link.variables",
        "Maintenance.doubts",
        "Maintenance.matchers",
        "Maintenance.reach",
        "Message.cards",
        "Message.mentions",
        "Message.moment",
        "NotificationSettings.pushed_kinds",
        "NotificationSettings.silent_kinds",
        "Schedule.doubts",
        "Schedule.shifts",
        "Series.labels",
        "Silence.matchers",
        "Silence.reach",
        "Source.recent",
    },
    "It is what somebody was told, as it was told.": {"AlertEvent.data", "Delivery.document"},
    "It has no version: each config in it has one, and what is around that only ever got fields with defaults.": {
        "Dashboard.variables",
        "DraftStep.spec",
        "Revision.spec",
        "Widget.phone",
    },
}
"""All other columns with JSON, by the reason why they have no version."""


def test_every_column_with_json_is_a_config_with_a_version_or_known_to_be_none() -> None:
    found = {
        f"{model.__name__}.{field.name}": model
        for model in apps.get_app_config("metrics").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, JSONField)
    }
    assert sorted(found) == sorted({*VERSIONED, *set[str]().union(*OTHERS.values())})
    assert [name for name, of in VERSIONED.items() if not found[name]._meta.get_field(of)] == []


def number() -> dict[str, Any]:
    return {"kind": "number", "title": "N", "config": OLD}
