"""Alerts that others evaluate: their rules, their states and transitions, and whom they tell."""

from collections.abc import Sequence
from typing import Any

import pytest

from metrics.access.principal import SYSTEM, Principal, of_token
from metrics.access.sharing import Access
from metrics.actions import alerts, announcements, received_alerts, received_rules, rule_index, rules
from metrics.actions.errors import Forbidden, Invalid
from metrics.ingest.alerts import SentAlert
from metrics.models import Alert, AuditEntry, Incident, Rule, Team, Token, Transition
from tests import make
from tests.alerting import told
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def sender(name: str = "prom", scope: str = "push", teams: Sequence[Team] = ()) -> Principal:
    make.token(name, scope, teams)
    return of_token(Token.objects.get(name=name))


def alert(name: str = "DiskFull", after_s: float = 0, holds_s: float = 240, **labels: str) -> SentAlert:
    """An alert that fires `after_s` seconds after AT; sent as over with a negative `holds_s`."""
    starts_at = AT + after_s
    return SentAlert({"alertname": name, **labels}, {"summary": "full"}, starts_at, starts_at + holds_s)


def moves() -> list[tuple[str, str, float, str]]:
    rows = Transition.objects.filter(noun="alert").order_by("pk")
    return [(one.before, one.after, one.at.timestamp() - AT, one.why) for one in rows]


def states() -> dict[str, str]:
    return {one.labels.get("node", ""): one.state for one in Alert.objects.all()}


class TestStates:
    def test_an_alert_fires_once_however_often_it_is_sent_and_ends_when_it_is_said(self) -> None:
        by, make_user = sender(), make.user("ada")
        assert make_user
        for after_s in (10, 70, 130):
            one = SentAlert({"alertname": "DiskFull", "node": "a"}, {"summary": "full"}, AT, AT + after_s + 240)
            assert received_alerts.receive(by, [one], AT + after_s).count == 1
            announcements.announce(AT + after_s)
        (row,) = Alert.objects.all()
        assert (row.state, row.since_ms, row.fired_at_ms) == ("firing", AT * 1000, AT * 1000)
        assert (row.ends_at_ms, row.seen_at_ms) == ((AT + 370) * 1000, (AT + 130) * 1000)
        over = SentAlert({"alertname": "DiskFull", "node": "a"}, {}, AT, AT + 180)
        for after_s in (190, 250):
            received_alerts.receive(by, [over], AT + after_s)
            announcements.announce(AT + after_s)
        assert moves() == [
            ("ok", "firing", 0, "token prom sent it."),
            ("firing", "ok", 180, "token prom sent that it is over."),
        ]
        assert told() == [
            'Warning: DiskFull{node="a"} is bad. full',
            'Over: DiskFull{node="a"}.',
        ]
        assert Incident.objects.get().resolved_at is not None

    def test_one_that_is_not_sent_anew_ends_when_it_no_longer_holds(self) -> None:
        received_alerts.receive(sender(), [alert(node="a"), alert(node="b", holds_s=600)], AT)
        assert received_alerts.end_unsent(AT + 239) == 0
        assert received_alerts.end_unsent(AT + 240) == 1
        assert states() == {"a": "ok", "b": "firing"}
        assert moves()[-1] == ("firing", "ok", 240, "It was not sent anew until it no longer held.")

    def test_one_that_was_forgotten_meanwhile_is_told_again_though_its_sender_says_it_never_ended(self) -> None:
        by = sender()
        make.user("ada")
        received_alerts.receive(by, [alert()], AT)
        announcements.announce(AT)
        received_alerts.end_unsent(AT + 300)
        received_alerts.receive(by, [SentAlert(alert().labels, {}, AT, AT + 900)], AT + 400)
        announcements.announce(AT + 400)
        assert [move[:3] for move in moves()] == [("ok", "firing", 0), ("firing", "ok", 240), ("ok", "firing", 400)]
        assert len(told()) == 3
        assert Alert.objects.get().fired_at_ms == AT * 1000

    def test_the_end_of_an_earlier_time_does_not_end_a_later_one(self) -> None:
        by, over = sender(), SentAlert(alert().labels, {}, AT, AT + 50)
        received_alerts.receive(by, [alert()], AT)
        received_alerts.receive(by, [over], AT + 60)
        received_alerts.receive(by, [alert(after_s=90)], AT + 90)
        received_alerts.receive(by, [over], AT + 100)
        assert states() == {"": "firing"}

    def test_one_that_is_over_and_was_never_bad_is_none(self) -> None:
        assert received_alerts.receive(sender(), [alert(holds_s=-10)], AT).count == 1
        assert not Alert.objects.exists()

    def test_a_shorter_end_takes_nothing_from_a_longer_one_and_an_earlier_start_holds(self) -> None:
        by = sender()
        received_alerts.receive(by, [alert(holds_s=900)], AT)
        received_alerts.receive(by, [alert(after_s=-50, holds_s=110)], AT + 1)
        row = Alert.objects.get()
        assert (row.ends_at_ms, row.fired_at_ms) == ((AT + 900) * 1000, (AT - 50) * 1000)

    @pytest.mark.parametrize(
        ("severity", "expected"),
        [("critical", "critical"), ("page", "critical"), ("purple", "warning"), ("", "warning")],
    )
    def test_severity(self, severity: str, expected: str) -> None:
        received_alerts.receive(sender(), [alert(severity=severity) if severity else alert()], AT)
        assert Alert.objects.get().severity == expected

    def test_a_storm_costs_few_queries(self, django_assert_max_num_queries: Any) -> None:
        by = sender()
        storm = [alert(node=str(number)) for number in range(400)]
        with django_assert_max_num_queries(40):
            received_alerts.receive(by, storm, AT)
        with django_assert_max_num_queries(15):
            received_alerts.receive(by, storm, AT + 60)
        assert Alert.objects.filter(state="firing").count() == 400
        assert Rule.objects.count() == 1

    def test_what_was_over_for_long_is_forgotten(self) -> None:
        by = sender()
        received_alerts.receive(by, [alert(node="a"), alert(node="b", holds_s=10**7)], AT)
        received_alerts.end_unsent(AT + 300)
        alerts.forget(AT + 91 * 86_400)
        assert states() == {"b": "firing"}


class TestLimits:
    def test_more_than_there_may_be_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(received_alerts, "BAD_MOST", 2)
        done = received_alerts.receive(sender(), [alert(node=str(number)) for number in range(3)], AT)
        assert (done.count, done.wrong) == (2, [received_alerts.TOO_MANY])
        assert Alert.objects.count() == 2

    def test_so_are_more_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(received_rules, "RULES_MOST", 1)
        done = received_alerts.receive(sender(), [alert("A"), alert("B")], AT)
        assert (done.count, done.wrong) == (1, [received_alerts.TOO_MANY_RULES])

    @pytest.mark.parametrize("scope", ["read", "edit"])
    def test_a_token_that_may_not_push_sends_none(self, scope: str) -> None:
        with pytest.raises(Forbidden):
            received_alerts.receive(sender(scope=scope), [alert()], AT)


class TestRules:
    def test_the_first_alert_makes_the_rule_with_its_name_for_the_teams_of_its_sender(self) -> None:
        ops = make.team("ops")
        received_alerts.receive(sender(teams=[ops]), [alert(), alert("Lag")], AT)
        rule = Rule.objects.get(name="DiskFull")
        assert (rule.for_everyone, list(rule.teams.all()), rules.says(rule)) == (
            False,
            [ops],
            "received from token prom",
        )
        assert AuditEntry.objects.filter(verb="create", noun="rule", by="token prom").count() == 2
        assert rule_index.by_metric() == {}

    def test_senders_of_the_same_teams_share_a_rule_and_others_have_their_own(self) -> None:
        ops, night = make.team("ops"), make.team("night")
        for name, teams in (("a", [ops]), ("b", [ops]), ("c", [night]), ("d", [])):
            received_alerts.receive(sender(name, teams=teams), [alert()], AT)
        assert sorted(Rule.objects.values_list("name", flat=True)) == [
            "DiskFull",
            "DiskFull (night)",
            "DiskFull (received)",
        ]
        assert Alert.objects.count() == 3

    def test_a_name_that_a_rule_of_ours_has_gets_a_suffix_and_a_rule_that_was_renamed_stays_the_same(self) -> None:
        condition = {"kind": "threshold", "above": 1}
        rules.create(SYSTEM, {"name": "DiskFull", "query": {"metric": "disk"}, "condition": condition})
        by = sender()
        received_alerts.receive(by, [alert()], AT)
        rule = Rule.objects.get(name="DiskFull (received)")
        rules.change(SYSTEM, rule.pk, {"name": "Disks", "text": "Look at {node}."}, Access(everyone=True))
        received_alerts.receive(by, [alert(node="b")], AT)
        assert rule.alerts.count() == 2
        assert Rule.objects.count() == 2

    def test_a_rule_that_is_off_takes_no_alerts_and_one_that_is_deleted_comes_back_with_the_next(self) -> None:
        by = sender()
        received_alerts.receive(by, [alert()], AT)
        rule = Rule.objects.get()
        rules.change(SYSTEM, rule.pk, {"enabled": False})
        assert received_alerts.receive(by, [alert(), alert(node="b")], AT + 1).count == 2
        assert states() == {"": "ok"}
        rules.delete(SYSTEM, rule.pk)
        received_alerts.receive(by, [alert()], AT + 2)
        assert states() == {"": "firing"}

    def test_its_labels_and_its_severity_are_for_alerts_without(self) -> None:
        by = sender()
        received_alerts.receive(by, [alert()], AT)
        rules.change(SYSTEM, Rule.objects.get().pk, {"labels": {"team": "ops"}, "severity": "info"})
        received_alerts.receive(by, [alert()], AT + 1)
        row = Alert.objects.get()
        assert (row.labels, row.severity) == ({"alertname": "DiskFull", "team": "ops"}, "info")

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "ü" * 300, "<b>"])
    def test_any_name_makes_a_rule(self, name: str) -> None:
        received_alerts.receive(sender(), [SentAlert({"alertname": name, "a": "b"}, {}, AT, AT + 60)], AT)
        assert 1 <= len(Rule.objects.get().name) <= 100

    def test_nobody_makes_one_by_hand_or_makes_one_of_the_other(self) -> None:
        received = {"kind": "received"}
        with pytest.raises(Invalid):
            rules.create(SYSTEM, {"name": "A", "condition": received})
        received_alerts.receive(sender(), [alert()], AT)
        rule = Rule.objects.get()
        with pytest.raises(Invalid):
            rules.change(SYSTEM, rule.pk, {"query": {"metric": "a"}, "condition": {"kind": "threshold", "above": 1}})
        rules.change(SYSTEM, rule.pk, rules.whole(rule))
        threshold = rules.create(
            SYSTEM, {"name": "B", "query": {"metric": "a"}, "condition": {"kind": "threshold", "above": 1}}
        )
        with pytest.raises(Invalid):
            rules.change(SYSTEM, threshold.pk, {"condition": received})
