"""Rules look at what arrives, and people are told."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis import RedisError
from structlog.testing import capture_logs

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import alert_notices, alert_states, alerts, evaluation, rule_index, rules, sources, teams
from metrics.models import Alert, Notification, Rule, Run, Transition
from metrics.redis_state import arrived
from metrics.redis_state.connection import client
from metrics.sample import Sample, series_key
from metrics.times import datetime_of
from tests import make
from tests.alerting import ABOVE, moves, push, rule, states, told
from tests.make import AT, accepted, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

A_MINUTE: dict[str, Any] = {"for": "1m"}


def test_each_series_has_an_alert_of_its_own() -> None:
    make.user("ann")
    rule()
    push(95, host="a")
    push(50, host="b")
    assert states() == {'Disk full{host="a"}': "firing"}
    push(85, 10, host="a")
    push(91, 20, host="b")
    push(79, 30, host="a")
    assert states() == {'Disk full{host="a"}': "ok", 'Disk full{host="b"}': "firing"}
    assert moves() == [("ok", "firing", 0), ("ok", "firing", 20), ("firing", "ok", 30)]
    assert told() == [
        'Warning: Disk full{host="a"} is 95.',
        'Warning: Disk full{host="b"} is 91.',
        'Over: Disk full{host="a"}, now 79.',
    ]


def test_timers_end_though_nothing_arrives() -> None:
    rule(**A_MINUTE)
    push(95)
    assert evaluation.sweep(AT + 59) == 0
    assert evaluation.sweep(AT + 300) == 1
    assert moves() == [("ok", "pending", 0), ("pending", "firing", 60)]


@pytest.mark.parametrize("pushed", [pytest.param((95.0,), id="one sample"), pytest.param((93.0, 95.0), id="two")])
def test_what_a_timer_fires_is_told_with_its_value(pushed: Sequence[float]) -> None:
    make.user("ann")
    rule(text="Clean up: {value} used.", **A_MINUTE)
    for place, value in enumerate(pushed):
        push(value, 10.0 * place)
    evaluation.sweep(AT + 65)
    assert told() == ["Warning: Disk full is 95. Clean up: 95 used."]
    assert (
        Transition.objects.filter(noun="alert").latest("pk").why
        == "It lasted for long enough. The value was 95; bad is above 90."
    )


def test_no_data_that_is_well_tells_no_value() -> None:
    make.user("ann")
    rule(no_data="ok")
    accepted([sample("disk_used", 95, AT)], make.source(every_s=10))
    evaluation.evaluate(AT)
    evaluation.sweep(AT + 60)
    assert told() == ["Warning: Disk full is 95.", "Over: Disk full."]
    assert Transition.objects.filter(noun="alert").latest("pk").why == "No sample came."


def test_a_rule_tells_its_team_alone() -> None:
    make.team("ops", make.user("ann"))
    make.user("bob")
    made = rule(severity="critical", text="Clean {host} up: {value} used, {nothing}.")
    rules.change(SYSTEM, made.pk, {}, access=Access(everyone=False, teams=["ops"]))
    push(95, host="a")
    assert told() == ['Critical: Disk full{host="a"} is 95. Clean a up: 95 used, {nothing}.']
    assert Notification.objects.get().user.username == "ann"


def test_a_series_that_lapses_has_no_data_until_it_comes_back() -> None:
    make.user("ann")
    rule(condition={"kind": "missing", "after": "2m"})
    push(1, host="a")
    assert evaluation.look(AT + 119) == 0
    assert evaluation.look(AT + 124) == 1
    assert evaluation.look(AT + 200) == 0
    push(1, 300, host="a")
    assert moves() == [("ok", "nodata", 120), ("nodata", "ok", 300)]
    assert told() == ['No data: Disk full{host="a"}.', 'Over: Disk full{host="a"}, now 1.']


def test_what_was_gone_before_the_rule_was_is_not_missed() -> None:
    push(1, -200_000)
    rule(condition={"kind": "missing", "after": "2m"})
    assert evaluation.look(AT) == 0


def test_a_sample_counts_that_comes_before_its_process_knows_of_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation.look(AT - 10)
    for name, changed_at in (("new", AT - 0.5), ("old", AT - 60)):
        Rule.objects.filter(pk=rule(name).pk).update(changed_at=datetime_of(changed_at))
    with monkeypatch.context() as stale:
        stale.setattr(rule_index, "by_metric", dict)
        push(95)
    assert states() == {}
    evaluation.look(AT + 3)
    evaluation.evaluate(AT + 3)
    assert states() == {"new": "firing", "old": "firing"}
    evaluation.look(AT + 13)
    evaluation.evaluate(AT + 13)
    evaluation.look(AT + 23)
    assert not arrived.waits(), "every process knows it by then"
    assert moves() == [("ok", "firing", 0)] * 2


def test_rates_are_looked_at_every_ten_seconds() -> None:
    made = rule(metric="requests_total", condition={"kind": "threshold", "above": 5})
    rules.change(SYSTEM, made.pk, {"query": {"metric": "requests_total", "function": "rate", "over": "1m"}})
    for after_s in range(-60, 1, 10):
        push(600 + 10 * after_s, after_s, "requests_total")
    assert states() == {}
    assert evaluation.look(AT) == 1
    assert states() == {"Disk full": "firing"}
    assert evaluation.look(AT + 1) == 0, "the same ten seconds"


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(
            (50, 5), [("ok", "pending", 0), ("pending", "ok", 5), ("ok", "pending", 10)], id="good in between"
        ),
        pytest.param((95, 5), [("ok", "pending", 0)], id="as bad as the others"),
    ],
)
def test_a_late_sample_gives_the_state_that_it_would_have_given(
    late: tuple[float, float], expected: list[tuple[str, str, float]]
) -> None:
    rule(**A_MINUTE)
    push(95)
    push(95, 10)
    accepted([sample("disk_used", late[0], AT + late[1])], now=AT + 20)
    evaluation.evaluate(AT + 20)
    assert moves() == expected


def test_a_sample_before_the_last_change_corrects_the_state() -> None:
    rule()
    push(50)
    push(95, 20)
    assert states() == {"Disk full": "firing"}
    push(95, 10)  # it was bad earlier: firing all the same, and nothing is told again
    assert moves() == [("ok", "firing", 20)]


def test_what_a_late_sample_has_a_timer_fire_is_told_with_its_cause() -> None:
    make.user("ann")
    rule(**A_MINUTE)
    push(95, 10)
    accepted([sample("disk_used", 95, AT - 55)], now=AT + 20)
    evaluation.evaluate(AT + 20)
    assert moves() == [("ok", "pending", 10), ("pending", "firing", 5)]
    assert told() == ["Warning: Disk full is 95."]
    why = Transition.objects.filter(noun="alert").latest("pk").why
    assert why == "It lasted for long enough. The value was 95; bad is above 90."


def test_a_late_sample_before_a_series_lapsed_tells_no_value() -> None:
    make.user("ann")
    rule(no_data="ok")
    machine = make.source(every_s=10)
    accepted([sample("disk_used", 95, AT)], machine)
    evaluation.evaluate(AT)
    accepted([sample("disk_used", 50, AT - 5)], machine, now=AT + 60)
    evaluation.evaluate(AT + 60)
    assert states() == {"Disk full": "ok"}
    assert told() == ["Warning: Disk full is 95.", "Over: Disk full."]
    assert Transition.objects.filter(noun="alert").latest("pk").why == "No sample came."


def test_redis_that_lost_its_data_loses_no_alert() -> None:
    rule()
    evaluation.sweep(AT)
    accepted([sample("disk_used", 95, AT)])
    client().flushall()
    evaluation.sweep(AT + 1)
    evaluation.evaluate(AT + 1)
    assert states() == {"Disk full": "firing"}


def test_redis_that_lost_its_data_has_no_rule_look_at_what_was_before_it_was_made_or_changed() -> None:
    old, new = rule(), rule("Disk full later")
    changed = rule("Disk fuller", condition={"kind": "threshold", "above": 99})
    rows = Rule.objects.filter(pk__in=[new.pk, changed.pk])
    push(98, -100)
    push(50, -80)
    assert moves() == [("ok", "firing", -100), ("ok", "firing", -100), ("firing", "ok", -80), ("firing", "ok", -80)]
    Transition.objects.all().delete()
    Alert.objects.exclude(rule=old).delete()
    rules.change(SYSTEM, changed.pk, {"condition": ABOVE})
    rows.update(changed_at=datetime_of(AT - 90))
    client().flushall()
    evaluation.sweep(AT)
    evaluation.evaluate(AT)
    assert moves() == [], "the old rule told of it before, the others had not seen it as they are"
    push(98, 10)
    assert set(states().values()) == {"firing"}


def test_a_rule_looks_back_at_no_run_before_it_was_changed() -> None:
    machine = make.source()
    made = rule("Fails", metric="source_failures", condition={"kind": "source", "runs": 1})
    Run.objects.create(source=machine, started_at=datetime_of(AT - 60), duration_s=1, samples=0, error="x")
    type(machine).objects.update(failures=1)
    for since, is_told in ((AT - 30, False), (AT - 90, True)):
        Rule.objects.filter(pk=made.pk).update(changed_at=datetime_of(since))
        evaluation.look(AT)
        assert Alert.objects.exists() is is_told, since


def test_alerts_that_were_over_for_long_are_forgotten_whatever_their_rule_looks_at() -> None:
    machine = make.source()
    made = [rule(), rule("Fails", metric="source_failures", condition={"kind": "source", "runs": 1})]
    keys: list[tuple[str, dict[str, Any]]] = [
        ("over", {}),
        ("lately", {"since_ms": (AT + 2 * 86_400) * 1000}),
        ("bad", {"state": "firing", "are_told": True}),
        ("told", {"are_told": True}),
        ("flaps", {"flaps_since_ms": AT * 1000}),
    ]
    for one in made:
        for key, fields in keys:
            given = {"state": "ok", "since_ms": AT * 1000, "seen_at_ms": AT * 1000, **fields}
            Alert.objects.create(rule=one, key=key, series={"source": machine.name}, **given)
    alerts.forget(AT + 91 * 86_400)
    assert list(Alert.objects.order_by("pk").values_list("key", flat=True)) == 2 * ["lately", "bad", "told", "flaps"]


def test_what_a_worker_took_and_did_not_finish_is_looked_at_again() -> None:
    rule()
    accepted([sample("disk_used", 95, AT)])
    assert len(arrived.take().new) == 1
    evaluation.evaluate(AT)
    assert states() == {"Disk full": "firing"}
    assert not arrived.waits()


def test_a_series_that_recovered_lapses_too() -> None:
    rule()
    for after_s, value in ((0, 95), (10, 50), (20, 50), (30, 50)):
        push(value, after_s)
    assert evaluation.look(AT + 200) == 1
    assert states() == {"Disk full": "nodata"}


def test_a_series_that_recovered_and_goes_on_has_data() -> None:
    """Nobody notes what comes while an alert is well: the sample before the next one is not the one that ended it."""
    rule()
    machine = make.source(every_s=10)
    for after_s in range(0, 301, 10):
        value = 95 if after_s == 10 else 50
        accepted([sample("disk_used", value, AT + after_s)], machine, now=AT + after_s)
        evaluation.evaluate(AT + after_s)
        evaluation.look(AT + after_s)
    assert moves() == [("ok", "firing", 10), ("firing", "ok", 20)]


def test_what_is_calculated_and_recovered_has_data() -> None:
    rule(query={"metric": "disk_used", "group_by": []})
    machine = make.source(every_s=10)
    for after_s in range(0, 301, 10):
        accepted([sample("disk_used", 95 if after_s == 10 else 50, AT + after_s)], machine, now=AT + after_s)
        evaluation.look(AT + after_s)
    assert moves() == [("ok", "firing", 10), ("firing", "ok", 20)]


def test_what_was_buffered_while_there_was_no_data_is_no_error() -> None:
    rule()
    push(50, -20)
    push(50, -10)
    push(50)
    evaluation.look(AT + 300)
    assert states() == {"Disk full": "nodata"}
    accepted([sample("disk_used", 51, AT + second) for second in (10, 20, 290)], now=AT + 300)
    assert evaluation.evaluate(AT + 300) == 1
    assert states() == {"Disk full": "ok"}


def test_how_often_it_comes_is_learnt_from_the_series() -> None:
    rule()
    for hour in range(6):
        push(50, 3600 * (hour - 5))
    assert evaluation.look(AT + 3 * 3600) == 0
    assert evaluation.look(AT + 6 * 3600) == 1


class TestConditions:
    """The past that a condition needs comes from what is stored: it is the same after a restart."""

    def test_a_change_is_looked_at_as_samples_come(self) -> None:
        rule(condition={"kind": "change", "by": 5, "within": "10m"})
        for after_s, value in ((-700, 10), (-600, 10), (0, 16), (10, 14)):
            push(value, after_s)
        assert moves() == [("ok", "firing", 0), ("firing", "ok", 10)]

    def test_what_came_before_is_enough_for_a_restart(self) -> None:
        rule(condition={"kind": "change", "by": 5, "within": "10m"})
        accepted([sample("disk_used", value, AT + at) for at, value in ((-600, 10), (0, 16), (10, 14))], now=AT + 10)
        evaluation.evaluate(AT + 10)
        assert [move for move in moves() if move[2] >= 0] == [("ok", "firing", 0), ("firing", "ok", 10)]

    def test_what_nobody_can_judge_after_a_gap_tells_no_value(self) -> None:
        make.user("ann")
        rule(condition={"kind": "change", "by": 5, "within": "1m"})
        machine = make.source(every_s=10)
        for after_s, value in ((-60, 10), (0, 16)):
            accepted([sample("disk_used", value, AT + after_s)], machine, now=AT + after_s)
            evaluation.evaluate(AT + after_s)
        evaluation.sweep(AT + 60)
        accepted([sample("disk_used", 16, AT + 600)], machine, now=AT + 600)
        evaluation.evaluate(AT + 600)
        assert moves()[-2:] == [("firing", "nodata", 53), ("nodata", "ok", 600)]
        assert told()[-1] == "Over: Disk full."
        assert Transition.objects.filter(noun="alert").latest("pk").why == "A sample came."

    def test_a_check_fails_after_three(self) -> None:
        make.user("ann")
        rule(metric="http_up", condition={"kind": "check"})
        for place, up in enumerate("10100010"):
            push(float(up), 60 * place, "http_up")
        assert moves() == [("ok", "firing", 300), ("firing", "ok", 360)]
        assert told()[0] == "Warning: Disk full is 3."

    def test_of_a_check_a_late_sample_counts_where_it_was(self) -> None:
        rule(metric="http_up", condition={"kind": "check", "bad": 2, "of": 2})
        push(0, 0, "http_up")
        push(1, 60, "http_up")
        push(0, 120, "http_up")
        push(0, 90, "http_up")
        assert states() == {"Disk full": "firing"}

    def test_a_burn_rate(self) -> None:
        rule(metric="http_up", condition={"kind": "slo", "objective": 99})
        accepted([sample("http_up", 0 if s > -600 else 1, AT + s) for s in range(-3600, 0, 30)])
        push(0, 0, "http_up")
        assert states() == {"Disk full": "firing"}
        assert Alert.objects.get().value == pytest.approx(1 / 6 / 0.01 / 6, rel=0.06)

    def test_nothing_is_unusual_before_a_fortnight_is_over(self) -> None:
        rule(condition={"kind": "unusual", "weeks": 2})
        week = 7 * 86_400
        accepted([sample("disk_used", 10 + n % 2, AT - week + 300 * n) for n in range(12)])
        push(50)
        assert states() == {}
        accepted([sample("disk_used", 10 + n % 2, AT - 2 * week + 300 * n) for n in range(12)])
        push(50, 10)
        assert states() == {"Disk full": "firing"}

    def test_a_source_that_fails_again_and_again(self) -> None:
        make.user("ann")
        machine = make.source()
        rule(metric="source_failures", condition={"kind": "source", "runs": 2})
        for n, error in enumerate(("", "x", "x", "x", "")):
            Run.objects.create(
                source=machine, started_at=datetime_of(AT + 10 * n), duration_s=1, samples=0, error=error
            )
            evaluation.look(AT + 10 * n + 5)
        assert moves() == [("ok", "firing", 21), ("firing", "ok", 41)]
        assert told()[0] == 'Warning: Disk full{kind="host", source="machine"} is 2.'

    def test_groups_and_expressions_are_looked_at_every_ten_seconds(self) -> None:
        query = {"metric": "errors", "name": "A", "group_by": ["site"]}
        of_all = {"metric": "requests", "name": "B", "group_by": ["site"]}
        rule(
            query=query,
            queries=[of_all],
            expression="A / B * 100",
            unit="percent",
            condition={"kind": "threshold", "above": 5},
        )
        for host, errors in (("a", 4), ("b", 3)):
            accepted(
                [sample("errors", errors, AT, host=host, site="x"), sample("requests", 50, AT, host=host, site="x")]
            )
        evaluation.evaluate(AT)
        assert evaluation.look(AT + 5) == 1
        assert states() == {'Disk full{site="x"}': "firing"}
        assert told() == []
        assert Alert.objects.get().value == pytest.approx(7)

    def test_what_a_source_is_that_is_removed(self) -> None:
        machine = make.source()
        rule(metric="source_failures", condition={"kind": "source", "runs": 1})
        Run.objects.create(source=machine, started_at=datetime_of(AT), duration_s=1, samples=0, error="x")
        evaluation.look(AT + 5)
        sources.delete(SYSTEM, machine.pk)
        assert evaluation.look(AT + 15) == 1
        assert moves() == [("ok", "firing", 1), ("firing", "ok", 15)]

    def test_what_no_worker_looked_at_is_caught_up_with(self) -> None:
        rule(metric="a", query={"metric": "a", "group_by": []}, condition={"kind": "threshold", "above": 5})
        accepted([sample("a", 1, AT, host="x")])
        evaluation.look(AT)
        for after_s in range(10, 121, 10):
            accepted([sample("a", 9 if 30 <= after_s < 60 else 1, AT + after_s, host="x")], now=AT + after_s)
        assert evaluation.look(AT + 125) == 2
        assert moves() == [("ok", "firing", 30), ("firing", "ok", 60)]

    def test_missing_data_is_found_beyond_the_first_thousand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("metrics.series.find.SERIES_MOST", 1)
        monkeypatch.setattr("metrics.series.calculate.PART", 2)
        rule(condition={"kind": "missing", "after": "1m"})
        accepted([sample("disk_used", 1, host=host) for host in "abc"])
        evaluation.evaluate(AT)
        assert evaluation.look(AT + 100) == 3


def test_a_counter_is_looked_at_by_its_rate() -> None:
    rule(metric="requests_total", condition={"kind": "threshold", "above": 5})
    every_ten_s = range(-60, 1, 10)
    accepted([Sample("requests_total", 600 + 10.0 * s, {}, AT + s, type="counter") for s in every_ten_s])
    evaluation.evaluate(AT)
    assert states() == {}
    assert evaluation.look(AT) == 1
    assert states() == {"Disk full": "firing"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0, 10, 20, 30, 40, 50, 60], {}, id="steady"),
        pytest.param([1_000_000, 1_000_010, 1_000_020, 0, 10, 20, 30], {}, id="it began anew: no leap up or down"),
        pytest.param([1_000_000, 1_000_010, 5, 15, 25, 3, 13], {}, id="twice"),
        pytest.param([0, 10, 20, 2030, 4040, 6050, 8060], {"Disk full": "firing"}, id="it does grow fast"),
        pytest.param([0, 10, 20, 0, 2010, 4020, 6030], {"Disk full": "firing"}, id="also after it began anew"),
    ],
)
def test_a_counter_that_began_anew(values: list[float], expected: dict[str, str]) -> None:
    rule(metric="requests_total", condition={"kind": "threshold", "above": 50, "below": -1})
    accepted(
        [
            Sample("requests_total", float(value), {}, AT - 60 + 10 * place, type="counter")
            for place, value in enumerate(values)
        ]
    )
    evaluation.look(AT)
    assert states() == expected


def test_a_team_that_got_another_name_is_told() -> None:
    ops = make.team("ops", make.user("ann"))
    rules.change(SYSTEM, rule().pk, {}, access=Access(teams=["ops"]))
    push(50)
    teams.rename(SYSTEM, ops.pk, "operations")
    push(95, 10)
    assert told() == ["Warning: Disk full is 95."]


def test_a_source_that_is_no_longer_for_everyone_is_not_told_of() -> None:
    make.user("bob")
    machine = make.source()
    rule()
    sources.change(SYSTEM, machine.pk, {"access": {"everyone": False}})
    accepted([sample("disk_used", 95)], machine)
    evaluation.evaluate(AT)
    assert (states(), told()) == ({}, [])


def test_history_that_is_pushed_tells_how_it_ended_alone() -> None:
    make.user("ann")
    rule()
    old = [sample("disk_used", 95 if n % 2 else 50, AT - 86_400 + 60 * n) for n in range(100)]
    accepted(old)
    evaluation.evaluate(AT)
    assert told() == ["Warning: Disk full is 95."]


def test_samples_that_wait_come_before_timers() -> None:
    rule(**A_MINUTE)
    push(95)
    accepted([sample("disk_used", 50, AT + 30)], now=AT + 30)
    assert evaluation.sweep(AT + 200) == 0
    evaluation.evaluate(AT + 200)
    assert states() == {"Disk full": "ok"}


def test_a_good_sample_on_its_way_is_waited_for() -> None:
    rule(**A_MINUTE)
    push(95)
    assert evaluation.sweep(AT + 61) == 0
    push(50, 60)
    assert moves() == [("ok", "pending", 0), ("pending", "ok", 60)]


def test_each_change_is_told_with_its_own_value() -> None:
    make.user("ann")
    rule()
    accepted([sample("disk_used", 95, AT), sample("disk_used", 10, AT + 1)], now=AT + 1)
    evaluation.evaluate(AT + 1)
    assert told() == ["Warning: Disk full is 95.", "Over: Disk full, now 10."]


def test_no_data_is_over_though_it_is_bad_then() -> None:
    make.user("ann")
    rule(**A_MINUTE)
    for after_s in (-20, -10, 0):
        push(50, after_s)
    evaluation.look(AT + 200)
    push(95, 210)
    assert told() == ["No data: Disk full.", "Over: Disk full, now 95."]


@pytest.mark.parametrize("change", [{"enabled": False}, {"query": {"metric": "disk_used", "labels": {"host": "b"}}}])
def test_a_rule_that_no_longer_looks_at_it_ends_an_alert(change: dict[str, Any]) -> None:
    made = rule()
    push(95)
    rules.change(SYSTEM, made.pk, change)
    assert states() == {"Disk full": "ok"}
    assert moves()[-1][:2] == ("firing", "ok")


def test_what_arrived_while_redis_was_away_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    rule()
    evaluation.sweep(AT)

    def unreachable(_: Any) -> None:
        raise RedisError("away")

    with monkeypatch.context() as patched:
        patched.setattr("metrics.redis_state.arrived.add", unreachable)
        accepted([sample("disk_used", 95, AT, host="a")])
    accepted([sample("disk_used", 50, AT + 1, host="b")], now=AT + 1)
    evaluation.evaluate(AT + 1)
    assert states() == {}
    evaluation.sweep(AT + 2)
    evaluation.evaluate(AT + 2)
    assert states() == {'Disk full{host="a"}': "firing"}


def test_one_that_can_not_be_written_keeps_the_others_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rule()
    rule("Other")
    write = alert_notices.transition

    def fails(known: Any, *rest: Any) -> Any:
        if known.name == "Disk full":
            raise ValueError("a mistake")
        return write(known, *rest)

    monkeypatch.setattr(alert_notices, "transition", fails)
    push(95)
    assert states() == {"Other": "firing"}


class TestManyAtOnce:
    def test_one_that_cannot_be_written_keeps_the_others_from_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        usual = alert_notices.transition

        def broken(known: Any, alert: Alert, change: Any) -> Transition:
            if alert.series == {"host": "b"}:
                raise ValueError("It can't be said why.")
            return usual(known, alert, change)

        monkeypatch.setattr(alert_notices, "transition", broken)
        rule()
        accepted([sample("disk_used", 95, host=host) for host in "abc"])
        with capture_logs() as logs:
            assert evaluation.evaluate(AT) == 2
        assert states() == {'Disk full{host="a"}': "firing", 'Disk full{host="c"}': "firing"}
        assert [one["labels"] for one in logs if one["event"] == "alert not written"] == [{"host": "b"}]

    def test_what_somebody_was_faster_at_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rule()
        accepted([sample("disk_used", 95, host=host) for host in "ab"])
        evaluation.evaluate(AT)
        usual = alert_states.write

        def late(moved: Sequence[alert_states.Moved]) -> int:
            Alert.objects.filter(series={"host": "a"}).update(since_ms=round((AT + 5) * 1000))
            Alert.objects.create(
                rule=Rule.objects.get(), key=key, series={"host": "c"}, state="pending", since_ms=0, seen_at_ms=0
            )
            return usual(moved)

        key = series_key("disk_used", {"host": "c"})
        monkeypatch.setattr(alert_states, "write", late)
        accepted([sample("disk_used", value, AT + 9, host=host) for host, value in (("a", 1), ("b", 1), ("c", 95))])
        assert evaluation.evaluate(AT + 9) == 1
        assert states() == {
            'Disk full{host="a"}': "firing",
            'Disk full{host="b"}': "ok",
            'Disk full{host="c"}': "pending",
        }
