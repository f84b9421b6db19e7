"""Storing what StatsD's process gathered: all that can be."""

import pytest

from metrics.actions.statsd import store
from metrics.models import Sample as Row
from metrics.models import Series, Source
from metrics.sample import Sample
from tests.make import AT, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_it_has_a_source_of_its_own() -> None:
    store([sample("a")], AT)
    store([sample("b")], AT)
    (source,) = Source.objects.all()
    assert (source.name, source.kind) == ("StatsD", Source.PUSH)
    assert Series.objects.filter(source=source).count() == 2


def test_increases_become_a_total_and_sending_them_again_changes_nothing() -> None:
    for at in (AT, AT, AT + 10):
        store([Sample("orders_total", 2.0, {}, at, type="counter", adds=True, since=at - 10)], at)
    assert [row.value for row in Row.objects.order_by("at_ms")][-1] == 4.0


def test_one_that_is_refused_spoils_no_other() -> None:
    store([sample("a"), Sample("", 1.0), sample("b"), Sample("c", float("nan"))], AT)
    assert sorted(Series.objects.values_list("metric", flat=True)) == ["a", "b"]
