"""Rolling, packing and pruning in any order, while samples come in any order: what is read is what was written."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise, starmap
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from metrics.models import Chunk, HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress, Sample, Series
from metrics.sample import Sample as SampleOf
from metrics.series import pack, packed, prune, raw, reader, rollup, step_cache
from metrics.series.growth import rise
from metrics.series.newest import newest
from metrics.series.read import Query
from metrics.series.step_cache import Point, Window
from metrics.series.steps import Step
from metrics.series.tiers import DAY_MS, HOUR_MS, MINUTE_MS, NEWEST_KEPT
from metrics.series.write import write
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

RAW_HOURS = 48
LATEST_MOST_S = 40 * 3600
NAMES = ("a", "b")
Rolled = list[tuple[Any, ...]]
"""Rows with the columns that `buckets.COLUMNS` names."""
JOBS = {"roll": rollup.roll, "pack": pack.pack, "prune": prune.prune}


@dataclass
class World:
    """Samples that were written, as a plain dict, and the clock."""

    now: float = AT
    written: dict[str, dict[int, float]] = field(default_factory=lambda: {name: {} for name in NAMES})
    number: float = 0

    def push(self, name: str, ages_s: list[int]) -> None:
        """Have samples come that are so many seconds old; each has another value, and what is there already stays."""
        samples = []
        for age_s in ages_s:
            self.number += 1
            samples.append(SampleOf(name, self.number, {}, self.now - age_s))
            self.written[name].setdefault(round((self.now - age_s) * 1000), self.number)
        write(samples, None, self.now)

    def check_raw(self) -> None:
        since_ms = round(self.now * 1000) - RAW_HOURS * HOUR_MS
        for name, pk in Series.objects.values_list("metric", "pk"):
            held = dict(raw.samples([pk], 0, 2**60).get(pk, []))
            expected = {at_ms: value for at_ms, value in self.written[name].items() if at_ms >= since_ms}
            assert {at_ms: value for at_ms, value in held.items() if at_ms >= since_ms} == expected
            assert held.items() <= self.written[name].items()
            newest = sorted(self.written[name])[-NEWEST_KEPT:]
            assert set(newest) <= set(Sample.objects.filter(series=pk).values_list("at_ms", flat=True))

    def check_newest(self, ago_s: float) -> None:
        """Any moment is seen as it was, as far as samples are held."""
        since_ms, until_ms = round(self.now * 1000) - RAW_HOURS * HOUR_MS, round((self.now - ago_s) * 1000)
        for name, pk in Series.objects.values_list("metric", "pk"):
            expected = sorted(sample for sample in self.written[name].items() if sample[0] <= until_ms)
            for count in (1, 6):
                if expected[-count:] and expected[-count:][0][0] >= since_ms:
                    assert newest({pk: until_ms}, count)[pk] == expected[-count:][::-1]

    def check_steps(self) -> None:
        """A window from whatever tiers equals the one from what was written."""
        now_ms = round(self.now * 1000)
        for step_s, steps_back in ((10, 90), (60, 300), (180, 240), (3600, 200), (21600, 120)):
            step_ms = step_s * 1000
            start_ms, end_ms = now_ms // step_ms * step_ms - steps_back * step_ms, now_ms + 1
            for name, pk in Series.objects.values_list("metric", "pk"):
                window = {pk: Window(start_ms, end_ms, Series.objects.get(pk=pk).revision, start_ms)}
                found = step_cache.steps(window, step_ms).get(pk, [])
                assert found == self.steps_of(name, start_ms, end_ms, step_ms)
                extremes = step_cache.means(window, step_ms, extremes=True).get(pk, [])
                assert extremes == [
                    Point(step.at, step.mean, *((step.min, step.max) if step.count > 1 else ())) for step in found
                ]
                drawn = self.drawn(name, start_ms, end_ms, step_ms)
                assert drawn == [(step.at, step.mean) for step in found]

    def steps_of(self, name: str, start_ms: int, end_ms: int, step_ms: int) -> list[Step]:
        """Return the steps that what was written amounts to, told from every sample in turn."""
        steps: dict[float, Step] = {}
        before: tuple[float, float] | None = None
        for at_ms, value in sorted(self.written[name].items()):
            at = at_ms / 1000
            if start_ms <= at_ms < end_ms:
                begin = ((at_ms - start_ms) // step_ms * step_ms + start_ms) / 1000
                grown = rise(before[0], value) if before else 0.0
                old = steps.get(begin)
                if old is None:
                    steps[begin] = Step(begin, 1, value, value, value, value, at, grown, before[1] if before else at)
                else:
                    low, high = min(old.min, value), max(old.max, value)
                    told = (old.count + 1, old.sum + value, low, high, value, at, old.growth + grown, old.since)
                    steps[begin] = Step(begin, *told)
            before = value, at
        return [step for _, step in sorted(steps.items())]

    def drawn(self, name: str, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[float, float]]:
        (track,) = reader.window(Query(name), self.now, start_ms / 1000, end_ms / 1000, step_ms / 1000)
        return [(point.at, point.value) for point in track.points]

    def check_drawn(self, step_s: int) -> None:
        """A drawing from the cache equals one without it."""
        step_ms = step_s * 1000
        for back in (120, 40):
            start_ms = round(self.now) // step_s * step_ms - back * step_ms
            end_ms = start_ms + (back + 1) * step_ms
            before = {name: self.drawn(name, start_ms, end_ms, step_ms) for name in self.names()}
            step_cache.forget()
            assert before == {name: self.drawn(name, start_ms, end_ms, step_ms) for name in self.names()}

    def names(self) -> list[str]:
        return list(Series.objects.values_list("metric", flat=True))

    def check_rolled(self, rolled: Callable[[str], Rolled], step_ms: int, settled_ms: int) -> None:
        for name in NAMES:
            of_minute: dict[int, list[tuple[int, float]]] = {}
            for at_ms, value in sorted(self.written[name].items()):
                of_minute.setdefault(at_ms // step_ms * step_ms, []).append((at_ms, value))
            expected = [bucket_of(at_ms, samples) for at_ms, samples in of_minute.items() if at_ms < settled_ms]
            assert sorted(tuple(told) for told in rolled(name) if told[0] < settled_ms) == expected


def minutes_of(name: str) -> Rolled:
    pk = Series.objects.filter(metric=name).values_list("pk", flat=True).first() or 0
    return list(zip(*packed.lists(packed.MINUTES, [pk], 0, 2**60).get(pk, []), strict=True))


def hours_of(name: str) -> Rolled:
    pk = Series.objects.filter(metric=name).values_list("pk", flat=True).first() or 0
    return list(zip(*packed.lists(packed.HOURS, [pk], 0, 2**60).get(pk, []), strict=True))


def bucket_of(begin_ms: int, samples: list[tuple[int, float]]) -> tuple[float, ...]:
    values = [value for _, value in samples]
    told = (begin_ms, len(values), sum(values), min(values), max(values), values[-1], samples[-1][0] - begin_ms)
    return (*told, values[0], samples[0][0] - begin_ms, sum(starmap(rise, pairwise(values))))


def clear() -> None:
    for table in (Sample, Chunk, MinuteRollup, MinuteChunk, HourRollup, HourChunk, Late, Progress, Series):
        table._default_manager.all().delete()


AGES = st.one_of(st.integers(0, 120), st.integers(0, 4 * 3600), st.integers(0, LATEST_MOST_S))
PUSHES = st.tuples(st.sampled_from(NAMES), st.lists(AGES.map(lambda age: age // 20 * 20), min_size=1, max_size=30))
PAUSES = st.sampled_from([20, 60, 400, 3600, 7200, 20 * 3600])
STEPS = st.lists(st.one_of(PUSHES, PAUSES, st.sampled_from(list(JOBS))), max_size=16)
AGO_S = (1800, 4 * 3600, 30 * 3600)
"""How far back one looks, besides at the present, after each step another."""


@pytest.fixture
def _retention(settings: Settings) -> None:
    settings.RAW_RETENTION_HOURS = RAW_HOURS


@pytest.mark.usefixtures("_retention")
@hypothesis_settings(suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_happens_what_is_held_is_what_was_written(steps: list[object]) -> None:
    clear()
    world = World()
    rollup.roll(world.now)
    for number, step in enumerate(steps):
        if isinstance(step, int):
            world.now += step
        elif isinstance(step, str):
            JOBS[step](world.now)
        else:
            world.push(*step)  # type: ignore[misc]
        world.check_raw()
        for ago_s in (0, AGO_S[number % len(AGO_S)]):
            world.check_newest(ago_s)
        world.check_drawn((10, 60, 180, 3600)[number % 4])
    for job in JOBS.values():
        job(world.now)
    world.check_raw()
    settled_ms = round((world.now - 360) * 1000) // MINUTE_MS * MINUTE_MS
    world.check_rolled(minutes_of, MINUTE_MS, settled_ms)
    world.check_rolled(hours_of, HOUR_MS, settled_ms // HOUR_MS * HOUR_MS)
    assert not Late.objects.exists()
    world.check_steps()


class TestPacking:
    def fill(self, hours: int, every_s: int = 60) -> World:
        world = World()
        rollup.roll(world.now)
        for _ in range(hours * 3600 // every_s):
            world.now += every_s
            world.push("a", [0])
        rollup.roll(world.now)
        return world

    def test_what_is_older_than_hot_is_packed(self) -> None:
        world = self.fill(5)
        pack.pack(world.now)
        assert [(one.start_ms - AT * 1000, one.count) for one in Chunk.objects.all()] == [(0, 119)]
        assert Sample.objects.count() == 181
        world.check_raw()

    def test_in_portions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pack, "PORTION", 1)
        world = self.fill(4, 600)
        for name in "bcde":
            world.written[name] = {}
            world.push(name, list(range(0, 4 * 3600, 600)))
        spare = iter([True] * 4)
        pack.pack(world.now, lambda: next(spare, False))
        assert 0 < Chunk.objects.values("series").distinct().count() < 5
        pack.pack(world.now)
        assert Chunk.objects.values("series").distinct().count() == 5
        world.check_raw()

    def test_what_is_not_rolled_is_not_packed(self) -> None:
        world = self.fill(5)
        Progress.objects.filter(name="hours").update(until_ms=round(AT * 1000) - 1)
        pack.pack(world.now)
        assert not Chunk.objects.exists()

    def test_the_newest_samples_stay_rows(self) -> None:
        world = self.fill(1)
        world.now += 10 * 3600
        rollup.roll(world.now)
        pack.pack(world.now)
        assert Sample.objects.count() == NEWEST_KEPT
        world.check_raw()

    def test_what_comes_for_a_packed_span_joins_it_in_the_next_round(self) -> None:
        world = self.fill(5)
        pack.pack(world.now)
        world.push("a", [4 * 3600 + 7, 4 * 3600])
        world.check_raw()
        world.now += 2 * 3600
        rollup.roll(world.now)
        pack.pack(world.now)
        assert Chunk.objects.get(start_ms=round(AT * 1000)).count == 120
        world.check_raw()


class TestPruning:
    def old(self, hours: float) -> World:
        world = World()
        rollup.roll(world.now)
        for age_s in range(3600, 0, -60):
            world.push("a", [age_s])
        world.now += hours * 3600
        rollup.roll(world.now)
        pack.pack(world.now)
        return world

    @pytest.mark.parametrize(("hours", "chunks"), [(46, 1), (50, 0)])
    def test_samples_go_after_their_time_but_for_the_newest(self, hours: float, chunks: int) -> None:
        world = self.old(hours)
        prune.prune(world.now)
        assert (Chunk.objects.count(), Sample.objects.count()) == (chunks, NEWEST_KEPT)
        assert len(minutes_of("a")) == 60

    @pytest.mark.parametrize(("days", "left"), [(29, 60), (31, 0)])
    def test_minutes_go_after_theirs(self, days: int, left: int) -> None:
        world = self.old(24 * days)
        prune.prune(world.now)
        assert (len(minutes_of("a")), len(hours_of("a"))) == (left, 1)
        assert (MinuteRollup.objects.count(), MinuteChunk.objects.count()) == (0, left // 60)

    def test_a_source_may_keep_its_own_longer(self) -> None:
        source = make.source()
        source.raw_retention_hours = 24 * 40
        source.minute_retention_days = 50
        source.save()
        world = self.old(24 * 35)
        Series.objects.update(source=source)
        prune.prune(world.now)
        assert (Chunk.objects.count(), len(minutes_of("a"))) == (1, 60)

    def test_what_is_not_rolled_stays(self) -> None:
        world = World()
        rollup.roll(world.now)
        world.push("a", list(range(600)))
        world.now += 10 * DAY_MS / 1000
        prune.prune(world.now)
        assert Sample.objects.count() == 600

    def test_what_a_note_needs_stays(self) -> None:
        world = self.old(50)
        series = Series.objects.get()
        Late.objects.create(series=series, at_ms=AT * 1000 - HOUR_MS)
        prune.prune(world.now)
        assert Chunk.objects.exists()

    def test_a_series_goes_when_nothing_is_left_of_it(self) -> None:
        world = self.old(24 * 729)
        Series.objects.update(created_at="2020-01-01T00:00:00Z")
        prune.prune(world.now)
        assert Series.objects.exists()
        world.now += 48 * 3600
        rollup.roll(world.now)
        prune.prune(world.now)
        assert not Series.objects.exists()
        assert not Sample.objects.exists()

    def test_samples_without_a_series_go(self) -> None:
        world = self.old(1)
        Sample.objects.create(series_id=Series.objects.get().pk + 1, at_ms=1, value=1)
        Sample.objects.create(series_id=Series.objects.get().pk - 1, at_ms=1, value=1)
        kept = Sample.objects.count() - 2
        prune.prune(world.now)
        assert Sample.objects.count() == kept

    def test_once_an_hour(self) -> None:
        world = self.old(47)
        prune.prune(world.now)
        Progress.objects.filter(name="raw pruned").update(until_ms=0)
        prune.prune(world.now + 1800)
        assert Progress.objects.get(name="raw pruned").until_ms == 0
        prune.prune(world.now + 3600)
        assert Progress.objects.get(name="raw pruned").until_ms > 0


@pytest.mark.django_db(transaction=True)
def test_whoever_writes_has_a_turn_after_each_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two portions nothing is held: somebody else's sample is stored before the next one begins."""
    monkeypatch.setattr(prune, "ROWS_MOST", 50)
    world = World()
    rollup.roll(world.now)
    for _ in range(3):
        world.push("a", list(range(0, 7200, 30)))
        world.now += 24 * 3600
    stored: list[float] = []

    def store() -> None:
        try:
            write([SampleOf("b", 1, {}, world.now + len(stored))], None, world.now + len(stored))
            stored.append(1)
        finally:
            connection.close()

    def has_time() -> bool:
        writer = threading.Thread(target=store)
        writer.start()
        writer.join(5)
        assert not writer.is_alive()
        return True

    for job in JOBS.values():
        job(world.now, has_time)
    assert Sample.objects.filter(series__metric="b").count() == len(stored) > 20
