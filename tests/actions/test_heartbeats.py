"""Heartbeats: their pings are kept, their states become samples, and nobody's work is done twice."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import heartbeats
from metrics.actions.errors import Invalid
from metrics.actions.heartbeats import Arrived
from metrics.heartbeat import Ping as Pinged
from metrics.heartbeat import Signal, State
from metrics.models import Heartbeat, Ping, Sample
from metrics.times import datetime_of
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def hourly(name: str = "backup") -> Heartbeat:
    return heartbeats.create(SYSTEM, name, every_s=3600, grace_s=300)


def ping(heartbeat: Heartbeat, at: float = AT, signal: Signal = Signal.SUCCESS, **fields: Any) -> None:
    assert heartbeats.record([Arrived(heartbeat.key, Pinged(at, signal, **fields))]) == [True]
    heartbeat.refresh_from_db()


def told(metric: str = heartbeats.STATE_METRIC) -> list[tuple[float, float]]:
    """Return the samples of `metric`, as seconds from AT and value."""
    rows = Sample.objects.filter(series__metric=metric).order_by("at_ms")
    return [(row.at_ms / 1000 - AT, row.value) for row in rows]


@pytest.mark.parametrize("back_s", [60, 7200])
def test_after_the_clock_was_set_back_a_job_is_late_when_it_would_have_been(back_s: float) -> None:
    job, silent, paused = hourly(), hourly("silent"), hourly("paused")
    ping(job)
    ping(silent)
    ping(paused)
    heartbeats.pause(SYSTEM, paused)
    set_to = AT - back_s
    assert heartbeats.evaluate(set_to) == 0
    ping(job, set_to + 3600)
    assert [heartbeats.evaluate(set_to + at) for at in (3659, 3661, 3901)] == [0, 1, 1]
    states = dict(Heartbeat.objects.values_list("name", "state"))
    assert states == {job.name: State.UP, "silent": State.DOWN, "paused": State.PAUSED}


class TestRecord:
    def test_a_ping_is_kept_as_it_came(self) -> None:
        ping(hourly(), signal=Signal.FAIL, exit_status=3, run="r1", body="disk full")
        row = Ping.objects.get()
        assert (row.at, row.signal, row.exit_status, row.run, row.body) == (
            datetime_of(AT),
            "fail",
            3,
            "r1",
            "disk full",
        )

    def test_pings_for_many_and_for_none_are_told_apart(self) -> None:
        one, other = hourly("one"), hourly("other")
        arrived = [Arrived(key, Pinged(AT, Signal.SUCCESS)) for key in (one.key, "nobody's", other.key, one.key)]
        assert heartbeats.record(arrived) == [True, False, True, True]
        assert Ping.objects.count() == 3
        assert set(Heartbeat.objects.values_list("state", flat=True)) == {"up"}

    def test_nothing_is_nothing(self) -> None:
        assert heartbeats.record([]) == []

    def test_several_of_one_in_a_group_count_one_after_the_other(self) -> None:
        job = hourly()
        signals = [(0, Signal.START), (5, Signal.SUCCESS), (6, Signal.FAIL)]
        heartbeats.record([Arrived(job.key, Pinged(AT + at, signal)) for at, signal in signals])
        job.refresh_from_db()
        assert job.state == State.DOWN
        assert [row.duration_s for row in Ping.objects.order_by("id")] == [None, 5, None]
        assert told(heartbeats.DURATION_METRIC) == [(5, 5)]

    def test_the_state_is_a_sample_when_it_changes(self) -> None:
        job = hourly()
        for at, signal in [(0, Signal.SUCCESS), (10, Signal.SUCCESS), (20, Signal.FAIL)]:
            ping(job, AT + at, signal)
        assert told() == [(0, 1), (20, 0)]

    def test_it_costs_the_same_queries_for_one_and_for_many(self, django_assert_max_num_queries: Any) -> None:
        jobs = [hourly(f"job {i}") for i in range(100)]
        heartbeats.record([Arrived(job.key, Pinged(AT, Signal.SUCCESS)) for job in jobs])
        # Eight, and those for what is remembered for a second, which may be over by now: far fewer than jobs.
        with django_assert_max_num_queries(12):
            heartbeats.record([Arrived(job.key, Pinged(AT + 5, Signal.SUCCESS)) for job in jobs])


class TestEvaluate:
    def test_what_does_not_come_is_late_and_then_down_and_each_is_told_once(self) -> None:
        ping(hourly())
        changes = [heartbeats.evaluate(AT + at) for at in (3659, 3660, 3661, 3899, 3900, 5000)]
        assert changes == [0, 1, 0, 0, 1, 0]
        assert told() == [(0, 1), (3660, 0.5), (3900, 0)]

    def test_one_that_never_pings_is_late_and_then_down_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.time", lambda: AT)
        job = hourly()
        assert [heartbeats.evaluate(AT + at) for at in (3659, 3660, 3900)] == [0, 1, 1]
        job.refresh_from_db()
        assert (job.state, job.last_at) == (State.DOWN, None)
        assert told() == [(3660, 0.5), (3900, 0)]

    def test_a_ping_that_came_meanwhile_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = hourly()
        ping(job)
        judge = heartbeats._judge

        def pinged_first(heartbeat: Heartbeat, now: float) -> bool:
            ping(Heartbeat.objects.get(pk=job.pk), now)
            return judge(heartbeat, now)

        monkeypatch.setattr(heartbeats, "_judge", pinged_first)
        assert heartbeats.evaluate(AT + 9999) == 0
        job.refresh_from_db()
        assert job.state == State.UP

    def test_a_report_is_stored_once_however_many_make_it(self) -> None:
        ping(hourly())
        hourly("never pinged")
        for at in (31, 32, 59, 60):
            heartbeats.report(AT + at)
        assert told() == [(0, 1), (30, 1), (60, 1)]


class TestKeys:
    def test_after_it_was_replaced_the_old_one_is_nobodys(self) -> None:
        job = hourly()
        old = job.key
        heartbeats.rotate(SYSTEM, job)
        assert heartbeats.record([Arrived(key, Pinged(AT, Signal.SUCCESS)) for key in (old, job.key)]) == [False, True]

    def test_a_change_by_who_saw_the_old_one_does_not_bring_it_back(self) -> None:
        job = hourly()
        seen = Heartbeat.objects.get()
        heartbeats.rotate(SYSTEM, job)
        ping(job)
        heartbeats.change(SYSTEM, seen, name="renamed")
        changed = Heartbeat.objects.get()
        assert (changed.name, changed.key, changed.state, changed.last_at) == (
            "renamed",
            job.key,
            State.UP,
            datetime_of(AT),
        )

    def test_it_is_not_shown_where_a_ping_is(self) -> None:
        assert "secret" not in repr(Arrived("secret", Pinged(AT, Signal.SUCCESS)))


class TestPaused:
    def test_it_is_not_late_and_reports_nothing(self) -> None:
        job = hourly()
        ping(job)
        heartbeats.pause(SYSTEM, job)
        assert heartbeats.evaluate(AT + 1e6) == 0
        heartbeats.report(AT + 1e6)
        assert told() == [(0, 1)]


def test_the_newest_pings_are_kept() -> None:
    job, other = hourly(), hourly("other")
    for one, count in ((job, heartbeats.PINGS_KEPT + 7), (other, 2)):
        heartbeats.record([Arrived(one.key, Pinged(AT + i, Signal.SUCCESS)) for i in range(count)])
    heartbeats.prune()
    assert job.pings.count() == heartbeats.PINGS_KEPT
    assert min(job.pings.values_list("at", flat=True)) == datetime_of(AT + 7)
    assert other.pings.count() == 2


class TestChange:
    def test_a_new_schedule_moves_what_is_due(self) -> None:
        job = hourly()
        ping(job)
        heartbeats.change(SYSTEM, job, cron="0 13 * * *", grace_s=60)
        job.refresh_from_db()
        assert (job.every_s, job.late_at, job.down_at) == (None, *[datetime_of(AT + 3660)] * 2)

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "a\x00"}, "name"),
            ({"name": "taken"}, "name"),
            ({"cron": "nonsense"}, "cron"),
            ({"cron": "* * * * *", "time_zone": "Nowhere"}, "time_zone"),
            ({"grace_s": -1}, "grace"),
        ],
    )
    def test_what_can_not_be_changes_nothing(self, fields: dict[str, Any], field: str) -> None:
        hourly("taken")
        job = hourly()
        with pytest.raises(Invalid) as refused:
            heartbeats.change(SYSTEM, job, **fields)
        assert refused.value.field == field
        job.refresh_from_db()
        assert (job.name, job.every_s) == ("backup", 3600)
