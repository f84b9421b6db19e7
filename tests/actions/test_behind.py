"""Rules in front of others: they keep their place under another name, and for alerts that others send."""

from collections.abc import Iterable

import pytest

from metrics.access.principal import SYSTEM, of_token
from metrics.actions import announcements, behind, locks, received_alerts, rule_files, rules
from metrics.actions.errors import Conflict, Invalid
from metrics.ingest.alerts import SentAlert
from metrics.models import Alert, AuditEntry, Notification, Rule, Token
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ABOVE = {"kind": "threshold", "above": 90}


def rule(name: str, *fronts: str) -> Rule:
    named = [{"rule": one, "labels": ["host"]} for one in fronts]
    return rules.create(SYSTEM, {"name": name, "query": {"metric": "m"}, "condition": ABOVE, "behind": named})


def names(one: Rule) -> set[str]:
    return behind.names(Rule.objects.get(pk=one.pk))


def test_rules_follow_the_one_in_front_of_them_to_another_name() -> None:
    front, other = rule("Host down"), rule("Rack down")
    first, second, third = rule("Disk full", "Host down", "Rack down"), rule("Slow", "Host down"), rule("Hot")
    changed_at = Rule.objects.get(pk=first.pk).changed_at
    rules.change(SYSTEM, front.pk, {"severity": "critical"})
    assert Rule.objects.get(pk=first.pk).revision == 1
    rules.change(SYSTEM, front.pk, {"name": "Host is down"})
    assert [names(one) for one in (first, second, third, other)] == [
        {"Host is down", "Rack down"},
        {"Host is down"},
        set(),
        set(),
    ]
    found = Rule.objects.get(pk=first.pk)
    assert (found.revision, found.changed_at) == (2, changed_at), "it looks at the same"
    with pytest.raises(Conflict):
        rules.change(SYSTEM, first.pk, {"severity": "info"}, None, 1)
    entry = AuditEntry.objects.filter(noun="rule", thing=str(first.pk)).latest("pk")
    assert entry.verb == "change"
    text = rule_files.export(SYSTEM, {})
    assert "Host is down" in text["disk-full"]
    assert rule_files.compare(SYSTEM, text) == []


@pytest.mark.parametrize("meanwhile", ["is deleted", "stands behind another"])
def test_one_that_follows_no_more_does_not_hinder_another_name(meanwhile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    front, follows = rule("Host down"), rule("Disk full", "Host down")
    lock = locks.rules

    def somebody_is_faster(ids: Iterable[int]) -> dict[int, Rule]:
        if meanwhile == "is deleted":
            Rule.objects.filter(pk=follows.pk).delete()
        else:
            Rule.objects.filter(pk=follows.pk).update(spec={**follows.spec, "behind": []})
        return lock(ids)

    monkeypatch.setattr(locks, "rules", somebody_is_faster)
    rules.change(SYSTEM, front.pk, {"name": "Down"})
    assert Rule.objects.filter(name="Down").exists()
    assert not AuditEntry.objects.filter(verb="change", thing=str(follows.pk)).exists()


def test_files_name_rules_that_come_with_them() -> None:
    plain = "query: {metric: m}\ncondition: {kind: threshold, above: 90}\n"
    files = {
        "a": f"name: Disk full\n{plain}behind: [{{rule: Host down}}]\n",
        "b": f"name: Host down\n{plain}behind: [{{rule: Disk full}}]\n",
    }
    rule_files.apply(SYSTEM, rule_files.compare(SYSTEM, files))
    renamed = {"a": files["a"].replace("Host down", "Down"), "b": files["b"].replace("Host down", "Down")}
    rule_files.apply(SYSTEM, rule_files.compare(SYSTEM, renamed, prune=True))
    assert {one.name: behind.names(one) for one in Rule.objects.all()} == {"Disk full": {"Down"}, "Down": {"Disk full"}}
    with pytest.raises(Invalid, match="there is no rule 'Gone'"):
        rule_files.apply(SYSTEM, rule_files.compare(SYSTEM, {"a": files["a"].replace("Host down", "Gone")}))


def test_received_alerts_stand_behind_others() -> None:
    make.user("ann")
    make.token("prom", "push", ())
    by = of_token(Token.objects.get(name="prom"))

    def send(after_s: float, **alerts: float) -> None:
        sent = [
            SentAlert({"alertname": name, "host": "a"}, {}, AT, AT + after_s + holds_s)
            for name, holds_s in alerts.items()
        ]
        received_alerts.receive(by, sent, AT + after_s)
        announcements.announce(AT + after_s)

    send(0, HostDown=60, DiskFull=60)
    send(1, HostDown=-0.5, DiskFull=-0.5)
    Notification.objects.all().delete()
    for name, front in (("DiskFull", "HostDown"), ("HostDown", "")):
        found = Rule.objects.get(name=name)
        rules.change(SYSTEM, found.pk, {"behind": [{"rule": front, "labels": ["host"]}] if front else []})
    send(700, HostDown=60, DiskFull=60)
    down, full = (Alert.objects.get(rule__name=name) for name in ("HostDown", "DiskFull"))
    assert (down.are_told, full.are_told) == (True, False)
    assert behind.those_behind(SYSTEM, down) == [full]
    rules.change(SYSTEM, down.rule_id, {"name": "The host is down"})
    down.refresh_from_db()
    down = Alert.objects.select_related("rule").get(pk=down.pk)
    assert behind.those_behind(SYSTEM, down) == [full]
    rules.change(SYSTEM, full.rule_id, {"enabled": False})
    assert behind.those_behind(SYSTEM, down) == []
