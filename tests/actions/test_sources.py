"""Sources run once a slot, never twice at a time, and say in one sentence what went wrong."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings
from redis import Redis

from metrics.actions import sources
from metrics.actions.problems import Invalid
from metrics.live import slots
from metrics.models import Sample as Row
from metrics.models import Series, Source
from metrics.sample import Sample
from metrics.sources.base import SourceError
from metrics.sources.host import Host
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

Collects = Callable[[Any], None]


@pytest.fixture
def collects(monkeypatch: pytest.MonkeyPatch) -> Collects:
    """Decide what sources of the kind host yield: samples, or an exception."""

    def decide(what: Any) -> None:
        def collect(self: Host, config: object) -> Any:
            if isinstance(what, Exception):
                raise what
            return what() if callable(what) else what

        monkeypatch.setattr(Host, "collect", collect)

    return decide


class TestDue:
    def ids(self, now: float) -> list[int]:
        return [due.source for due in sources.due(now)]

    def test_each_slot_is_claimed_once_however_many_ask(self) -> None:
        source = make.source(every_s=10)
        assert [self.ids(AT + s) for s in (0, 0, 1, 9.9)] == [[source.pk], [], [], []]
        assert [self.ids(AT + s) for s in (10, 19, 20)] == [[source.pk], [], [source.pk]]

    def test_a_run_is_worth_nothing_after_its_slot(self) -> None:
        make.source(every_s=7)
        assert [due.worth_s for due in sources.due(AT)] == [7]

    def test_sources_have_slots_of_their_own(self) -> None:
        fast, slow = make.source(name="fast", every_s=1), make.source(name="slow", every_s=60)
        assert self.ids(AT) == [fast.pk, slow.pk]
        assert self.ids(AT + 1) == [fast.pk]

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
        return sources.create("host", "by cron", None, {}, cron=cron, time_zone="Europe/Zurich")

    def starts(self, *ticks: str | float) -> list[bool]:
        return [bool(sources.due(zurich(tick) if isinstance(tick, str) else tick)) for tick in ticks]

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
        assert [due.worth_s for due in sources.due(AT)] == ([worth_s] if worth_s else [])

    def test_a_schedule_that_changes_changes_what_is_due(self) -> None:
        source = self.source("0 13 * * *")
        assert self.starts(AT) == [True]
        Source.objects.filter(pk=source.pk).update(cron="1 13 * * *")
        assert self.starts(AT + 30, AT + 60) == [False, True]

    def test_a_time_zone_that_is_gone_is_noted_and_stops_nothing(self) -> None:
        source = self.source("0 13 * * *")
        Source.objects.filter(pk=source.pk).update(time_zone="Atlantis/Center")
        other = make.source(name="other")
        assert [due.source for due in sources.due(AT)] == [other.pk]
        source.refresh_from_db()
        assert source.last_error == "time_zone 'Atlantis/Center' is not one such as UTC."


class TestExpected:
    """After how many seconds samples should come, for what shows whether they are late."""

    def test_every_is_that(self) -> None:
        assert make.source(every_s=7).expected_every_s(AT) == 7

    def test_cron_is_the_longer_of_this_pause_and_the_one_before(self) -> None:
        source = sources.create("host", "by cron", None, {}, cron="0 9 * * MON-FRI", time_zone="UTC")
        days = {AT - 86_400: 1, AT: 3, AT + 2 * 86_400: 3, AT + 2.9 * 86_400: 3, AT + 4 * 86_400: 1}
        assert {at: (source.expected_every_s(at) or 0) / 86_400 for at in days} == days

    def test_for_what_is_pushed_and_for_a_schedule_that_can_not_be_nobody_knows(self) -> None:
        assert Source(kind=Source.PUSH).expected_every_s(AT) is None
        assert Source(cron="* * * * *", time_zone="Atlantis/Center").expected_every_s(AT) is None


class TestCollect:
    def test_samples_are_stored_for_the_source(self, collects: Collects) -> None:
        source = make.source()
        collects([Sample("a", 1.0), Sample("b", 2.0)])
        sources.collect(source.pk)
        source.refresh_from_db()
        assert (source.last_samples, source.last_error) == (2, "")
        assert source.last_run_at is not None
        assert source.last_duration_s is not None
        assert set(Series.objects.values_list("source", flat=True)) == {source.pk}

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            (SourceError("The machine does not answer."), "The machine does not answer."),
            ([Sample("2xx", 1.0)], "metric '2xx' is not a name such as http_requests_total."),
            (RuntimeError("a bug"), "RuntimeError: a bug"),
            (ZeroDivisionError(), "ZeroDivisionError."),
            (RuntimeError("x" * 5000), "RuntimeError: " + "x" * 286),
        ],
    )
    def test_what_goes_wrong_is_noted_on_the_source_and_stops_nothing(
        self, collects: Collects, what: Any, said: str
    ) -> None:
        source = make.source()
        collects(what)
        sources.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.rstrip(": .") == said.rstrip(": .")
        assert source.last_samples == 0
        assert not Row.objects.exists()

    def test_an_error_that_no_database_can_store_is_noted_too(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("The answer was \x00\x01."))
        sources.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.startswith("The answer was")

    def test_an_error_goes_away_with_the_next_good_run(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("Away."))
        sources.collect(source.pk)
        collects([Sample("a", 1.0)])
        sources.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error == ""

    def test_a_config_that_the_kind_no_longer_takes_is_noted(self) -> None:
        source = make.source()
        Source.objects.update(config={"from_before": 1})
        sources.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.startswith("config.from_before: ")

    def test_a_kind_that_is_gone_is_noted(self) -> None:
        source = make.source()
        Source.objects.update(kind="gone")
        sources.collect(source.pk)
        source.refresh_from_db()
        assert "gone" in source.last_error

    def test_a_source_that_still_runs_is_not_run_again(self, collects: Collects) -> None:
        source = make.source()
        runs = []

        def slow() -> list[Sample]:
            runs.append(1)
            sources.collect(source.pk)  # the next slot comes while this run goes on
            return []

        collects(slow)
        sources.collect(source.pk)
        assert len(runs) == 1

    @pytest.mark.parametrize("what", [[], RuntimeError("a bug")])
    def test_after_a_run_the_next_may_begin(self, collects: Collects, what: Any) -> None:
        source = make.source()
        collects(what)
        sources.collect(source.pk)
        with slots.run(source.pk, 30) as alone:
            assert alone

    def test_what_is_gone_or_disabled_meanwhile_is_not_run(self, collects: Collects) -> None:
        source = make.source()
        Source.objects.update(enabled=False)
        collects(RuntimeError("must not run"))
        sources.collect(source.pk)
        sources.collect(source.pk + 1)
        source.refresh_from_db()
        assert source.last_run_at is None


class TestCreate:
    def test_only_what_was_given_is_kept(self) -> None:
        source = sources.create("http_check", "site", 10, {"url": "http://x.example/"})
        assert source.config == {"url": "http://x.example/"}

    def test_cron_is_in_the_time_zone_of_the_installation_unless_it_has_its_own(self, settings: Settings) -> None:
        settings.TIME_ZONE = "Europe/Zurich"
        usual = sources.create("host", "usual", None, {}, cron="0 9 * * *")
        own = sources.create("host", "own", None, {}, cron="0 9 * * *", time_zone="Asia/Tokyo")
        every = sources.create("host", "every", 10, {})
        assert [one.time_zone for one in (usual, own, every)] == ["Europe/Zurich", "Asia/Tokyo", ""]

    @pytest.mark.parametrize(
        ("every_s", "cron", "time_zone", "field"),
        [
            (None, "", "", "every"),
            (10, "* * * * *", "", "every"),
            (0, "", "", "every"),
            (86_401, "", "", "every"),
            (10, "", "UTC", "time_zone"),
            (None, "61 * * * *", "", "cron"),
            (None, "* * * * *", "Mars", "time_zone"),
        ],
    )
    def test_a_schedule_that_can_not_be_is_refused_by_its_field(
        self, every_s: int | None, cron: str, time_zone: str, field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            sources.create("host", "new", every_s, {}, cron=cron, time_zone=time_zone)
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert not Source.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "name", "config", "field"),
        [
            ("carrier_pigeon", "new", {}, "kind"),
            ("http_check", "new", {}, "config.url"),
            ("http_check", "new", {"url": "ftp://x"}, "config.url"),
            ("http_check", "new", {"url": "http://x", "colour": "red"}, "config.colour"),
            ("http_check", "new", {"url": "http://x", "timeout_s": 0}, "config.timeout_s"),
            ("host", "taken", {}, "name"),
        ],
    )
    def test_what_is_bad_is_refused_by_its_field(
        self, kind: str, name: str, config: dict[str, Any], field: str
    ) -> None:
        make.source(name="taken")
        with pytest.raises(Invalid) as refused:
            sources.create(kind, name, 10, config)
        assert refused.value.field == field
        assert str(refused.value).endswith(".")
        assert Source.objects.count() == 1


def test_a_slot_whose_redis_is_new_is_claimed_again(redis: Redis) -> None:
    source = make.source()
    assert [due.source for due in sources.due(AT)] == [source.pk]
    redis.flushall()
    assert [due.source for due in sources.due(AT)] == [source.pk]
