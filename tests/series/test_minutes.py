"""Minutes that are packed: read, rolled anew, pruned and deleted as if they were not, also while they move."""

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from pytest_django import Settings

from metrics.models import Chunk, HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress, Series
from metrics.models import Sample as Row
from metrics.sample import Sample
from metrics.series import buckets, pack, packed, progress, prune, rollup, step_cache
from metrics.series.newest import newest
from metrics.series.step_cache import Window
from metrics.series.steps import Step
from metrics.series.tiers import HOUR_MS, MINUTE_MS, MINUTES_SPAN_MS
from metrics.series.write import write
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

AT_MS = round(AT * 1000)
HOURS = 20
"""Of which the first eighteen are old enough, and so the first three spans of six hours."""


def fill(series: int = 1, hours: int = HOURS) -> list[int]:
    """Have minutes of so many hours before AT, all rolled and none packed; return the ids of their series."""
    write([Sample(f"m{number}", 1, {}, AT) for number in range(series)], None, AT)
    ids = list(Series.objects.order_by("pk").values_list("pk", flat=True))
    begin_ms = AT_MS - hours * HOUR_MS
    same = {"count": 6, "min": -1, "first": 0}
    rows = [
        MinuteRollup(series_id=pk, at_ms=at_ms, sum=at_ms // MINUTE_MS + pk, max=at_ms, last=pk, growth=pk, **same)
        for pk in ids
        for at_ms in range(begin_ms, AT_MS, MINUTE_MS)
    ]
    MinuteRollup.objects.bulk_create(rows, 500)
    for name in (progress.MINUTES, progress.HOURS):
        Progress.objects.update_or_create(name=name, defaults={"until_ms": AT_MS})
    return ids


def steps(ids: list[int], step_ms: int = 3 * MINUTE_MS) -> dict[int, list[Step]]:
    """Return what is read of the last day, and not what is remembered of it."""
    step_cache.forget()
    start_ms = AT_MS - 24 * HOUR_MS
    return step_cache.steps({pk: Window(start_ms, AT_MS, 0, start_ms) for pk in ids}, step_ms)


def means(ids: list[int]) -> object:
    step_cache.forget()
    return step_cache.means(
        {pk: Window(AT_MS - 24 * HOUR_MS, AT_MS, 0, AT_MS - 24 * HOUR_MS) for pk in ids}, 12 * MINUTE_MS
    )


def test_packing_changes_nothing_of_what_is_read() -> None:
    ids = fill(2)
    before = packed.lists(packed.MINUTES, ids, 0, 2**60), steps(ids), steps(ids, MINUTE_MS), means(ids)
    for _ in range(2):
        pack.pack(AT)
        assert (packed.lists(packed.MINUTES, ids, 0, 2**60), steps(ids), steps(ids, MINUTE_MS), means(ids)) == before
        spans = MinuteChunk.objects.filter(series=ids[0]).values_list("start_ms", "end_ms", "count")
        assert [
            ((AT_MS - start_ms) // HOUR_MS, (end_ms - start_ms) // MINUTE_MS, n) for start_ms, end_ms, n in spans
        ] == [
            (24, 359, 120),
            (18, 359, 360),
            (12, 359, 360),
        ]
        assert MinuteRollup.objects.count() == 2 * 6 * 60


@pytest.mark.parametrize("value", [0.1, 1e9 + 1, 12.34, 1234.567891])
def test_numbers_of_few_decimals_are_kept_as_they_are(value: float) -> None:
    (pk,) = fill()
    MinuteRollup.objects.update(sum=value * 6, min=value, max=value, last=value)
    pack.pack(AT)
    held = packed.lists(packed.MINUTES, [pk], 0, AT_MS - 6 * HOUR_MS)[pk]
    assert [set(column) for column in held[3:6]] == [{value}] * 3
    assert held[2] == pytest.approx([value * 6] * len(held[2]), rel=2e-11)


def test_eleven_digits_are_kept_of_others() -> None:
    (pk,) = fill()
    any_number = random.Random(1)
    written = {}
    for row in MinuteRollup.objects.all():
        written[row.at_ms] = row.last = any_number.random() * 10 ** any_number.randrange(-9, 9)
        row.save()
    pack.pack(AT)
    assert MinuteChunk.objects.exists()
    times, lasts = (packed.lists(packed.MINUTES, [pk], 0, 2**60)[pk][place] for place in (0, 5))
    assert lasts == pytest.approx([written[at_ms] for at_ms in times], rel=2e-11, abs=0)


def test_a_minute_of_a_measured_value_takes_less_than_ten_bytes() -> None:
    fill()
    noise = random.Random(1)
    for row in MinuteRollup.objects.all():
        values = [round(50 + noise.random(), 2) for _ in range(6)]
        row.sum, row.min, row.max, row.last = sum(values), min(values), max(values), values[-1]
        row.last_after_ms = 50_000 + noise.randrange(30)
        row.save()
    pack.pack(AT)
    for count, data in MinuteChunk.objects.filter(count=360).values_list("count", "data"):
        assert len(bytes(data)) < 10 * count


def test_an_older_installation_is_packed_span_by_span() -> None:
    """Each portion is a transaction of its own, and at no time more than a span is on the move."""
    ids = fill(3, 30)
    before = steps(ids)
    spare = iter([True] * 2)
    seen = []
    for _ in range(40):
        pack.pack(AT, partial(next, spare, False))
        spare = iter([True] * 3)
        seen.append(progress.all_until_ms().get(progress.MINUTES_PACKED, 0))
        assert steps(ids) == before
    assert sorted(set(seen) - {0}) == [AT_MS - hours * HOUR_MS for hours in (24, 18, 12, 6)]
    assert MinuteRollup.objects.count() == 3 * 6 * 60


def test_the_last_value_of_a_moment_whose_samples_are_gone() -> None:
    ids = fill(2)
    MinuteRollup.objects.filter(at_ms__gte=AT_MS - 15 * HOUR_MS, at_ms__lt=AT_MS - 11 * HOUR_MS).delete()
    Progress.objects.create(name=progress.RAW_PRUNED, until_ms=AT_MS)
    moments = [AT_MS - round(hours * HOUR_MS) for hours in (1, 6, 11, 11.5, 12, 14.99, 15, 18, 19.9, 20, 21)]
    before = [newest(dict.fromkeys(ids, at_ms), 1) for at_ms in moments]
    assert [len(found) for found in before] == [2] * 9 + [0] * 2
    pack.pack(AT)
    assert [newest(dict.fromkeys(ids, at_ms), 1) for at_ms in moments] == before


class TestLate:
    def push(self, values: dict[float, float], now: float) -> None:
        """Have samples come at `now`: seconds after AT -> value."""
        write([Sample("m", value, {}, AT + after) for after, value in values.items()], None, AT + now)
        rollup.roll(AT + now)

    def told(self) -> dict[int, tuple[float, ...]]:
        pk = Series.objects.get().pk
        columns = packed.lists(packed.MINUTES, [pk], 0, 2**60)[pk]
        return {(at_ms - AT_MS) // 1000: tuple(told) for at_ms, *told in zip(*columns, strict=True)}

    def hours(self) -> list[tuple[float, ...]]:
        return list(HourRollup.objects.order_by("at_ms").values_list("count", "sum", "min", "max", "last"))

    def begin(self) -> None:
        rollup.roll(AT)
        self.push({0: 3, 30: 1, 60: 5, 3600: 2}, 60)
        rollup.roll(AT + 9 * 3600)
        pack.pack(AT + 9 * 3600)
        assert (MinuteRollup.objects.count(), MinuteChunk.objects.get().count) == (0, 3)

    def test_what_is_late_is_rolled_again_and_joins_its_chunk(self) -> None:
        self.begin()
        for _ in range(2):
            self.push({45: -7, 120: 8, 30: 99}, 9 * 3600)
            expected = {
                0: (3, -3, -7, 3, -7, 45_000, 3, 0, 1 - 7),
                60: (1, 5, 5, 5, 5, 0, 5, 0, 0),
                120: (1, 8, 8, 8, 8, 0, 8, 0, 0),
                3600: (1, 2, 2, 2, 2, 0, 2, 0, 0),
            }
            assert self.told() == expected
            assert self.hours() == [(5, 10, -7, 8, 8), (1, 2, 2, 2, 2)]
            assert (MinuteRollup.objects.count(), MinuteChunk.objects.get(start_ms=AT_MS).count) == (0, 4)
            assert not Late.objects.exists()
        self.push({15 * 3600: 1}, 15 * 3600)
        pack.pack(AT + 16 * 3600)
        assert (MinuteRollup.objects.count(), MinuteChunk.objects.get(start_ms=AT_MS).count) == (0, 4)
        assert {after: told for after, told in self.told().items() if after < 7200} == expected

    def test_what_is_packed_stays_when_its_samples_are_gone_and_gaps_are_filled(self) -> None:
        self.begin()
        Row.objects.all().delete()
        Chunk.objects.all().delete()
        for round_ in range(2):
            self.push({15: 50, 120: 5}, (100 + 10 * round_) * 3600)
            assert self.told() == {
                0: (2, 4, 1, 3, 1, 30_000, 3, 0, 1),
                60: (1, 5, 5, 5, 5, 0, 5, 0, 0),
                120: (1, 5, 5, 5, 5, 0, 5, 0, 0),
                3600: (1, 2, 2, 2, 2, 0, 2, 0, 0),
            }
            assert self.hours() == [(4, 14, 1, 5, 5), (1, 2, 2, 2, 2)]
            pack.pack(AT + (100 + 10 * round_) * 3600)

    def test_a_history_that_is_pushed_leaves_no_rows_behind_in_what_is_packed(self) -> None:
        """Or else every page over days reads them row by row until the next round, which is half a month for hours."""
        rollup.roll(AT)
        pack.pack(AT)
        hours = range(1, 40 * 24 + 1, 4)
        self.push({-hour * 3600.0: hour for hour in hours}, 0)
        packed_ms = progress.all_until_ms()
        for rows, chunks, name in (
            (MinuteRollup, MinuteChunk, progress.MINUTES_PACKED),
            (HourRollup, HourChunk, progress.HOURS_PACKED),
        ):
            assert min(rows._default_manager.values_list("at_ms", flat=True)) >= packed_ms[name]
            inside = sum(chunks._default_manager.values_list("count", flat=True))
            assert inside > len(hours) / 2
            assert rows._default_manager.count() + inside == len(hours)


class TestGoing:
    def test_by_source_and_not_before_all_of_a_chunk_is_old(self, settings: Settings) -> None:
        settings.MINUTE_RETENTION_DAYS = 1
        ids = fill(2)
        source = make.source()
        source.minute_retention_days = 2
        source.save()
        Series.objects.filter(pk=ids[0]).update(source=source)
        pack.pack(AT)
        for hours, left in ((5, (3, 3)), (11, (3, 2)), (13, (3, 1)), (37, (1, 0))):
            rollup.roll(AT + hours * 3600)
            prune.prune(AT + hours * 3600)
            assert tuple(MinuteChunk.objects.filter(series=pk).count() for pk in ids) == left

    def test_what_a_note_needs_stays(self) -> None:
        (pk,) = fill()
        pack.pack(AT)
        Late.objects.create(series_id=pk, at_ms=AT_MS - 17 * HOUR_MS)
        Progress.objects.update_or_create(name=progress.HOURS, defaults={"until_ms": AT_MS + 40 * 24 * HOUR_MS})
        prune.prune(AT + 40 * 24 * 3600)
        assert [one.start_ms for one in MinuteChunk.objects.all()] == [AT_MS - 18 * HOUR_MS]
        assert Series.objects.exists()

    def test_a_series_that_is_deleted_takes_its_packed_minutes_along(self) -> None:
        ids = fill(2)
        pack.pack(AT)
        Series.objects.get(pk=ids[0]).delete()
        assert set(MinuteChunk.objects.values_list("series_id", flat=True)) == {ids[1]}


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def together(self, *jobs: Callable[[], None]) -> None:
        errors: list[BaseException] = []

        def run(do: Callable[[], None]) -> None:
            try:
                do()
            except BaseException as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        assert errors == []

    def test_who_reads_while_two_pack_misses_nothing_and_sees_nothing_twice(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pack, "PORTION", 1)
        ids = fill(8, 30)
        expected = packed.lists(packed.MINUTES, ids, 0, 2**60), steps(ids), means(ids)
        done, reads = threading.Event(), []

        def pack_all() -> None:
            pack.pack(AT)
            if progress.all_until_ms()[progress.MINUTES_PACKED] == AT_MS - MINUTES_SPAN_MS:
                done.set()

        def pack_until_done() -> None:
            while not done.is_set() or Progress.objects.get(name=progress.MINUTES_PACKED).series_id:
                pack_all()

        def read(which: int) -> None:
            more = True
            while more:
                more = not done.is_set()
                found = (lambda: packed.lists(packed.MINUTES, ids, 0, 2**60), lambda: steps(ids), lambda: means(ids))[
                    which
                ]()
                assert found == expected[which]
                reads.append(which)

        self.together(pack_until_done, pack_until_done, *(partial(read, which) for which in range(3)))
        assert set(reads) == {0, 1, 2}
        assert MinuteRollup.objects.count() == 8 * 6 * 60
        assert sum(MinuteChunk.objects.values_list("count", flat=True)) == 8 * 24 * 60

    @pytest.mark.parametrize("at_once", [True, False], ids=["into chunks", "as rows"])
    def test_what_came_late_is_rolled_again_while_two_pack(
        self, monkeypatch: pytest.MonkeyPatch, at_once: bool
    ) -> None:
        monkeypatch.setattr(pack, "PORTION", 1)
        ids = fill(4, 30)
        pushed = 20

        def late() -> None:
            for n in range(pushed):
                at_ms = AT_MS - 29 * HOUR_MS + n * MINUTE_MS
                stored = False
                while not stored:
                    with progress.held(progress.LATE) as held:
                        if held:
                            rows = [(pk, at_ms, 7 + n, n, n, n, n, 0, n, 0, 0.0) for pk in ids]
                            buckets.store_minutes(pack.into_chunks(pack.MINUTES, rows) if at_once else rows)
                            stored = True

        def pack_often() -> None:
            for _ in range(pushed):
                pack.pack(AT)

        self.together(late, pack_often, pack_often)
        for columns in packed.lists(packed.MINUTES, ids, AT_MS - 29 * HOUR_MS, 2**60).values():
            assert columns[1][:pushed] == list(range(7, 7 + pushed))
            assert set(columns[1][pushed:]) == {6}
