"""Counters with known growth: over any window it is the truth, whatever the steps, the tier and the database are."""

import base64
import math
from collections.abc import Sequence
from itertools import accumulate, pairwise, starmap
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from hypothesis import given
from hypothesis import strategies as st

from metrics.models import Chunk, HourChunk, HourRollup, Late, MinuteChunk, MinuteRollup, Progress, Sample, Series
from metrics.sample import Sample as SampleOf
from metrics.series import buckets, calculate, codec, columns, pack, packed, progress, reader, rollup, step_cache, steps
from metrics.series.calculate import Window
from metrics.series.functions import Function
from metrics.series.growth import fell, rise, sql_rise
from metrics.series.read import Query
from metrics.series.steps import COARSE_STEPS
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
    "idle, of many digits": [(60 * i, 53.27834123900001) for i in range(720)],
    "tenths, now and then": [(60 * i, math.fsum([0.1] * (i // 45)) + 0.2) for i in range(720)],
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
    (1830, 39_600, 39_600),
    (41_430, 900, 900),
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
    """Of buckets of `least_step_s` alone, those count that begin in a window, if steps are wide enough to cut them."""
    for start, length_s, step_s in WINDOWS:
        whole = least_step_s or 1
        if step_s >= whole and (start % whole == 0 or step_s >= COARSE_STEPS * whole):
            expected = truth(points, *(-(-at // whole) * whole for at in (start, start + length_s)))
            assert increase(start, start + length_s, step_s) == pytest.approx((expected, expected)), (start, step_s)


def tell(points: list[tuple[int, float]]) -> None:
    """Have the counter come as it is measured, an hour at a time, and all of it rolled."""
    rollup.roll(AT)
    for hour in range(HOURS):
        some = [SampleOf("m", value, {}, AT + at, type="counter") for at, value in points if at // 3600 == hour]
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
    pack.pack(AT + HOURS * 3600)
    assert (MinuteRollup.objects.exists(), MinuteChunk.objects.exists()) == (True, True)
    check(points)
    rollup.roll(AT + LATER_S)
    pack.pack(AT + LATER_S)
    assert (MinuteRollup.objects.exists(), HourRollup.objects.exists()) == (False, False)
    check(points)
    pruned(Sample, Chunk, name=progress.RAW_PRUNED)
    check(points, 60)
    pruned(MinuteChunk, name=progress.MINUTES_PRUNED)
    check(points, 3600)
    assert HourChunk.objects.exists()


def test_the_same_samples_do_not_shrink_in_a_wider_range() -> None:
    """In one step, of which nothing is packed yet, and of a series that is all in it."""
    write(
        [SampleOf("m", value, {}, AT + at, type="counter") for at, value in CASES["restarts every 10 minutes"]],
        None,
        AT,
    )
    assert {increase(0, 43_200, step_s) for step_s in (60, 720, 3600, 21_600, 43_200)} == {(6480, 6480)}
    assert increase(43_200 - 30 * 86_400, 43_200, 30 * 86_400) == (6480, 6480)


def test_what_a_reset_in_an_outage_leaves_counts() -> None:
    write([SampleOf("m", value, {}, AT + at, type="counter") for at, value in ((0, 1000), (18_000, 390))], None, AT)
    assert increase(17_990, 18_010, 10) == (390, 390)
    assert increase(14_400, 21_600, 7200) == (390, 390)


def test_of_a_first_sample_nobody_knows_since_when_it_grew() -> None:
    write([SampleOf("m", 1000, {}, AT, type="counter")], None, AT)
    assert increase(-60, 60, 60) == (None, 0)


EARLIER = (
    "BIIXrjP/AAAKBQAAABAAAAAQAAAAHAAAABwAAAAcAAAAHAAAABAAAAAcAAAAEAAAABwAAAAA6tP4oQEAAGDqAAAAAAAABgAAAAAAAAAAAAAAAAAAAHBjbyED"
    "AEIBBAEGBAAAABAAAABAHcTVnwMGAABwY28hAwBCAQQBBgQAAAAQAAAAWHwFHVUCBgAAcGNvIQMAQgEEAQYEAAAAEAAAAFh8BR1VAgYAAHBjbyEDAEIBBAEG"
    "BAAAABAAAABYfAUdVQIGAABQwwAAAAAAAAAAAAAAAAAAcGNvIQMAQgEEAQYEAAAAEAAAAFh8BR1VAgYAAAAAAAAAAAAAAAAAAAAAAABwY28hAwBCAQQBBgQA"
    "AAAQAAAAAAAAAAAABAAA"
)
"""Five minutes from AT on of a counter that stays at 53.27834123900001, packed when eleven digits were kept."""


def test_what_was_packed_in_eleven_digits_did_not_begin_again() -> None:
    """The last sample before it is known in all its digits, and so is the next one."""
    write([SampleOf("m", 53.27834123900001, {}, AT + at, type="counter") for at in (-60, 600)], None, AT + 600)
    tell([])
    data = base64.b64decode(EARLIER)
    begin = {"start_ms": round(AT) * 1000, "end_ms": round(AT + 240) * 1000, "count": 5}
    MinuteChunk.objects.create(series=Series.objects.get(), data=data, **begin)
    Progress.objects.update_or_create(name=progress.MINUTES_PACKED, defaults={"until_ms": round(AT + 600) * 1000})
    assert increase(0, 900, 60) == pytest.approx((0, 0), abs=1e-8)
    assert increase(0, 900, 900) == pytest.approx((0, 0), abs=1e-8)


PAIRS = [
    *((earlier, later) for earlier in (0, 1, 7.5, 1e300, -3, -1e-9) for later in (0, 1, 7, 8, 1e300, -4, -1e-9)),
    (53.27834123900001, 53.27834123885259),
    (53.27834123885259, 53.27834123900001),
    (0.30000000000000004, 0.3),
    (1e12, 1e12 - 1),
    (1e12, 1e12 - 1000),
]


def test_the_rule_is_the_same_in_sql_and_in_columns() -> None:
    expected = [rise(*pair) for pair in PAIRS]
    ids, ones = np.zeros(2, np.int64), np.ones(2, np.int64)
    for (earlier, later), grown in zip(PAIRS, expected, strict=True):
        samples = columns.Columns(ids, [np.arange(2), np.array([earlier, later], float)])
        (found,) = columns.grouped(columns.of_samples(samples, len(buckets.COLUMNS)), 0, 10).columns[-1]
        assert found == grown, (earlier, later)
        unknown = [np.arange(2), ones, ones, *(ones * value for value in (1.0, earlier, later))]
        unknown += [ones, ones * math.nan, ones, ones * math.nan]
        first, _, grown = (column[0] for column in columns.guessed(columns.Columns(ids, unknown)).columns[-3:])
        assert (first, grown) == ((earlier, later) if fell(earlier, later) else (1, later - 1)), (earlier, later)
    numbers = "CAST(%s AS double precision) AS earlier, CAST(%s AS double precision) AS later"
    with connection.cursor() as cursor:
        for pair, grown in zip(PAIRS, expected, strict=True):
            cursor.execute(f"SELECT {sql_rise('x.earlier', 'x.later')} FROM (SELECT {numbers}) x", pair)
            assert cursor.fetchone() == (grown,), pair


@given(st.floats(0, 1e15), st.integers(0, 6), st.data())
def test_a_number_of_eleven_digits_has_not_fallen(number: float, decimals: int, data: st.DataObject) -> None:
    """Nor has that number to one of them."""
    shortened = [float((np.array([number]).view(np.int64) & -(2**16)).view(np.float64)[0]), round(number, decimals)]
    near = [one for one in (number, *shortened) if abs(one - number) <= abs(number) * codec.ELEVEN_DIGITS]
    earlier, later = data.draw(st.tuples(st.sampled_from(near), st.sampled_from(near)))
    assert not fell(earlier, later)
    assert rise(earlier, later) == pytest.approx(0, abs=1e-10 * number)


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


GROWTHS = st.one_of(st.just(0.0), st.just(0.1), st.floats(0, 1e9), st.just(-1.0))
"""By how much a counter grows; -1: it begins again."""


@given(st.floats(0, 1e9), st.lists(GROWTHS, min_size=1, max_size=60), st.integers(1, 7), st.sets(st.integers(1, 59)))
def test_a_counter_grows_the_same_whatever_of_it_is_packed(
    begin: float, growths: list[float], minute: int, cuts: set[int]
) -> None:
    """Every other piece of its buckets is packed, and the next one is as it was."""
    values = list(accumulate(growths, lambda value, grown: 0.0 if grown < 0 else value + grown, initial=begin))
    samples = columns.Columns(np.zeros(len(values), np.int64), [np.arange(len(values)), np.array(values)])
    whole = columns.rolled(columns.of_samples(samples, len(buckets.COLUMNS)), minute)
    ends = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    grown, before = 0.0, None
    for place, (start, end) in enumerate(pairwise(ends)):
        piece = [column[start:end] for column in whole.columns]
        if place % 2:
            piece = codec.decode(codec.encode_buckets(piece), len(piece))
        for last, first, inside in zip(*(piece[at].tolist() for at in (5, 7, 9)), strict=True):
            grown += inside + (0.0 if before is None else rise(before, first))
            before = last
    expected = [rise(*pair) for pair in pairwise(values)]
    assert grown == pytest.approx(math.fsum(expected), rel=1e-9, abs=1e-6 * max(values) * 2**-30)
    if not any(expected):
        assert grown == 0


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
    write([SampleOf("m", 1, {}, AT + LATER_S)], None, AT + LATER_S)
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
    write([SampleOf("m", 1, {}, AT + LATER_S, type="gauge")], None, AT + LATER_S)
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
    write([SampleOf("m", value, {}, AT + at, type="counter") for at, value in backfilled], None, now)
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
