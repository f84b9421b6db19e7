"""Each slot of each source is claimed once, by seconds and by cron, through both changes of summer time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError
from redis import Redis

from metrics.access.principal import SYSTEM
from metrics.actions import slots, sources
from metrics.health import store as health
from metrics.models import Source
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestDue:
    def ids(self, now: float) -> list[int]:
        return [due.source for due in slots.due(now)]

    def test_each_slot_is_claimed_once_however_many_ask(self) -> None:
        source = make.source(every_s=10)
        assert [self.ids(AT + s) for s in (0, 0, 1, 9.9)] == [[source.pk], [], [], []]
        assert [self.ids(AT + s) for s in (10, 19, 20)] == [[source.pk], [], [source.pk]]

    def test_a_run_is_worth_nothing_after_its_slot(self) -> None:
        make.source(every_s=7)
        assert [due.worth_s for due in slots.due(AT)] == [7]

    def test_sources_have_slots_of_their_own(self) -> None:
        fast, slow = make.source(name="fast", every_s=1), make.source(name="slow", every_s=60)
        assert self.ids(AT) == [fast.pk, slow.pk]
        assert self.ids(AT + 1) == [fast.pk]

    def test_a_tick_counts_as_run_without_the_database_and_the_database_gives_no_sign(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unreachable() -> None:
            raise OperationalError("the server closed the connection")

        slots.due(AT)
        with monkeypatch.context() as patch:
            patch.setattr(slots._SCHEDULED, "rows", unreachable)
            with pytest.raises(OperationalError):
                slots.due(AT + 1)
        assert health.signs()["database"].at == AT
        slots.due(AT + 2)
        assert health.signs()["database"].at == AT + 2
        assert health.readings(AT + 2).tick_lag_s == 0

    def test_what_is_disabled_or_pushed_is_never_due(self) -> None:
        Source.objects.filter(pk=make.source().pk).update(enabled=False)
        Source.objects.create(kind=Source.PUSH, name="pushed")
        assert self.ids(AT) == []


def zurich(text: str) -> float:
    """Unix seconds of a time of day in Zurich; with fold 1 behind it, of the second time it comes."""
    text, _, fold = text.partition(" fold ")
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Zurich"), fold=int(fold or 0)).timestamp()


class TestCron:
    """Which ticks start a source that runs by cron in Zurich."""

    def source(self, cron: str) -> Source:
        return sources.create(SYSTEM, "host", "by cron", None, {}, cron=cron, time_zone="Europe/Zurich")

    def starts(self, *ticks: str | float) -> list[bool]:
        return [bool(slots.due(zurich(tick) if isinstance(tick, str) else tick)) for tick in ticks]

    def test_it_runs_once_at_its_time(self) -> None:
        self.source("30 9 * * *")
        assert self.starts("2026-11-20 09:29:59.9", "2026-11-20 09:30:00.2", "2026-11-20 09:30:01.2") == [
            False,
            True,
            False,
        ]
        assert self.starts("2026-11-21 09:29:59", "2026-11-21 09:30:00") == [False, True]

    def test_a_tick_that_is_a_little_late_still_runs_it(self) -> None:
        self.source("30 9 * * *")
        assert self.starts("2026-11-20 09:31:00", "2026-11-20 09:31:01") == [True, False]

    def test_what_was_missed_is_not_made_up_for(self) -> None:
        self.source("30 9 * * *")
        assert self.starts("2026-11-20 09:31:00.5", "2026-11-20 12:00:00", "2026-11-21 09:30:00") == [
            False,
            False,
            True,
        ]

    def test_two_beats_run_it_once(self) -> None:
        self.source("* * * * *")
        assert self.starts(AT + 0.1, AT + 0.1, AT + 1.1, AT + 60, AT + 60) == [True, False, False, True, False]

    def test_a_fixed_hour_that_summer_time_skips_runs_right_after_it(self) -> None:
        self.source("30 2 * * *")
        assert self.starts("2027-03-28 01:59:59", "2027-03-28 03:00:00", "2027-03-28 03:30:00") == [False, True, False]
        assert self.starts("2027-03-29 02:30:00") == [True]

    def test_a_fixed_hour_that_comes_twice_runs_once(self) -> None:
        self.source("30 2 * * *")
        assert self.starts("2026-10-25 02:30:00", "2026-10-25 02:30:00 fold 1") == [True, False]

    def test_what_runs_by_the_minute_runs_through_the_hour_that_comes_twice(self) -> None:
        self.source("*/30 * * * *")
        halves = [zurich("2026-10-25 02:00:00") + 1800 * n for n in range(5)]
        assert self.starts(*halves) == [True] * 5

    @pytest.mark.parametrize(
        ("cron", "worth_s"), [("* * * * *", 60), ("*/5 * * * *", 300), ("0 13 * * *", 3600), ("0 13 1 * *", None)]
    )
    def test_a_run_is_worth_nothing_after_the_next_slot_or_an_hour(self, cron: str, worth_s: int | None) -> None:
        self.source(cron)
        assert [due.worth_s for due in slots.due(AT)] == ([worth_s] if worth_s else [])

    def test_a_schedule_that_changes_changes_what_is_due(self) -> None:
        source = self.source("0 13 * * *")
        assert self.starts(AT) == [True]
        Source.objects.filter(pk=source.pk).update(cron="1 13 * * *")
        assert self.starts(AT + 30, AT + 60) == [False, True]

    def test_a_time_zone_that_is_gone_is_noted_and_stops_nothing(self) -> None:
        source = self.source("0 13 * * *")
        Source.objects.filter(pk=source.pk).update(time_zone="Atlantis/Center")
        other = make.source(name="other")
        assert [due.source for due in slots.due(AT)] == [other.pk]
        source.refresh_from_db()
        assert source.last_error == "time_zone 'Atlantis/Center' is not one such as UTC."


class TestExpected:
    """After how many seconds samples should come, for what shows whether they are late."""

    def test_every_is_that(self) -> None:
        assert make.source(every_s=7).expected_every_s(AT) == 7

    def test_cron_is_the_longer_of_this_pause_and_the_one_before(self) -> None:
        source = sources.create(SYSTEM, "host", "by cron", None, {}, cron="0 9 * * MON-FRI", time_zone="UTC")
        days = {AT - 86_400: 1, AT: 3, AT + 2 * 86_400: 3, AT + 2.9 * 86_400: 3, AT + 4 * 86_400: 1}
        assert {at: (source.expected_every_s(at) or 0) / 86_400 for at in days} == days

    def test_for_what_is_pushed_and_for_a_schedule_that_can_not_be_nobody_knows(self) -> None:
        assert Source(kind=Source.PUSH).expected_every_s(AT) is None
        assert Source(cron="* * * * *", time_zone="Atlantis/Center").expected_every_s(AT) is None


def test_a_slot_whose_redis_is_new_is_claimed_again(redis: Redis) -> None:
    source = make.source()
    assert [due.source for due in slots.due(AT)] == [source.pk]
    redis.flushall()
    assert [due.source for due in slots.due(AT)] == [source.pk]
