"""Alerts gather in incidents, whose rooms are their timelines; people take them, hand them over and end them."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.access.sharing import Access
from metrics.actions import (
    alerts,
    announcements,
    escalations,
    incident_messages,
    incidents,
    rules,
)
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.models import (
    Alert,
    AuditEntry,
    Channel,
    Delivery,
    Escalation,
    Incident,
    Message,
    Notification,
    Silence,
    Team,
    Transition,
    Withheld,
)
from metrics.redis_state import delivering
from metrics.times import datetime_of
from tests import make
from tests.alerting import push_hosts, rule, told
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

STEPS = {
    "steps": [{"tell": ["team"]}, {"after": "10m", "tell": ["user:boss", "channels"]}],
    "repeat": "30m",
}


def person(name: str, *, edits: bool = True) -> Principal:
    return of_user(make.user(name, is_staff=edits))


def said(incident: Incident | None = None) -> list[str]:
    rows = Message.objects.filter(room__incident=incident) if incident else Message.objects.all()
    return list(rows.order_by("pk").values_list("text", flat=True))


class TestGathering:
    def test_alerts_that_begin_together_are_one_incident_and_end_with_it(self) -> None:
        rule()
        rule("Site slow", "latency", severity="critical")
        push_hosts(a=95)
        push_hosts(60, b=96)
        push_hosts(120, "latency", a=99)
        incident = Incident.objects.get()
        assert (incident.title, incident.severity, incident.alerts.count()) == ('Disk full{host="a"}', "critical", 3)
        push_hosts(180, a=1, b=1)
        incident.refresh_from_db()
        assert incident.resolved_at is None
        push_hosts(240, "latency", a=1)
        incident.refresh_from_db()
        assert incident.resolved_at is not None
        assert incident.resolved_by == ""
        moves = Transition.objects.filter(noun="incident").values_list("before", "after")
        assert list(moves) == [("open", "resolved")]

    def test_its_timeline_says_what_happened_with_the_chart_as_it_was(self) -> None:
        rule()
        push_hosts(a=95)
        push_hosts(60, a=20)
        assert said(Incident.objects.get()) == [
            '- **Firing** `Disk full{host="a"}` The value was 95; bad is above 90.',
            '- **Over** `Disk full{host="a"}` The value was 20; bad is above 90.',
        ]
        first, second = Message.objects.order_by("pk")
        assert "<svg" in first.drawing
        assert second.drawing == ""

    @pytest.mark.parametrize(
        ("after_s", "teams", "spec", "count"),
        [
            (299, ["ops"], {}, 1),
            (301, ["ops"], {}, 2),
            (301, ["ops"], {"gather": "1h"}, 1),
            (10, ["night"], {}, 2),
            (10, ["ops"], {"group_by": ["host"]}, 2),
            (10, ["ops"], {"group_by": ["place"]}, 1),
        ],
    )
    def test_what_belongs_together(self, after_s: float, teams: list[str], spec: dict[str, Any], count: int) -> None:
        ops, _ = make.team("ops"), make.team("night")
        Escalation.objects.create(team=ops, spec=spec)
        rule(teams=["ops"])
        rule("Site slow", "latency", teams=teams)
        push_hosts(a=95)
        push_hosts(after_s, "latency", b=95)
        assert Incident.objects.count() == count

    def test_one_that_comes_back_soon_opens_its_incident_again(self) -> None:
        rule()
        for after_s, value in ((0, 95), (60, 1), (600, 95), (700, 1), (1400, 95)):
            push_hosts(after_s, a=value)
        first, second = Incident.objects.order_by("pk")
        assert first.resolved_at is not None
        assert second.resolved_at is None

    def test_a_storm_is_one_notification_and_one_message(self) -> None:
        person("ann")
        rule()
        push_hosts(**dict.fromkeys((f"h{index:02}" for index in range(40)), 95))
        assert told() == ['Disk full{host="h00"}: 40 alerts began.']
        text, page = said()
        assert page == "Told in the page: everyone (1 person)."
        assert text.splitlines()[-1] == "- And 30 more."
        assert len(text.splitlines()) == 11

    def test_each_change_is_announced_once_whatever_dies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person("ann")
        rule()

        def dies(*_: Any) -> None:
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(announcements, "_texts", dies)
            with pytest.raises(SystemExit):
                push_hosts(a=95)
        assert (told(), said(), Incident.objects.count()) == ([], [], 0)
        assert Transition.objects.get(noun="alert").processed_at is None
        announcements.announce(AT + 1)
        announcements.announce(AT + 2)
        assert (len(told()), len(said()), Incident.objects.count()) == (1, 2, 1)

    def test_a_rule_that_is_deleted_leaves_no_open_incident(self) -> None:
        rule()
        push_hosts(a=95)
        rules.delete(SYSTEM, Alert.objects.get().rule_id)
        announcements.announce(AT + 1)
        assert Incident.objects.get().resolved_at is not None


class TestAnswering:
    @pytest.fixture
    def incident(self) -> Incident:
        Escalation.objects.create(team=make.team("ops"), spec=STEPS)
        rule(teams=["ops"], checklist=["Look at the disk", "Call the owner"])
        push_hosts(a=95, b=96)
        return Incident.objects.get()

    @pytest.fixture
    def ann(self) -> Principal:
        return self.member("ann")

    @pytest.fixture
    def bob(self) -> Principal:
        return self.member("bob")

    @staticmethod
    def member(name: str) -> Principal:
        user = make.user(name, is_staff=True)
        user.groups.add(Team.objects.get(name="ops"))
        return of_user(user)

    def test_one_is_taken_with_its_alerts_taken_over_and_given_back(
        self, incident: Incident, ann: Principal, bob: Principal
    ) -> None:
        incidents.acknowledge(ann, incident.pk, "on it")
        assert set(Alert.objects.values_list("acknowledged_by", flat=True)) == {"user ann"}
        incidents.acknowledge(bob, incident.pk)
        incident.refresh_from_db()
        assert (incident.acknowledged_by, incident.next_step_at) == ("user bob", None)
        incidents.give_back(bob, incident.pk)
        incident.refresh_from_db()
        assert incident.acknowledged_by == ""
        assert incident.next_step_at is not None
        assert said(incident)[1:] == [
            "ann took it: on it",
            "bob took it over from ann.",
            "bob gave it back: it is for anybody again.",
        ]
        assert set(Alert.objects.values_list("acknowledged_by", flat=True)) == {""}
        verbs = AuditEntry.objects.filter(noun="incident").order_by("pk").values_list("verb", flat=True)
        assert list(verbs) == ["acknowledge", "acknowledge", "give back"]

    def test_what_somebody_took_just_before_stays_theirs(
        self, incident: Incident, ann: Principal, bob: Principal
    ) -> None:
        """Both looked at the page when nobody had it, or `ann` did."""
        incidents.acknowledge(ann, incident.pk, had_by="")
        incidents.acknowledge(ann, incident.pk, "again", had_by="")
        taken = "ann took it just before you; nothing was changed."
        with pytest.raises(Invalid, match=taken):
            incidents.acknowledge(bob, incident.pk, had_by="")
        incidents.acknowledge(bob, incident.pk, had_by="user ann")
        before = said(incident)
        with pytest.raises(Invalid, match="bob took it just before you"):
            incidents.give_back(ann, incident.pk, had_by="user ann")
        with pytest.raises(Invalid, match="bob took it just before you"):
            incidents.hand_over(ann, incident.pk, "ann", had_by="user ann")
        assert said(incident) == before
        incident.refresh_from_db()
        assert incident.acknowledged_by == "user bob"
        incidents.give_back(bob, incident.pk, had_by="user bob")
        incidents.acknowledge(ann, incident.pk, had_by="user bob")  # that nobody has it any more stops nobody
        alert = Alert.objects.filter(incident=incident)[0]
        with pytest.raises(Invalid, match=taken):
            alerts.give_back(bob, alert.pk, had_by="user eve")
        alerts.give_back(bob, alert.pk, had_by="user ann")

    def test_one_that_is_over_is_not_given_back(self, incident: Incident, bob: Principal) -> None:
        incidents.acknowledge(bob, incident.pk)
        incidents.resolve(bob, incident.pk)
        before = said(incident)
        with pytest.raises(Invalid, match="This incident is over; there is nothing to give back"):
            incidents.give_back(bob, incident.pk)
        assert said(incident) == before

    def test_it_is_handed_over_to_somebody_who_is_told(
        self, incident: Incident, ann: Principal, bob: Principal
    ) -> None:
        incidents.hand_over(ann, incident.pk, "bob", "my shift ends")
        incident.refresh_from_db()
        assert incident.acknowledged_by == "user bob"
        assert Notification.objects.filter(user=bob.pk, kind="mention").exists()
        make.user("stranger", is_staff=True)
        for name in ("stranger", "nobody"):
            with pytest.raises(Invalid, match="no user"):
                incidents.hand_over(ann, incident.pk, name)

    def test_it_is_for_anybody_again_when_a_worse_alert_joins(self, incident: Incident, ann: Principal) -> None:
        incidents.acknowledge(ann, incident.pk)
        rule("Gone", "gone", teams=["ops"], severity="critical")
        push_hosts(60, "gone", a=95)
        incident.refresh_from_db()
        assert (incident.severity, incident.acknowledged_by) == ("critical", "")

    def test_it_is_resolved_and_opened_again_by_people(self, incident: Incident, ann: Principal) -> None:
        incidents.resolve(ann, incident.pk, "known")
        with pytest.raises(Invalid, match="over"):
            incidents.acknowledge(ann, incident.pk)
        incidents.reopen(ann, incident.pk)
        incident.refresh_from_db()
        assert (incident.resolved_at, incident.step) == (None, 1)
        assert said(incident)[1:] == ["ann resolved it: known", "ann opened it again."]

    def test_the_reason_of_who_came_second_is_kept(self, incident: Incident, ann: Principal, bob: Principal) -> None:
        incidents.resolve(ann, incident.pk, "known")
        incidents.resolve(bob, incident.pk, "disk swapped")
        incidents.resolve(bob, incident.pk)
        incidents.reopen(ann, incident.pk)
        incidents.reopen(bob, incident.pk, "it is back")
        assert said(incident)[1:] == [
            "ann resolved it: known",
            "bob resolved it, too: disk swapped",
            "ann opened it again.",
            "bob opened it again, too: it is back",
        ]

    def test_one_that_is_opened_again_is_nobodys_and_goes_through_its_steps(
        self, incident: Incident, ann: Principal
    ) -> None:
        incidents.acknowledge(ann, incident.pk)
        push_hosts(60, a=1, b=1)
        push_hosts(120, a=95)
        incident.refresh_from_db()
        assert (incident.resolved_at, incident.acknowledged_by, incident.told_at) == (None, "", None)
        assert escalations.sweep(AT + 120 + 601) == 1

    def test_alerts_that_are_taken_one_by_one_are_taken(self, incident: Incident, ann: Principal) -> None:
        first, second = Alert.objects.order_by("pk")
        alerts.acknowledge(ann, first.pk, "")
        assert escalations.sweep(AT + 601) == 1
        alerts.acknowledge(ann, second.pk, "")
        assert escalations.sweep(AT + 9999) == 0

    def test_what_is_not_for_everyone_any_more_leaves_the_incident_of_everyone(self, incident: Incident) -> None:
        make.team("night")
        rules.change(SYSTEM, Alert.objects.first().rule_id, {}, Access(everyone=False, teams=["night"]))  # type: ignore[union-attr]
        assert announcements.release(AT + 60) == 2
        push_hosts(120, a=95)
        first, second = Incident.objects.order_by("pk")
        assert first.resolved_at is not None
        assert [team.name for team in second.teams.all()] == ["night"]
        assert {one.incident_id for one in Alert.objects.all()} == {second.pk}

    def test_the_checklist_of_the_rule_is_ticked(self, incident: Incident, ann: Principal) -> None:
        incidents.tick(ann, incident.pk, 1)
        incident.refresh_from_db()
        assert [bool(one.get("done_by")) for one in incident.checklist] == [False, True]
        incidents.change(ann, incident.pk, {"checklist": ["Call the owner", "Sleep"]})
        incident.refresh_from_db()
        assert [bool(one.get("done_by")) for one in incident.checklist] == [True, False]
        with pytest.raises(Invalid, match="2 items"):
            incidents.tick(ann, incident.pk, 2)
        with pytest.raises(Invalid, match="The checklist was changed just before; nothing was ticked"):
            incidents.tick(ann, incident.pk, 1, text="Call the owner")
        incidents.change(ann, incident.pk, {"checklist": ["Call\nthe owner"]})
        incidents.tick(ann, incident.pk, 0, text="Call\r\nthe owner")
        incident.refresh_from_db()
        assert incident.checklist[0]["done_by"] == ann.name

    def test_strangers_see_none_and_viewers_answer_none(self, incident: Incident) -> None:
        with pytest.raises(Missing):
            incidents.find(person("eve"), incident.pk)
        viewer = make.user("vic")
        viewer.groups.add(Team.objects.get(name="ops"))
        with pytest.raises(Forbidden, match="only editors"):
            incidents.acknowledge(of_user(viewer), incident.pk)


class TestEscalating:
    @pytest.fixture(autouse=True)
    def _storm(self) -> None:
        ops = make.team("ops", make.user("ann", is_staff=True))
        ops.user_set.add(make.user("boss", is_staff=True))
        Escalation.objects.create(team=ops, spec=STEPS)
        Channel.objects.create(name="hook", team=ops, kind="webhook")
        rule(teams=["ops"])
        push_hosts(a=95)

    def told_boss(self) -> list[str]:
        return list(Notification.objects.filter(user__username="boss").order_by("pk").values_list("text", flat=True))

    def messages(self) -> list[tuple[str, str]]:
        return list(Delivery.objects.order_by("pk").values_list("document__state", "document__subject"))

    def test_later_steps_are_taken_while_nobody_has_it_and_the_last_one_repeats(self) -> None:
        assert len(self.told_boss()) == 1  # a member of the team
        for after_s, steps in ((599, 0), (601, 1), (2399, 0), (2401, 1), (4201, 1)):
            assert escalations.sweep(AT + after_s) == steps, after_s
        assert self.told_boss()[1:] == [
            'Nobody has taken it for 10 min: Disk full{host="a"}',
            'Nobody has taken it for 40 min: Disk full{host="a"}',
            'Nobody has taken it for 70 min: Disk full{host="a"}',
        ]
        assert self.messages() == [("escalated", 'Disk full{host="a"}')] * 3
        assert said()[-1] == "Nobody has taken it for 70 min: told boss, hook."

    @pytest.mark.parametrize("end", ["take", "resolve", "recover"])
    def test_they_end_when_somebody_has_it_or_it_is_over(self, end: str) -> None:
        ann = of_user(User.objects.get(username="ann"))
        if end == "recover":
            push_hosts(60, a=1)
        else:
            {"take": incidents.acknowledge, "resolve": incidents.resolve}[end](ann, Incident.objects.get().pk)
        assert escalations.sweep(AT + 9999) == 0


class TestChannels:
    @pytest.fixture(autouse=True)
    def _channel(self) -> None:
        Channel.objects.create(name="hook", kind="webhook")
        rule()

    def test_what_began_is_asked_to_be_told_once_it_has_settled(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        asked: list[tuple[set[str], float]] = []
        monkeypatch.setattr(delivering, "ask_soon", lambda kinds, settles_s: asked.append((set(kinds), settles_s)))
        with django_capture_on_commit_callbacks(execute=True):
            push_hosts(a=95)
        assert asked == [({"webhook"}, incident_messages.SETTLES.total_seconds())]
        assert self.sent(0.6) == [("firing", 1, 0)]

    @staticmethod
    def sent(after_s: float) -> list[tuple[str, int, int]]:
        """Return the messages that are queued by then: the state, how many alerts are named, how many more."""
        incident_messages.send(AT + after_s)
        rows = Delivery.objects.order_by("pk").values_list("document", flat=True)
        return [(one["state"], len(one["lines"]), one["more"]) for one in rows]

    def test_a_storm_is_one_message_and_its_end_another_of_the_conversation(self) -> None:
        for second in range(10):
            push_hosts(second, **{f"h{second}-{index}": 95 for index in range(20)})
            assert self.sent(second + 0.1) == []
        assert self.sent(9.7) == [("firing", 10, 190)]
        assert self.sent(100) == [("firing", 10, 190)]
        push_hosts(120, **{f"h{second}-{index}": 1 for second in range(10) for index in range(20)})
        assert self.sent(121) == [("firing", 10, 190), ("resolved", 10, 190)]
        assert set(Delivery.objects.values_list("conversation", flat=True)) == {f"incident:{Incident.objects.get().pk}"}

    def test_a_storm_that_does_not_end_is_told_after_half_a_minute(self) -> None:
        for second in range(0, 62, 2):
            push_hosts(second / 2, **{f"h{second}": 95})
        assert len(self.sent(30.1)) == 1

    def test_updates_wait_but_not_that_somebody_took_it(self) -> None:
        push_hosts(a=95)
        assert len(self.sent(1)) == 1
        push_hosts(10, b=95)
        assert len(self.sent(20)) == 1
        assert self.sent(302)[1:] == [("update", 2, 0)]
        incidents.acknowledge(SYSTEM, Incident.objects.get().pk)
        Incident.objects.update(acknowledged_at=datetime_of(AT + 310), changed_at=datetime_of(AT + 310))
        assert [state for state, *_ in self.sent(311)] == ["firing", "update", "update"]

    @pytest.mark.parametrize(("severity", "by"), [("warning", 7200), ("critical", 10)])
    def test_in_quiet_hours_what_can_wait_waits(self, severity: str, by: float) -> None:
        quiet = {"from": "11:00", "to": "13:30", "time_zone": "UTC"}
        Escalation.objects.create(team=None, spec={"quiet": quiet})
        rule("Site slow", "latency", severity=severity)
        push_hosts(0, "latency", a=95)
        assert len(self.sent(10)) == (by == 10)
        assert len(self.sent(7200)) == 1

    def test_what_ends_after_somebody_resolved_it_is_no_news(self) -> None:
        push_hosts(a=95, b=95)
        assert len(self.sent(1)) == 1
        incidents.resolve(SYSTEM, Incident.objects.get().pk)
        Incident.objects.update(changed_at=datetime_of(AT + 2))
        assert [state for state, *_ in self.sent(5)] == ["firing", "resolved"]
        push_hosts(10, a=1)
        push_hosts(20, b=1)
        assert len(self.sent(60)) == 2

    def test_the_end_reaches_all_who_ever_heard_of_it(self) -> None:
        push_hosts(a=95)
        incident = Incident.objects.get()
        later = Channel.objects.create(name="later", kind="webhook", enabled=True)
        assert len(self.sent(1)) == 2
        Escalation.objects.create(spec={"steps": [{"tell": ["everyone"]}]})
        push_hosts(10, a=1)
        self.sent(20)
        rows = Delivery.objects.filter(channel=later, conversation=f"incident:{incident.pk}")
        assert [one.document["state"] for one in rows.order_by("pk")] == ["firing", "resolved"]

    def test_a_document_of_a_later_release_keeps_nobody_from_being_told(self) -> None:
        Escalation.objects.create(spec={"steps": []}, version=99)
        person("ann")
        push_hosts(a=95)
        assert len(told()) == 1

    def test_of_what_was_over_before_anybody_was_told_nobody_is(self) -> None:
        push_hosts(a=95)
        push_hosts(0.5, a=1)
        assert self.sent(60) == []
        assert Incident.objects.get().untold_since is None


class TestWithholding:
    @staticmethod
    def silence() -> None:
        matcher = {"name": "host", "value": "a", "isRegex": False, "isEqual": True}
        Silence.objects.create(
            matchers=[matcher], starts_at=datetime_of(AT - 10), ends_at=datetime_of(AT + 600), by="x", comment="planned"
        )

    def test_what_a_silence_withholds_is_told_when_it_ends(self) -> None:
        person("ann")
        rule()
        self.silence()
        push_hosts(a=95, b=95)
        assert told() == ['Warning: Disk full{host="b"} is 95.']
        assert announcements.release(AT + 500) == 0
        assert Withheld.objects.count() == 1
        assert announcements.release(AT + 601) == 1
        assert announcements.release(AT + 602) == 0
        assert told()[1:] == ['Warning: Disk full{host="a"} is 95.']
        assert Incident.objects.count() == 1

    def test_what_began_and_ended_in_a_silence_is_never_told(self) -> None:
        person("ann")
        rule()
        self.silence()
        push_hosts(a=95)
        push_hosts(60, a=1)
        assert (announcements.release(AT + 700), told(), Incident.objects.count()) == (0, [], 0)
