"""Writing samples: once is enough, twice does no harm, and two at once agree."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from metrics.models import Sample as Row
from metrics.models import Series
from metrics.sample import Sample
from metrics.series import series_cache
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

pytestmark = pytest.mark.django_db


def rows() -> list[tuple[str, int, float]]:
    return list(Row.objects.order_by("series__metric", "at_ms").values_list("series__metric", "at_ms", "value"))


def test_samples_are_stored_with_their_times() -> None:
    write([sample("a", 1, AT), sample("a", 2, AT + 0.5), sample("b", 3, at=None)], None, AT + 9)
    at_ms = int(AT * 1000)
    assert rows() == [("a", at_ms, 1), ("a", at_ms + 500, 2), ("b", at_ms + 9000, 3)]


def test_the_same_push_again_changes_nothing() -> None:
    batch = [sample("a", 1), sample("b", 2)]
    write(batch, None, AT)
    before = rows()
    write(batch, None, AT + 60)
    assert rows() == before


def test_the_first_value_of_a_time_stays() -> None:
    write([sample("a", 1)], None, AT)
    write([sample("a", 99)], None, AT)
    assert [value for *_, value in rows()] == [1]


def test_the_same_time_twice_in_one_batch_is_one_sample() -> None:
    write([sample("a", 2), sample("a", 1)], None, AT)
    assert [value for *_, value in rows()] == [2]


def test_labels_make_series_and_empty_ones_do_not() -> None:
    write(
        [sample("a", 1, host="x"), sample("a", 2, host="y"), sample("a", 3, host=""), sample("a", 4, AT + 1)], None, AT
    )
    assert sorted(Series.objects.values_list("labels", flat=True), key=str) == [{"host": "x"}, {"host": "y"}, {}]
    assert Row.objects.count() == 4


def test_a_unit_is_adopted_and_kept_until_another_is_told() -> None:
    def unit_after(told: str | None) -> str:
        write([Sample("a", 1, {}, None, told)], None, AT)
        return Series.objects.get().unit

    assert [unit_after(told) for told in (None, "bytes", None, "seconds", "")] == ["", "bytes", "bytes", "seconds", ""]


def test_a_series_keeps_what_was_last_said_about_it() -> None:
    write([Sample("a", 1, at=AT, type="counter", expected_every_s=60), Sample("a", 2, at=AT + 1)], None, AT)
    write([Sample("a", 3, at=AT + 2, expires_after_s=600), Sample("a", 4, at=AT + 3, unit="orders")], None, AT)
    series = Series.objects.get()
    assert (series.type, series.expected_every_s, series.expires_after_s, series.unit) == ("counter", 60, 600, "orders")


def test_a_series_ends_once_and_nothing_is_made_to_end() -> None:
    def end(before_s: float, metric: str = "a") -> list[Series]:
        return write([Sample(metric, 0, {}, AT - before_s, ends=True)], None, AT)

    write([sample("a", 1)], None, AT)
    assert [one.ended_at_ms for one in end(10) + end(5) + end(7)] == [(AT - s) * 1000 for s in (10, 5, 5)]
    assert end(0, "b") == []
    assert rows() == [("a", int(AT * 1000), 1)]


def test_a_series_may_end_in_the_batch_that_makes_it() -> None:
    (series,) = write([Sample("a", 0, {}, AT, ends=True), sample("a", 1, AT - 1)], None, AT)
    assert (series.metric, series.ended_at_ms) == ("a", AT * 1000)


def test_series_belong_to_the_source_that_wrote_last() -> None:
    one, other = make.source(name="one"), make.source(name="other")
    for source, expected in ((one, one), (None, one), (other, other)):
        write([sample("a")], source, AT)
        assert Series.objects.get().source == expected


def test_it_returns_each_series_once() -> None:
    found = write([sample("a"), sample("a", at=AT + 1), sample("b")], None, AT)
    assert sorted(series.metric for series in found) == ["a", "b"]


def test_a_batch_larger_than_one_insert_is_stored_whole() -> None:
    write([sample("a", i, AT - i) for i in range(2500)], None, AT)
    assert Row.objects.count() == 2500


def test_a_batch_of_many_new_series_is_stored_whole() -> None:
    write([sample("a", i, host=str(i)) for i in range(2000)], None, AT)
    assert Series.objects.count() == Row.objects.count() == 2000


def write_at_once(batch: Callable[[int, int], Sequence[Sample]]) -> None:
    """Write `batch(writer, round)` with two writers, four rounds that both begin together.

    The second writer's batches are in the opposite order, which is what makes careless locking end in a deadlock.
    """
    start, errors = threading.Barrier(2), []

    def run(writer: int) -> None:
        try:
            for round_ in range(4):
                start.wait(60)
                write(batch(writer, round_)[:: -1 if writer else 1], None, AT)
        except Exception as error:
            errors.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(writer,)) for writer in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_make_the_same_series_at_once_agree() -> None:
    write_at_once(lambda _, round_: [sample(f"m{i}_{round_}", 1, AT + round_) for i in range(200)])
    assert Series.objects.count() == 800
    assert Row.objects.count() == 800


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_tell_units_of_the_same_series_at_once_agree() -> None:
    names = [f"m{i}" for i in range(200)]
    write([sample(name) for name in names], None, AT)
    write_at_once(
        lambda writer, round_: [Sample(name, 1, {}, AT + round_, f"u{round_}{writer}") for name in names],
    )
    assert set(Series.objects.values_list("unit", flat=True)) <= {"u30", "u31"}


@pytest.mark.django_db(transaction=True)
class TestKnown:
    """The cache of series saves the look-up, and is never taken for the truth."""

    def test_a_known_series_is_not_looked_up(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        write([sample("a"), sample("b", host="x")], None, AT)
        with django_assert_num_queries(4):  # begin, hold, insert, commit
            write([sample("a", at=AT + 1), sample("b", at=AT + 1, host="x")], None, AT + 1)
        assert len(rows()) == 4

    def test_a_series_that_was_removed_is_made_again(self) -> None:
        write([sample("a"), sample("b")], None, AT)
        Series.objects.filter(metric="a").delete()
        found = write([sample("a", at=AT + 1), sample("b", at=AT + 1)], None, AT + 1)
        assert sorted(one.metric for one in found) == ["a", "b"]
        assert [(metric, at_ms) for metric, at_ms, _ in rows()] == [
            ("a", round(AT + 1) * 1000),
            ("b", round(AT) * 1000),
            ("b", round(AT + 1) * 1000),
        ]

    def test_so_it_is_in_a_transaction_of_somebody_else(self) -> None:
        write([sample("a")], None, AT)
        Series.objects.all().delete()
        with transaction.atomic():
            write([sample("a", at=AT + 1)], None, AT + 1)
        assert len(rows()) == 1

    def test_what_a_sample_says_anew_is_kept(self) -> None:
        write([sample("a")], None, AT)
        source = make.source()
        write([Sample("a", 1, at=AT + 1, unit="bytes", expected_every_s=5)], source, AT + 1)
        series = Series.objects.get()
        assert (series.unit, series.expected_every_s, series.source) == ("bytes", 5, source)

    def test_what_others_changed_is_known_after_a_minute(self) -> None:
        write([Sample("a", 1, at=AT, unit="bytes")], None, AT)
        Series.objects.update(unit="days")
        write([Sample("a", 1, at=AT + 61, unit="bytes")], None, AT + 61)
        assert Series.objects.get().unit == "bytes"

    def test_nothing_is_known_of_what_was_rolled_back(self) -> None:
        with transaction.atomic():
            write([sample("a")], None, AT)
            transaction.set_rollback(True)
        write([sample("a")], None, AT)
        assert len(rows()) == 1

    def test_the_first_of_one_time_stays_though_only_the_second_is_known(self) -> None:
        write([sample("a", 1)], None, AT)
        at = AT + 1
        write([Sample("a", 5, at=at, unit="bytes"), Sample("a", 4, at=at)], None, at)
        assert [value for *_, value in rows()] == [1, 5]

    def test_a_clock_that_is_ahead_is_noted_though_the_series_is_known(self) -> None:
        write([sample("a")], None, AT)
        write([sample("a", at=AT + 10)], None, AT + 6)
        assert Series.objects.get().ahead_s == 5

    def test_a_clock_that_is_right_again_is_noted_with_the_next_look(self) -> None:
        write([sample("a", at=AT + 400)], None, AT)
        write([sample("a", at=AT - 3600), sample("b", at=AT + 400)], None, AT + 70)  # tells nothing of the clock
        assert set(Series.objects.values_list("ahead_s", flat=True)) == {401, 330.5}
        write([sample("a", at=AT + 140)], None, AT + 140)
        write([sample("b", at=None)], None, AT + 140)
        assert set(Series.objects.values_list("ahead_s", flat=True)) == {0}

    def test_a_clock_at_the_edge_of_a_step_is_no_news_each_time(self) -> None:
        for ahead_s, noted in ((1.5, 2), (0.5, 2), (2, 2), (0, 0), (0.5, 1), (0, 1)):
            series_cache.forget()
            write([sample("a", at=AT + ahead_s)], None, AT)
            assert Series.objects.get().ahead_s == noted
