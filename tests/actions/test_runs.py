"""A source runs never twice at a time, and says in one sentence what went wrong; its history is kept, and bounded."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.access.principal import SYSTEM
from metrics.actions import runs, untold
from metrics.models import Run, Series, Source, Transition
from metrics.models import Sample as Row
from metrics.redis_state import slots
from metrics.sample import Sample
from metrics.sources.base import Noted, SourceError, checked
from metrics.sources.host import Host
from metrics.times import datetime_of
from metrics.verdict import Verdict
from tests import make

INFINITE = float("inf")
NO_VALUE = "value is not a number between -1e+150 and 1e+150."

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


@pytest.mark.django_db(transaction=True)
def test_a_run_that_hangs_keeps_no_connection_to_our_database(collects: Collects) -> None:
    def look() -> list[Sample]:
        assert connection.connection is None
        return [Sample("a", 1.0)]

    source = make.source()
    collects(look)
    runs.collect(source.pk)
    source.refresh_from_db()
    assert (source.last_samples, source.last_error) == (1, "")


class TestCollect:
    def test_samples_are_stored_for_the_source(self, collects: Collects) -> None:
        source = make.source()
        collects([Sample("a", 1.0), Sample("b", 2.0)])
        runs.collect(source.pk)
        source.refresh_from_db()
        assert (source.last_samples, source.last_error) == (2, "")
        assert source.last_run_at is not None
        assert source.last_duration_s is not None
        assert set(Series.objects.values_list("source", flat=True)) == {source.pk}

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            (SourceError("The machine does not answer."), "The machine does not answer."),
            ([Sample("a", INFINITE)], f"1 of 1 samples can't be stored, such as a: {NO_VALUE}"),
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
        runs.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.rstrip(": .") == said.rstrip(": .")
        assert source.last_samples == 0
        assert not Row.objects.exists()

    def test_an_error_that_no_database_can_store_is_noted_too(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("The answer was \x00\x01."))
        runs.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.startswith("The answer was")

    def test_an_error_goes_away_with_the_next_good_run(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("Away."))
        runs.collect(source.pk)
        collects([Sample("a", 1.0)])
        runs.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error == ""

    def test_a_config_that_the_kind_no_longer_takes_is_noted(self) -> None:
        source = make.source()
        Source.objects.update(config={"from_before": 1})
        runs.collect(source.pk)
        source.refresh_from_db()
        assert source.last_error.startswith("config.from_before: ")

    def test_a_kind_that_is_gone_is_noted(self) -> None:
        source = make.source()
        Source.objects.update(kind="gone")
        runs.collect(source.pk)
        source.refresh_from_db()
        assert "gone" in source.last_error

    def test_a_source_that_still_runs_is_not_run_again(self, collects: Collects) -> None:
        source = make.source()
        begun = []

        def slow() -> list[Sample]:
            begun.append(1)
            runs.collect(source.pk)  # the next slot comes while this run goes on
            return []

        collects(slow)
        runs.collect(source.pk)
        assert len(begun) == 1

    @pytest.mark.parametrize("what", [[], RuntimeError("a bug")])
    def test_after_a_run_the_next_may_begin(self, collects: Collects, what: Any) -> None:
        source = make.source()
        collects(what)
        runs.collect(source.pk)
        with slots.run(source.pk, 30) as alone:
            assert alone

    def test_what_is_gone_or_disabled_meanwhile_is_not_run(self, collects: Collects) -> None:
        source = make.source()
        Source.objects.update(enabled=False)
        collects(RuntimeError("must not run"))
        runs.collect(source.pk)
        runs.collect(source.pk + 1)
        source.refresh_from_db()
        assert source.last_run_at is None

    def test_what_a_run_says_of_itself_is_kept(self, collects: Collects) -> None:
        source = make.source()
        collects(Noted([Sample("a", 1.0)], "OK - 3 of 3 answer"))
        runs.collect(source.pk)
        source.refresh_from_db()
        assert (source.last_note, source.runs.get().note) == ("OK - 3 of 3 answer",) * 2

    def test_what_a_check_found_is_noted_on_the_run_and_the_source(self, collects: Collects) -> None:
        source = make.source()
        whats: list[Any] = [
            checked([Sample("a", 1.0)], ""),
            checked([Sample("a", 0.0)], "It answered 503."),
            Noted([], "WARNING - 81 %", Verdict.WARNING),
            SourceError("Away."),
            [],
        ]
        found = []
        for what in whats:
            collects(what)
            runs.collect(source.pk)
            source.refresh_from_db()
            found.append((source.last_verdict, source.last_note, source.failures))
        assert found == [
            ("up", "", 0),
            ("down", "It answered 503.", 0),
            ("warning", "WARNING - 81 %", 0),
            ("", "", 1),
            ("", "", 0),
        ]
        assert [run.verdict for run in source.runs.order_by("id")] == ["up", "down", "warning", "", ""]
        assert [came_to for _, came_to in source.recent] == [runs.GOOD, runs.DOWN, runs.WARNING, runs.FAILED, runs.GOOD]

    def test_a_run_that_comes_to_something_else_is_in_the_journal_and_costs_the_others_nothing(
        self, collects: Collects
    ) -> None:
        source = make.source()
        counts = []
        whats: list[Any] = [[Sample("a", 1.0)], [Sample("a", 1.0)], SourceError("Away."), SourceError("Away."), []]
        for what in whats:
            collects(what)
            with CaptureQueriesContext(connection) as asked:
                runs.collect(source.pk)
            counts.append(len([one for one in asked if "metrics_transition" in one["sql"]]))
        assert counts == [0, 0, 1, 0, 1]
        moves = Transition.objects.filter(noun="source", thing=str(source.pk)).order_by("pk")
        assert list(moves.values_list("before", "after", "why")) == [("ok", "failing", "Away."), ("failing", "ok", "")]

    def test_it_is_known_since_when_a_source_fails(self, collects: Collects) -> None:
        silent, source = make.source(name="silent"), make.source()
        Source.objects.filter(pk=silent.pk).update(last_run_at=datetime_of(0))
        whats: list[Any] = [[], SourceError("Away."), SourceError("Still away.")]
        for what in whats:
            collects(what)
            runs.collect(source.pk)
        move = Transition.objects.get(noun="source", thing=str(source.pk))
        found = [one for one in untold.untold(SYSTEM, time.time()) if one.kind == "source"]
        assert [(one.title, one.since) for one in found] == [("silent", datetime_of(0)), (source.name, move.at)]

    def test_what_a_failed_run_knows_is_stored(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("Nobody answers.", [Sample("up", 0.0)]))
        runs.collect(source.pk)
        source.refresh_from_db()
        assert (source.last_samples, source.last_error, source.failures) == (1, "Nobody answers.", 1)
        assert Row.objects.get().value == 0

    def test_what_a_failed_run_knows_and_nobody_can_store_is_noted(self, collects: Collects) -> None:
        source = make.source()
        collects(SourceError("Nobody answers.", [Sample("a", INFINITE)]))
        runs.collect(source.pk)
        source.refresh_from_db()
        assert (source.last_samples, source.failures) == (0, 1)
        assert source.last_error == f"Nobody answers. 1 of 1 samples can't be stored, such as a: {NO_VALUE}"

    def test_one_that_nobody_can_store_loses_no_other_and_is_noted(self, collects: Collects) -> None:
        source = make.source()
        collects(Noted([Sample("a", 1.0), Sample("b", INFINITE), Sample("c.d", 2.0)], "OK - all answer"))
        runs.collect(source.pk)
        source.refresh_from_db()
        note = f"1 of 3 samples can't be stored, such as b: {NO_VALUE} OK - all answer"
        assert (source.last_samples, source.last_error, source.last_note) == (2, "", note)
        assert sorted(Series.objects.values_list("metric", flat=True)) == ["a", "c_d"]

    def test_a_run_after_which_the_source_is_gone_is_not_an_error(self, collects: Collects) -> None:
        source = make.source()
        collects(lambda: Source.objects.all().delete() and [])
        runs.collect(source.pk)
        assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_source_that_is_deleted_while_it_runs_leaves_nothing(
    collects: Collects, caplog: pytest.LogCaptureFixture
) -> None:
    source = make.source()

    def slow() -> list[Sample]:
        Source.objects.all().delete()
        return [Sample("a", 1.0)]

    collects(slow)
    runs.collect(source.pk)
    assert not Run.objects.exists()
    assert not Series.objects.exists()
    assert "source failed" not in caplog.text


class TestHistory:
    def test_runs_are_counted_good_and_bad(self, collects: Collects) -> None:
        source = make.source()
        for what in ([Sample("a", 1.0)], SourceError("Away."), SourceError("Away.")):
            collects(what)
            runs.collect(source.pk)
        source.refresh_from_db()
        history = [(run.samples, run.error) for run in source.runs.all()]
        assert history == [(0, "Away."), (0, "Away."), (1, "")]
        assert [failed for _, failed in source.recent] == [0, 1, 1]
        assert source.failures == 2
        first, last = source.runs.last(), source.runs.first()
        assert first
        assert last
        assert (source.last_success_at, source.last_run_at) == (first.started_at, last.started_at)

    def test_a_good_run_begins_the_count_anew(self, collects: Collects) -> None:
        source = make.source()
        whats: list[Any] = [SourceError("Away."), []]
        for what in whats:
            collects(what)
            runs.collect(source.pk)
        source.refresh_from_db()
        assert source.failures == 0

    def test_of_what_stands_on_the_source_there_are_only_the_newest(self, collects: Collects) -> None:
        source = make.source()
        Source.objects.update(recent=[[i, 0] for i in range(runs.RECENT)])
        collects([])
        runs.collect(source.pk)
        source.refresh_from_db()
        assert [seconds for seconds, _ in source.recent][:-1] == list(range(1, runs.RECENT))

    def test_old_runs_are_deleted_and_each_source_keeps_its_newest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runs, "RUNS_KEPT", 3)
        monkeypatch.setattr(runs, "PRUNED_AT_ONCE", 4)
        many, few = make.source(name="many"), make.source(name="few")
        for source, count in ((many, 9), (few, 2)):
            for n in range(count):
                source.runs.create(started_at="2026-11-20T12:00Z", duration_s=n, samples=0)
        assert [runs.prune(), runs.prune(), runs.prune()] == [4, 2, 0]
        assert [run.duration_s for run in many.runs.all()] == [8, 7, 6]
        assert few.runs.count() == 2
