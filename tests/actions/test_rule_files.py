"""Rules as files: what they say is what is stored, and comments stay."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from metrics.access.principal import SYSTEM, of_token, of_user
from metrics.access.sharing import Access
from metrics.actions import locks, received_alerts, rule_files, rules
from metrics.actions.errors import Invalid
from metrics.ingest.alerts import SentAlert
from metrics.models import Alert, AuditEntry, Rule, Token
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

DISK = """# Somebody has to clean up.
name: Disk full
query: {metric: disk_used, labels: {host: a}}
condition:
  kind: threshold
  above: 90   # per cent
for: 5m
access: {everyone: false, teams: [ops]}
"""


def applied(text: str = DISK, name: str = "disk") -> list[str]:
    """Apply one file; return what was done."""
    changes = rule_files.compare(SYSTEM, {name: text})
    rule_files.apply(SYSTEM, changes)
    return [one.verb for one in changes]


@pytest.fixture(autouse=True)
def _team() -> None:
    make.team("ops")


def test_a_file_is_applied_once() -> None:
    assert applied() == ["create"]
    assert applied() == []
    made = Rule.objects.get()
    assert (made.name, made.for_everyone, [team.name for team in made.teams.all()]) == ("Disk full", False, ["ops"])
    assert AuditEntry.objects.filter(noun="rule").count() == 1


def test_what_was_changed_in_the_page_goes_into_the_file() -> None:
    applied()
    condition = {"kind": "threshold", "above": 95}
    access = Access(everyone=False, teams=["ops"])
    rules.change(SYSTEM, Rule.objects.get().pk, {"condition": condition, "severity": "critical"}, access)
    (change,) = rule_files.compare(SYSTEM, {"disk": DISK})
    assert [line for line in change.lines() if line[:3] == "-  "] == ["-  above: 95   # per cent"]
    text = rule_files.export(SYSTEM, {"disk": DISK})["disk"]
    assert "above: 95   # per cent" in text
    assert "# Somebody has to clean up." in text
    assert "severity: critical" in text
    assert rule_files.compare(SYSTEM, {"disk": text}) == []
    assert rule_files.export(SYSTEM, {"disk": text}) == {"disk": text}


def test_one_without_a_file_gets_one_and_is_deleted_only_when_asked() -> None:
    applied()
    assert rule_files.compare(SYSTEM, {}) == []
    assert [one.verb for one in rule_files.compare(SYSTEM, {}, prune=True)] == ["delete"]
    texts = rule_files.export(SYSTEM, {})
    assert list(texts) == ["disk-full"]
    assert rule_files.compare(SYSTEM, texts) == []


def test_all_rules_are_locked_before_all_incidents_before_any_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: DISK.replace("Disk full", name) for name in ("a", "b")}
    rule_files.apply(SYSTEM, rule_files.compare(SYSTEM, files))
    ids, of = set(Rule.objects.values_list("pk", flat=True)), set[int]()
    for pk in ids:
        of.add(make.incident(f"{pk}").pk)
        Alert.objects.create(rule_id=pk, key="a", since_ms=0, seen_at_ms=0, state="firing", incident_id=max(of))
    those = set(Alert.objects.all())
    order: list[tuple[str, set[Any]]] = []
    for name in ("rules", "incidents", "alerts"):
        monkeypatch.setattr(locks, name, partial(_noted, order, name, getattr(locks, name)))
    rule_files.apply(SYSTEM, rule_files.compare(SYSTEM, {}, prune=True))
    assert order[:3] == [("rules", ids), ("incidents", of), ("alerts", those)]


def _noted(order: list[tuple[str, set[Any]]], name: str, lock: Callable[[Any], Any], things: Any) -> Any:
    those = list(things)
    order.append((name, set(those)))
    return lock(things if name == "alerts" else those)


def test_what_is_wrong_is_said_with_its_line() -> None:
    wrong = DISK.replace("above: 90", "above: lots").replace("[ops]", "[nobody]")
    with pytest.raises(Invalid, match=r"rules/disk.yaml: line 6: condition.above: It has to be a number"):
        applied(wrong)
    with pytest.raises(Invalid, match=r"rules/other.yaml: rules/disk.yaml is of 'Disk full', too"):
        rule_files.compare(SYSTEM, {"disk": DISK, "other": DISK})
    with pytest.raises(Invalid, match="It is no rule"):
        applied("- a")
    assert not Rule.objects.exists()


class TestReceived:
    """Rules of alerts that others send: their files go into another installation."""

    @pytest.fixture(autouse=True)
    def _sent(self) -> None:
        self.send("old")

    def send(self, name: str) -> None:
        make.token(name, "push")
        by = of_token(Token.objects.get(name=name))
        alert = SentAlert({"alertname": "Disk"}, {}, AT, AT + 900)
        assert received_alerts.receive(by, [alert], AT).count == 1

    def test_one_is_made_before_its_alerts_come(self) -> None:
        text = rule_files.export(SYSTEM, {})["disk"]
        assert text == "name: Disk\nquery: {metric: ALERTS}\ncondition: {kind: received, alertname: Disk}\n"
        Rule.objects.all().delete()
        assert applied(text) == ["create"]
        self.send("new")
        assert Rule.objects.get().alerts.count() == 1
        assert applied(text) == []
        assert applied(text + "severity: critical\nrunbook: https://wiki.example/disk\n") == ["change"]
        assert Rule.objects.get().severity == "critical"

    def test_who_sent_the_first_one_is_no_difference(self) -> None:
        condition = "condition: {kind: received, alertname: Disk, sender: token other}\n"
        assert applied(f"name: Disk\nquery: {{metric: ALERTS}}\n{condition}") == []
        assert applied(f"name: Disk\nquery: {{metric: ALERTS}}\nseverity: info\n{condition}") == ["change"]
        assert Rule.objects.get().spec["condition"]["sender"] == "token old"

    def test_what_can_not_be_applied_names_the_file(self) -> None:
        with pytest.raises(
            Invalid, match=r"^rules/disk\.yaml: condition: the rule 'Disk' is of these alerts already\.$"
        ):
            applied("name: Other\ncondition: {kind: received, alertname: Disk}\n")

    def test_a_rule_that_one_may_not_see_is_not_named(self) -> None:
        Rule.objects.get().teams.add(make.team("theirs"))
        Rule.objects.update(for_everyone=False, name="Secret")
        eve = of_user(make.user("eve", is_staff=True))
        document = {"name": "Other", "query": {"metric": "ALERTS"}, "condition": {"kind": "received"}}
        with pytest.raises(Invalid, match=r"^condition: a rule that you may not see is of these alerts already\.$"):
            rules.create(eve, document, received=Rule.objects.get().received)

    def test_none_is_pruned_which_no_file_could_know(self) -> None:
        assert rule_files.compare(SYSTEM, {}, prune=True) == []
