"""PreparedQuery queries: they find what the query itself does, and are put together once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import BigIntegerField, DateTimeField, Exists, OuterRef, Q, QuerySet
from django.test.utils import CaptureQueriesContext

from metrics.models import Run, Source
from metrics.prepared_query import PreparedQuery
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 29, 12, 0, 0, 123_456, UTC)


def test_it_finds_what_the_query_does_whatever_it_is_given() -> None:
    first, second = (make.source(name=name) for name in ("first", "second"))
    for ago_s in (0, 60, 120):
        Run.objects.create(source=first, started_at=NOW - timedelta(seconds=ago_s), duration_s=1, samples=ago_s)

    def ran(since: Any, most: Any) -> QuerySet[Any, Any]:
        runs = Run.objects.filter(source=OuterRef("pk"), started_at__gte=since)
        few = runs.filter(Q(samples__lte=most) | Q(error="never"))
        return Source.objects.filter(Exists(few) | ~Exists(runs)).order_by("pk").values_list("pk", "name", "every_s")

    prepared = PreparedQuery(ran, DateTimeField(), BigIntegerField())
    for ago_s in (-1, 0, 60, 1000):
        for most in (0, 59, 60, 1000):
            values = NOW - timedelta(seconds=ago_s), most
            expected = list(ran(*values))
            assert prepared.rows(*values) == expected
            assert prepared.finds(*values) == bool(expected)
    second.delete()
    assert prepared.rows(NOW, -1) == []
    assert not prepared.finds(NOW, -1)


def test_its_sql_is_put_together_once() -> None:
    asked = []

    def named(pk: Any) -> QuerySet[Any, Any]:
        asked.append(pk)
        return Source.objects.filter(pk=pk).values_list("name")

    source, prepared = make.source(name="one"), PreparedQuery(named, BigIntegerField())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert [prepared.rows(source.pk), prepared.rows(0)] == [[("one",)], []]
    assert (len(asked), len(queries)) == (1, 2)


def test_it_takes_as_many_values_as_it_has_fields() -> None:
    with pytest.raises(ValueError, match="zip"):
        PreparedQuery(lambda pk: Source.objects.filter(pk=pk).values_list("pk"), BigIntegerField()).rows()


def test_its_objects_are_as_the_query_makes_them() -> None:
    source = make.source(name="one")
    prepared = PreparedQuery(lambda pk: Source.objects.filter(pk=pk), BigIntegerField())
    (found,) = prepared.objects(Source, source.pk)
    (expected,) = Source.objects.filter(pk=source.pk)
    fields = [field.attname for field in Source._meta.concrete_fields]
    assert [getattr(found, name) for name in fields] == [getattr(expected, name) for name in fields]
    assert found.get_deferred_fields() == set()
    assert prepared.objects(Source, 0) == []
