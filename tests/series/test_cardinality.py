"""Too many series are refused, with the label that makes them so many."""

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from metrics.models import Sample as Row
from metrics.models import Series
from metrics.sample import BadSamples, Sample
from metrics.series.labels import Label, labels_of, largest_metrics, largest_sources
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.SERIES_PER_SOURCE = 10
    settings.SERIES_TOTAL = 15


def requests(first: int, last: int) -> list[Sample]:
    return [sample("requests", 1, path=f"/{n % 3}", request_id=str(n)) for n in range(first, last)]


def refused(samples: list[Sample], source: object = None) -> str:
    with pytest.raises(BadSamples) as error:
        write(samples, source, AT)  # type: ignore[arg-type]
    (problem,) = error.value.problems
    assert (problem.index, problem.field) == (None, "labels")
    return problem.message


def test_a_source_may_have_so_many_and_no_more() -> None:
    source = make.source(name="checkout")
    write(requests(0, 10), source, AT)
    message = refused(requests(8, 12), source)
    assert message == (
        "Source checkout would have 12 series, and may have 10; label request_id of requests has 10 values."
    )
    assert Series.objects.count() == Row.objects.count() == 10


def test_one_batch_that_has_too_many_is_told_of_its_own_labels() -> None:
    assert refused(requests(0, 12), make.source(name="checkout")) == (
        "Source checkout would have 12 series, and may have 10; label request_id of requests has 12 values."
    )
    assert not Series.objects.exists()


def test_all_of_them_may_have_so_many_and_no_more() -> None:
    write(requests(0, 10), make.source(name="one"), AT)
    write(requests(10, 15), make.source(name="other"), AT)
    assert refused([sample("free")]) == "This installation would have 16 series, and may have 15."


def test_what_is_there_already_goes_on_being_stored(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    source = make.source()
    write(requests(0, 10), source, AT)
    write([Sample(one.metric, 2, one.labels, AT + 1) for one in requests(0, 10)], source, AT)
    assert Row.objects.count() == 20


def test_the_largest_are_listed() -> None:
    source = make.source(name="checkout")
    write([*requests(0, 6), sample("small"), sample("small", host="a")], source, AT)
    first, second = largest_metrics(5)
    assert (first.name, first.series) == ("requests", 6)
    assert first.labels == (Label("request_id", 6), Label("path", 3))
    assert (second.name, second.series, second.labels) == ("small", 2, (Label("host", 1),))
    assert largest_sources(5) == [(source, 8)]
    assert labels_of(["requests"], source.pk + 1) == {}
