"""Counters with known growth: over any window it is the truth, whatever the steps, the tier and the database are."""

import math
from collections.abc import Sequence
from itertools import pairwise, starmap
from random import Random
from typing import Any

import pytest
from django.db.models import Model
from hypothesis import given
from hypothesis import strategies as st

from metrics.models import Chunk, HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress, Sample, Series
from metrics.sample import Sample as Told
from metrics.series import buckets, calculate, columns, pack, packed, progress, reader, rollup, step_cache, steps
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.growth import rise
from metrics.series.read import Query
from metrics.series.vectors import np
from metrics.series.write import write
from tests.make import AT

pytestmark = pytest.mark.django_db

HOURS = 12
CASES: dict[str, list[tuple[int, float]]] = {
    "restarts every 10 minutes": [(60 * i, 10 * (i % 10)) for i in range(720)],
    "restarts every 25 minutes": [(60 * i, 10 * (i % 25)) for i in range(720)],
    "born in the window": [(60 * i, 10 * (i - 185)) for i in range(185, 720)],
    "a reset in an outage": [(60 * i, 10 * i + (1000 if i < 300 else -4110)) for i in range(720) if not 300 <= i < 420],
    "restarts within a minute": [(10 * i, (i * 7) % 23) for i in range(4320)],
}
"""Seconds after AT, value."""
WINDOWS = [
    (0, 43_200, 43_200),
    (0, 43_200, 21_600),
    (0, 43_200, 3600),
    (0, 43_200, 720),
    (0, 43_200, 60),
    (21_600, 21_600, 180),
    (10_860, 7200, 7200),
    (10_860, 7200, 90),
    (10_890, 3600, 3600),
    (10_890, 3600, 30),
    (39_600, 3600, 600),
    (42_300, 900, 900),
    (42_300, 900, 10),
]
"""Seconds after AT when a window begins, how long it is, and its step."""
LATER_S = (HOURS + 24 * 20) * 3600
"""After AT, when everything is packed."""


def truth(points: list[tuple[int, float]], start: float, end: float) -> float:
    """Return the growth that arrives in start ≤ t < end, seconds after AT."""
    return sum(rise(a[1], b[1]) for a, b in pairwise(points) if start <= b[0] < end)


def increase(start: float, end: float, step_s: float) -> tuple[float | None, float]:
    """Return the increase over a window, and the sum of that of its steps; times are seconds after AT."""
    step_cache.forget()
    window = Window(AT + LATER_S, AT + start, AT + end, step_s, AT + start)
    (found,) = calculate.tracks(Query("m"), Function("increase"), window, points=True)
    return None if found.latest is None else found.latest.value, sum(point.value for point in found.points)


def check(points: list[tuple[int, float]], least_step_s: int = 0) -> None:
    for start, length_s, step_s in WINDOWS:
        if step_s >= least_step_s and start % max(1, least_step_s) == 0:
            expected = truth(points, start, start + length_s)
            assert increase(start, start + length_s, step_s) == pytest.approx((expected, expected)), (start, step_s)


def tell(points: list[tuple[int, float]]) -> None:
    """Have the counter come as it is measured, an hour at a time, and all of it rolled."""
    rollup.roll(AT)
    for hour in range(HOURS):
        some = [Told("m", value, {}, AT + at, type="counter") for at, value in points if at // 3600 == hour]
        write(some, None, AT + hour * 3600)
        rollup.roll(AT + hour * 3600 + 600)
    rollup.roll(AT + (HOURS + 1) * 3600)


def pruned(*tables: type[Model], name: str) -> None:
    """Have nothing left in the tables; but for the newest sample, as pruning does."""
    newest_ms = Sample.objects.latest("at_ms").at_ms
    for table in tables:
        table._default_manager.exclude(**{"at_ms": newest_ms} if table is Sample else {}).delete()
    Progress.objects.update_or_create(name=name, defaults={"until_ms": round((AT + LATER_S) * 1000)})


@pytest.mark.parametrize("case", CASES)
def test_every_tier_tells_the_truth(case: str) -> None:
    points = CASES[case]
    tell(points)
    check(points)
    pack.pack(AT + LATER_S)
    assert (Chunk.objects.exists(), MinuteChunk.objects.exists()) == (True, True)
    check(points)
    pruned(Sample, Chunk, name=progress.RAW_PRUNED)
    check(points, 60)
    pruned(MinuteRollup, MinuteChunk, name=progress.MINUTES_PRUNED)
    check(points, 3600)


def test_the_same_samples_do_not_shrink_in_a_wider_range() -> None:
    """In one step, of which nothing is packed yet, and of a series that is all in it."""
    write([Told("m", value, {}, AT + at, type="counter") for at, value in CASES["restarts every 10 minutes"]], None, AT)
    assert {increase(0, 43_200, step_s) for step_s in (60, 720, 3600, 21_600, 43_200)} == {(6480, 6480)}
    assert increase(43_200 - 30 * 86_400, 43_200, 30 * 86_400) == (6480, 6480)


def test_what_a_reset_in_an_outage_leaves_counts() -> None:
    write([Told("m", value, {}, AT + at, type="counter") for at, value in ((0, 1000), (18_000, 390))], None, AT)
    assert increase(17_990, 18_010, 10) == (390, 390)
    assert increase(14_400, 21_600, 7200) == (390, 390)


def test_of_a_first_sample_nobody_knows_since_when_it_grew() -> None:
    write([Told("m", 1000, {}, AT, type="counter")], None, AT)
    assert increase(-60, 60, 60) == (None, 0)


COUNTER = st.lists(st.integers(0, 9), min_size=2, max_size=60)
CUTS = st.sets(st.integers(1, 59))


def told(values: list[float]) -> tuple[float, ...]:
    grown = sum(starmap(rise, pairwise(values)))
    return len(values), sum(values), min(values), max(values), values[-1], 0, values[0], 0, grown


@given(COUNTER, CUTS, st.randoms())
def test_any_counter_in_any_pieces_grows_the_same(values: list[float], cuts: set[int], dice: Random) -> None:
    """Pieces are put together in any order of neighbours."""
    ends = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    pieces = [told(values[begin:end]) for begin, end in pairwise(ends)]
    while len(pieces) > 1:
        place = dice.randrange(len(pieces) - 1)
        pieces[place : place + 2] = [steps.joined({0: pieces[place]}, {0: pieces[place + 1]})[0]]
    assert pieces == [told(values)]


@given(COUNTER, st.integers(1, 30), st.integers(1, 7))
def test_columns_grow_as_their_samples_do(values: list[float], length: int, minute: int) -> None:
    """Of two series, put together to buckets, and those to steps."""
    times = list(range(100, 100 + len(values)))
    ids = np.repeat(np.array([1, 2]), len(values))
    both = [np.array(times * 2), np.array([*values, *reversed(values)], float)]
    samples = columns.of_samples(columns.Columns(ids, both), len(buckets.COLUMNS))
    rows = columns.rows(columns.rolled(samples, minute))
    table = columns.Columns(
        np.array([row[0] for row in rows]), [np.array(column) for column in list(zip(*rows, strict=True))[1:]]
    )
    found = columns.split(columns.grouped(table, 0, minute * length))
    for pk, ordered in ((1, values), (2, list(reversed(values)))):
        grown = list(found[pk][-1])
        lasts, firsts = found[pk][5], found[pk][7]
        between = [rise(lasts[i], firsts[i + 1]) for i in range(len(grown) - 1)]
        assert sum(grown) + sum(between) == sum(starmap(rise, pairwise(ordered)))
        assert sum(found[pk][1]) == len(values)


def packed_hours(pk: int, rows: Sequence[buckets.Bucket]) -> tuple[int, list[tuple[Any, ...]]]:
    """Pack hours of a series; return how many bytes they are then, and what is read of them."""
    buckets.store_hours(rows)
    for name in (progress.MINUTES, progress.HOURS):
        Progress.objects.update_or_create(name=name, defaults={"until_ms": round(AT + LATER_S) * 1000})
    for _ in range(3):
        pack.pack(AT + LATER_S)
    assert HourRollup.objects.count() == 0
    held = packed.lists(packed.HOURS, [pk], 0, 2**60)[pk]
    return sum(len(bytes(chunk.data)) for chunk in HourChunk.objects.all()), list(zip(*held, strict=True))


def test_two_years_of_hours_of_a_noisy_counter_take_less_than_100_kb() -> None:
    """With restarts now and then; rows take 2.2 MB."""
    dice = Random(1)
    value, rows = 0.0, []
    write([Told("m", 1, {}, AT + LATER_S)], None, AT + LATER_S)
    pk = Series.objects.get().pk
    for hour in range(730 * 24):
        first = value if dice.random() > 0.01 else 0.0
        value = first + dice.randrange(3000, 5000)
        total = round(360 * (first + value) / 2)
        ends = (value, 3_590_000 + dice.randrange(30), first, dice.randrange(30), value - first)
        rows.append((pk, (round(AT) // 3600 - hour) * 3_600_000, 360, total, first, value, *ends))
    size, held = packed_hours(pk, rows)
    assert size < 100_000
    assert held == [row[1:] for row in sorted(rows)]


def test_two_years_of_hours_of_a_gauge_take_less_than_100_kb() -> None:
    """CPU in percent with one decimal: what tells how a counter grew is left out where a gauge was told.

    Each number is made up, and no hour tells anything of the next but by the time of day: that alone is 79 kB.
    """
    dice, rows = Random(1), []
    write([Told("m", 1, {}, AT + LATER_S, type="gauge")], None, AT + LATER_S)
    pk = Series.objects.get().pk
    for hour in range(730 * 24):
        mean = 30 + 20 * math.sin(hour / 24 * 2 * math.pi) + dice.gauss(0, 4)
        low, high, first, last = (round(mean + way * dice.expovariate(0.2), 1) for way in (-1, 1, 0.5, -0.5))
        ends = (last, 3_590_000 + dice.randrange(100), first, dice.randrange(100), round(dice.gauss(400, 60), 1))
        rows.append((pk, (round(AT) // 3600 - hour) * 3_600_000, 360, round(360 * mean, 1), low, high, *ends))
    size, held = packed_hours(pk, rows)
    assert size < 100_000
    assert [row[:6] for row in held] == [row[1:7] for row in sorted(rows)]
    assert all(row[6:8] == (0, pytest.approx(math.nan, nan_ok=True)) for row in held)


@pytest.mark.parametrize("far_s", [0, 30 * 3600], ids=["in rows", "packed"])
def test_what_is_not_rolled_yet_is_read_in_wide_steps_as_in_narrow_ones(far_s: int) -> None:
    """Samples that came late, before they are rolled, in windows of every tier; and afterwards."""
    points = CASES["born in the window"]
    on_time, backfilled = (
        [one for one in points if one[0] % 7200 < 3600],
        [one for one in points if one[0] % 7200 >= 3600],
    )
    tell(on_time)
    now = AT + HOURS * 3600 + far_s
    rollup.roll(now + 3600)
    pack.pack(now)
    write([Told("m", value, {}, AT + at, type="counter") for at, value in backfilled], None, now)
    assert Late.objects.exists()
    check(points)
    before = [counted(*window) for window in WINDOWS]
    rollup.roll(now + 3660)
    assert not Late.objects.exists()
    check(points)
    assert [counted(*window) for window in WINDOWS] == before


def counted(start: float, length_s: float, step_s: float) -> list[tuple[float, float]]:
    """Return the means of a window's steps."""
    step_cache.forget()
    found = reader.window(Query("m"), AT + LATER_S, AT + start, AT + start + length_s, step_s)[0]
    return [(point.at, point.value) for point in found.points]
