"""Sources run once a slot, never twice at a time, and say in one sentence what went wrong."""

from collections.abc import Callable
from typing import Any

import pytest
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
        assert [due.every_s for due in sources.due(AT)] == [7]

    def test_sources_have_slots_of_their_own(self) -> None:
        fast, slow = make.source(name="fast", every_s=1), make.source(name="slow", every_s=60)
        assert self.ids(AT) == [fast.pk, slow.pk]
        assert self.ids(AT + 1) == [fast.pk]

    def test_what_is_disabled_or_pushed_is_never_due(self) -> None:
        Source.objects.filter(pk=make.source().pk).update(enabled=False)
        Source.objects.create(kind=Source.PUSH, name="pushed")
        assert self.ids(AT) == []


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
