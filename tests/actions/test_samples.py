"""The one way in: all or nothing, and the open pages that show it are told."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from django.db import OperationalError, transaction
from pytest_django import Settings
from redis import Redis, RedisError

from metrics.actions import evaluation, push_groups
from metrics.actions.samples import accept, checked
from metrics.live import watchers
from metrics.live.topic import Topic
from metrics.models import Sample as Row
from metrics.models import Series, Source
from metrics.sample import BadSamples, Sample
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_it_stores_what_it_is_given_and_counts_it() -> None:
    assert make.accepted([sample(value=1), sample(value=2, at=AT + 1)]).count == 2
    assert Row.objects.count() == 2


def test_nothing_is_accepted_too() -> None:
    assert make.accepted([]).count == 0


def test_one_bad_sample_refuses_all() -> None:
    with pytest.raises(BadSamples):
        make.accepted([sample(), Sample("bad", float("nan")), sample("b")])
    assert not Row.objects.exists()


def test_the_good_ones_are_stored_and_the_others_refused_by_their_places() -> None:
    batch = [sample("a"), Sample("b", float("nan")), sample("c"), sample("d", at=AT + 601)]
    (accepted,) = accept([checked(batch, None, AT, places=[7, 8, 9, 9], whole=False)], AT)
    assert (accepted.count, accepted.refused.places) == (2, {8, 9})
    found = [(one.index, one.field, one.metric) for one in accepted.refused.problems]
    assert found == [(8, "value", "b"), (9, "at", "d")]
    assert sorted(Series.objects.values_list("metric", flat=True)) == ["a", "c"]


def test_a_batch_of_which_nothing_is_good_stores_nothing() -> None:
    accepted = make.accepted([Sample("a", float("nan"))], whole=False)
    assert (accepted.count, len(accepted.refused)) == (0, 1)
    assert not Row.objects.exists()


def test_beyond_the_limit_of_series_known_ones_go_on_and_new_ones_are_made_as_far_as_there_is_room(
    settings: Settings,
) -> None:
    settings.SERIES_PER_SOURCE = 3
    source = make.source()
    make.accepted([sample("a"), sample("b")], source)
    batch = [sample(name, at=AT + 1) for name in ("x", "a", "y", "b", "z", "b")]
    batch[-1] = sample("b", at=AT + 2)
    accepted = make.accepted(batch, source, AT + 1, whole=False)
    assert (accepted.count, len(accepted.refused)) == (4, 2)
    assert accepted.refused.places < {0, 2, 4}
    assert "may have 3" in accepted.refused.sentence(6)
    assert Series.objects.count() == 3
    assert Row.objects.filter(series__metric__in=["a", "b"], at_ms__gt=AT * 1000).count() == 3


def test_of_two_pushes_neither_is_stored_if_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = make.source(name="left"), make.source(name="right")

    def fails_the_second_time(batch: Sequence[Sample], source: Source, now: float) -> list[Series]:
        if source == right:
            raise OperationalError
        return write(batch, source, now)

    monkeypatch.setattr("metrics.actions.samples.write", fails_the_second_time)
    with pytest.raises(OperationalError):
        accept([checked([sample("a")], left, AT), checked([sample("b")], right, AT)], AT)
    assert not Row.objects.exists()


def test_nothing_is_drawn_before_it_is_committed() -> None:
    make.dashboard()
    make.watch(make.variant(), now=AT)
    with transaction.atomic():
        make.accepted([sample()])
        assert not make.marks(make.variant())
    assert make.marks(make.variant())


def test_what_is_undone_is_not_drawn() -> None:
    make.dashboard()
    make.watch(make.variant(), now=AT)
    with suppress(ZeroDivisionError), transaction.atomic():
        make.accepted([sample()])
        raise ZeroDivisionError
    assert not make.marks(make.variant())


@pytest.mark.parametrize(
    ("shown", "pushed", "marked"),
    [
        ({"metric": "a"}, {"metric": "a"}, True),
        ({"metric": "a"}, {"metric": "b"}, False),
        ({"metric": "a", "labels": {"dc": "1"}}, {"metric": "a", "dc": "1", "host": "x"}, True),
        ({"metric": "a", "labels": {"dc": "1"}}, {"metric": "a", "dc": "2"}, False),
        ({"metric": "a", "labels": {"dc": "1"}}, {"metric": "a"}, False),
    ],
)
def test_only_widgets_that_show_the_series_are_marked(
    shown: dict[str, object], pushed: dict[str, str], marked: bool
) -> None:
    fields = {"queries": [shown]}
    dashboard = make.dashboard(
        widgets=[make.widget("other"), {"kind": "number", "title": "shows it", "config": fields}]
    )
    make.watch(make.variant(), now=AT)
    make.accepted([sample(**pushed)])  # type: ignore[arg-type]
    other, shows_it = make.widgets_of(dashboard)
    assert (shows_it.key in make.marks(make.variant())) is marked
    assert other.key not in make.marks(make.variant())


def test_only_variants_that_are_looked_at_are_marked() -> None:
    make.dashboard("shop")
    make.dashboard("unwatched")
    make.watch(make.variant(), now=AT)
    make.accepted([sample()])
    assert make.marks(make.variant())
    assert not make.marks(make.variant("shop", "6h"))
    assert not make.marks(make.variant("unwatched", "1h"))


def test_what_nobody_looks_at_any_more_is_not_marked() -> None:
    make.dashboard()
    make.watch(make.variant(), now=AT - watchers.LAPSE_S - 1)
    make.accepted([sample()])
    assert not make.marks(make.variant())


def test_a_broken_widget_does_not_keep_the_others_from_their_samples() -> None:
    dashboard = make.dashboard(widgets=[make.widget(), make.widget()])
    broken, good = make.widgets_of(dashboard)
    broken.config = {"queries": "all of them"}
    broken.save()
    make.watch(make.variant(), now=AT)
    make.accepted([sample()])
    assert set(make.marks(make.variant())) >= {good.key}
    assert broken.key not in make.marks(make.variant())


def test_without_redis_samples_are_stored_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> list[Topic]:
        raise RedisError("away")

    monkeypatch.setattr(watchers, "watched", unreachable)
    assert make.accepted([sample()]).count == 1
    assert Row.objects.count() == 1


def test_redis_that_goes_away_between_two_commands_changes_nothing_for_the_sender(
    monkeypatch: pytest.MonkeyPatch, redis: Redis
) -> None:
    make.dashboard()
    make.watch(make.variant(), now=AT)

    def unreachable(*_: object, **__: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr("redis.client.Pipeline.execute", unreachable)
    assert make.accepted([sample()]).count == 1
    assert Row.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_rules_can_not_be_told_of_is_drawn_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    make.dashboard()
    make.watch(make.variant(), now=AT)

    def unreachable(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(evaluation, "note", unreachable)
    make.accepted([sample()])
    assert make.marks(make.variant())


def test_rules_look_at_what_left_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    monkeypatch.setattr(evaluation, "note", lambda changed, *_: noted.extend(one.metric for one in changed))
    for metric in ("a", "b"):
        push_groups.replace("g", checked([sample(metric)], None, AT), None, AT)
    assert noted == ["a", "b", "a"]
