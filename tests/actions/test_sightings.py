"""Sightings of an incident: told by pages and walls, once each; and what follows when nobody did."""

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access import policy
from metrics.access.principal import SYSTEM, of_user
from metrics.actions import bad_alerts, escalations, rules, sightings
from metrics.actions.errors import Invalid
from metrics.actions.sightings import Seen
from metrics.live.topic import Topic
from metrics.models import Alert, Incident, Message, Sighting, Widget
from metrics.times import datetime_of
from tests import make
from tests.alerting import push_hosts, rule
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

EVERY = [Widget(kind="alerts", config={})]


def wall(incident: Incident, viewer: str = "w1", dashboard: int = 0, at: float = AT + 2) -> Seen:
    return Seen(incident.pk, Sighting.WALL, viewer, "ada", dashboard, at)


def lines() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("text", flat=True))


class TestSeen:
    def test_each_viewer_counts_once_and_the_timeline_says_the_first(self) -> None:
        incident, shown = make.incident("Disk full"), make.dashboard("floor")
        assert sightings.summary(incident).text == "nobody has seen it yet"
        sightings.store([wall(incident, dashboard=shown.pk), wall(incident, "w2", at=AT + 3)])
        sightings.store([wall(incident, at=AT + 60), wall(incident, "w3", at=AT + 61)])
        bob = of_user(make.user("bob"))
        sightings.see(bob, incident.pk, AT + 70)
        sightings.see(bob, incident.pk, AT + 80)
        assert sightings.summary(incident).text == "on 3 walls and by bob"
        assert sightings.first_at(incident) == datetime_of(AT + 2)
        assert lines() == ["First seen on a wall of floor, signed in as ada."]

    @pytest.mark.parametrize("name", ["screen Lobby", "link lobby"])
    def test_a_screen_and_a_link_are_nobody_who_is_signed_in(self, name: str) -> None:
        incident, shown = make.incident("Disk full"), make.dashboard("floor")
        sightings.store([wall(incident, dashboard=shown.pk)._replace(name=name)])
        assert lines() == [f"First seen on a wall of floor, {name}."]

    def test_the_first_one_is_told_to_open_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        monkeypatch.setattr("metrics.actions.sightings.alert_changes.note", lambda noun: told.append(noun))
        incident = make.incident("Disk full")
        for viewer in ("w1", "w1", "w2"):
            sightings.store([wall(incident, viewer)])
        assert told == ["sighting"]

    def test_what_somebody_may_not_see_they_did_not_see(self) -> None:
        incident = make.incident("Secret", everyone=False, teams=[make.team("ops")])
        sightings.see(of_user(make.user("bob")), incident.pk, AT)
        sightings.see(SYSTEM, incident.pk, AT)
        sightings.store([wall(incident)._replace(incident=incident.pk + 1)])
        assert not Sighting.objects.exists()

    def test_of_one_incident_a_limited_number_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sightings, "KEPT_MOST", 3)
        incident, other = make.incident("Disk full"), make.incident("Site down")
        sightings.store([wall(incident), wall(incident, "w2")])
        sightings.store([wall(incident, f"more-{number}") for number in range(5)] + [wall(other)])
        assert (incident.sightings.count(), other.sightings.count()) == (3, 1)

    @pytest.mark.parametrize(
        ("name", "dashboard"), [("w\0", "floor"), ("w" * 41, "floor"), ("<b>", "floor"), ("w\n", ""), ("w1", "\0")]
    )
    def test_what_no_wall_calls_itself_is_refused(self, name: str, dashboard: str) -> None:
        incident = make.incident("Disk full")
        with pytest.raises(Invalid):
            sightings.see(of_user(make.user("bob")), incident.pk, AT, name, dashboard)
        assert not Sighting.objects.exists()


class TestNobody:
    @pytest.mark.parametrize(
        ("severity", "after_s", "is_seen", "count"),
        [("critical", 58, False, 0), ("critical", 61, False, 1), ("critical", 61, True, 0), ("warning", 61, False, 0)],
    )
    def test_a_critical_one_that_nobody_saw_for_a_minute_goes_on(
        self, severity: str, after_s: float, is_seen: bool, count: int
    ) -> None:
        incident = make.incident("Site down")
        later = datetime_of(AT + 600)
        Incident.objects.update(severity=severity, next_step_at=later)
        if is_seen:
            sightings.store([wall(incident)])
        assert escalations.hurry(AT + after_s) == count
        assert escalations.hurry(AT + after_s + 1) == 0
        incident.refresh_from_db()
        assert incident.next_step_at == (datetime_of(AT + after_s) if count else later)
        assert ("Nobody has seen it for a minute: the next step is due." in lines()) == bool(count)


class TestChanges:
    def test_one_message_for_a_transaction_and_the_widgets_that_show_it_are_marked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[tuple[int, ...]] = []
        monkeypatch.setattr("metrics.live.bus.alerts_changed", lambda *given: told.append(given))
        widgets = [make.widget("disk_used"), make.widget("other"), {"kind": "alerts", "title": "Bad", "config": {}}]
        keys = [one.key for one in make.widgets_of(make.dashboard("floor", widgets))]
        variant = make.variant("floor")
        monkeypatch.setattr("metrics.live.watchers.watched", lambda now: [variant, Topic("room", 1)])
        rule(severity="critical")
        told.clear()
        monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
        push_hosts(a=95)
        assert told
        assert [counts for _, *counts in told] == [[1, 1]] * len(told)
        assert {key for key in make.marks(variant) if key != "@"} == {keys[0], keys[2]}
        told.clear()
        rules.delete(SYSTEM, Alert.objects.get().rule_id)
        assert len(told) == 1


class TestBadAlerts:
    def test_a_dashboard_shows_those_of_rules_that_its_teams_may_see(self) -> None:
        ops, night = make.team("ops"), make.team("night")
        rule("For all")
        rule("For ops", "load", teams=["ops"])
        push_hosts(a=95)
        push_hosts(0, "load", a=99)
        seen = {
            name: sorted(
                one.rule for one in bad_alerts.on(partial(policy.teams_of, make.dashboard(name, teams=teams).pk))
            )
            for name, teams in (("all", ()), ("ops", (ops,)), ("night", (night,)))
        }
        assert seen == {"all": ["For all"], "ops": ["For all", "For ops"], "night": ["For all"]}
        assert bad_alerts.on_at(partial(policy.teams_of, None), AT - 1, EVERY) == ()
        assert [one.rule for one in bad_alerts.on_at(partial(policy.teams_of, None), AT + 1, EVERY)] == ["For all"]
        push_hosts(60, a=1)
        assert [one.rule for one in bad_alerts.on_at(partial(policy.teams_of, None), AT + 1, EVERY)] == ["For all"]
        assert bad_alerts.on_at(partial(policy.teams_of, None), AT + 61, EVERY) == ()

    def test_of_too_many_the_most_severe_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rule("Site down", severity="critical")
        rule("Load", "load")
        push_hosts(a=95)
        push_hosts(60, "load", a=99)
        monkeypatch.setattr(bad_alerts, "MOST", 1)
        assert [one.rule for one in bad_alerts.now()] == ["Site down"]
        assert [one.rule for one in bad_alerts.on_at(partial(policy.teams_of, None), AT + 61, EVERY)] == ["Site down"]

    @pytest.mark.parametrize(
        ("widgets", "names"),
        [
            ([make.widget("load")], ["Load"]),
            ([make.widget("load"), make.widget("disk_used")], ["Disk full", "Load"]),
            ([{"kind": "alerts", "title": "Bad", "config": {}}], ["Disk full", "Load"]),
            ([{"kind": "text", "title": "Words", "config": {"text": "Hello"}}], None),
        ],
    )
    def test_the_past_is_asked_only_for_what_widgets_show(
        self, widgets: list[dict[str, Any]], names: list[str] | None
    ) -> None:
        rule()
        rule("Load", "load")
        push_hosts(a=95)
        push_hosts(0, "load", a=99)
        push_hosts(0, "load", b=1)
        shown = make.widgets_of(make.dashboard("floor", widgets))
        with CaptureQueriesContext(connection) as asked:
            found = bad_alerts.on_at(partial(policy.teams_of, None), AT + 1, shown)
        assert sorted(one.rule for one in found) == (names or [])
        assert bool(asked.captured_queries) is (names is not None)
