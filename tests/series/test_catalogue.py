"""Finding series by what somebody types: what has the words, in which order, and what is left out."""

import json
from collections.abc import Collection, Sequence

import pytest

from metrics.models import Series
from metrics.series import catalogue
from metrics.series.catalogue import BEGINS, BEGINS_A_PART, CONTAINS, EXACT, Catalogue, rank
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

SOURCES = {1: "Prometheus of the shop", 2: "secret feed"}
SERIES = [
    ("host_cpu_percent", {"host": "web-1", "core": "0"}, 1),
    ("host_cpu_percent", {"host": "web-1", "core": "1"}, 1),
    ("host_cpu_percent", {"host": "web-10", "core": "0"}, 1),
    ("cpu", {}, None),
    ("node_cpu:rate", {"host": "db-1"}, None),
    ("gcputime", {}, None),
    ("orders_open", {"shop": "Web"}, None),
    ("salaries", {"host": "web-1", "team": "cpu"}, 2),
]


@pytest.fixture(scope="module")
def names() -> Catalogue:
    made = Catalogue()
    made.add((pk, metric, json.dumps(labels), source) for pk, (metric, labels, source) in enumerate(SERIES, 1))
    return made


def found(names: Catalogue, typed: str, hidden: Sequence[int] = (2,), most: int = 12) -> list[str]:
    """Return hits as metric, labels, and how many series."""
    hits, _ = names.search(typed, SOURCES, hidden, most)
    return [" ".join([hit.metric, *(f"{n}={v}" for n, v in hit.labels.items()), f"({hit.series})"]) for hit in hits]


@pytest.mark.parametrize(
    ("text", "word", "how"),
    [
        ("cpu", "cpu", EXACT),
        ("cpu_percent", "cpu", BEGINS),
        ("host_cpu", "cpu", BEGINS_A_PART),
        ("node.cpu", "cpu", BEGINS_A_PART),
        ("eu/cpu", "cpu", BEGINS_A_PART),
        ("gcputime", "cpu", CONTAINS),
        ("load", "cpu", None),
    ],
)
def test_how_a_text_has_a_word(text: str, word: str, how: int | None) -> None:
    assert rank(text, word) == how


@pytest.mark.parametrize(
    ("typed", "hits"),
    [
        ("cpu", ["cpu (1)", "node_cpu:rate (1)", "host_cpu_percent (3)", "gcputime (1)"]),
        ("CPU  cpu", ["cpu (1)", "node_cpu:rate (1)", "host_cpu_percent (3)", "gcputime (1)"]),
        ("cpu web-1", ["host_cpu_percent host=web-1 (2)", "host_cpu_percent host=web-10 (1)"]),
        ("web-1 cpu 1", ["host_cpu_percent core=1 host=web-1 (1)"]),
        ("web", ["orders_open shop=Web (1)", "host_cpu_percent host=web-1 (2)", "host_cpu_percent host=web-10 (1)"]),
        ("shop=web", ["orders_open shop=Web (1)"]),
        ("host=w percent", ["host_cpu_percent host=web-1 (2)", "host_cpu_percent host=web-10 (1)"]),
        ("prometheus", ["host_cpu_percent (3)"]),
        ("prometheus 10", ["host_cpu_percent host=web-10 (1)"]),
        ("secret", []),
        ("salaries", []),
        ("cpu nothing", []),
        ("nothing=", []),
        ("", ["cpu (1)", "gcputime (1)", "host_cpu_percent (3)", "node_cpu:rate (1)", "orders_open (1)"]),
    ],
)
def test_each_word_occurs_somewhere_and_the_best_come_first(names: Catalogue, typed: str, hits: list[str]) -> None:
    assert found(names, typed) == hits


def test_who_sees_a_source_finds_its_series(names: Catalogue) -> None:
    assert found(names, "secret", hidden=()) == ["salaries (1)"]
    assert found(names, "team=cpu", hidden=()) == ["salaries team=cpu (1)"]
    assert found(names, "team=cpu") == []


def test_more_than_so_many_are_cut_with_each_metric_among_them() -> None:
    made = Catalogue()
    rows = [(metric, host) for metric in ("a_total", "b_total") for host in range(40)]
    made.add((pk, metric, json.dumps({"host": f"web-{host}"}), None) for pk, (metric, host) in enumerate(rows, 1))
    hits, is_more = made.search("web", {}, (), 4)
    assert [(hit.metric, hit.labels["host"]) for hit in hits] == [
        ("a_total", "web-0"),
        ("b_total", "web-0"),
        ("a_total", "web-1"),
        ("b_total", "web-1"),
    ]
    assert is_more
    assert not made.search("web-39", {}, (), 4)[1]


@pytest.mark.django_db
def test_new_series_are_found_soon_and_removed_ones_forgotten_later() -> None:
    def search(now: float) -> list[str]:
        return [hit.metric for hit in catalogue.search("orders", {}, (), 9, now)[0]]

    write([sample("orders_open", 1)], None, AT)
    assert search(0.0) == ["orders_open"]
    write([sample("orders_late", 1)], None, AT)
    assert search(1.0) == ["orders_open"]
    assert search(4.0) == ["orders_late", "orders_open"]
    Series.objects.filter(metric="orders_open").delete()
    assert search(290.0) == ["orders_late", "orders_open"]
    assert search(301.0) == ["orders_late"]


@pytest.mark.django_db
def test_a_series_that_another_source_took_over_is_hidden_with_it() -> None:
    def search(now: float, hidden: Collection[int] = ()) -> list[str]:
        return [hit.metric for hit in catalogue.search("orders", {}, hidden, 9, now)[0]]

    write([sample("orders_open", 1)], None, AT)
    assert search(0.0) == ["orders_open"]
    secret = make.source()
    Series.objects.update(source=secret)
    assert search(301.0, {secret.pk}) == []
    assert search(302.0) == ["orders_open"]
