"""A window in steps, read from the tier that fits.

Hours where a step is long enough for them, minutes where it is not, every sample where it is shorter still. The newest
end of a window is not rolled yet, and comes from the finer tiers; where a finer tier is pruned already, its place is
taken by the coarser one.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from metrics.models import HourRollup, MinuteRollup, Sample
from metrics.series import minutes, progress, raw
from metrics.series.arrays import array
from metrics.series.tiers import HOUR_MS, MINUTE_MS, floor

COARSE_STEPS = 10
"""A step that is no whole number of buckets is made of at least so many: what is at its edges hardly counts then."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Step:
    """What the samples of one series amount to in the step that begins at `at` (Unix seconds).

    `last_at` is when the last of them was.
    """

    at: float
    count: int
    sum: float
    min: float
    max: float
    last: float
    last_at: float

    @property
    def mean(self) -> float:
        return self.sum / self.count


@dataclass(frozen=True, slots=True)
class Tier:
    """A table of buckets: how long they are, where it holds them, and what stands there for all that a step tells.

    `done`, `pruned` and `packed` are the names of how far that got; what is never packed has none.
    """

    bucket_ms: int
    table: str
    columns: tuple[str, str, str, str, str, str]
    done: str
    pruned: str
    packed: str


_COLUMNS = ("sum(x.count)", "sum(x.sum)", "min(x.min)", "max(x.max)", "last", "at_ms + y.last_after_ms")
RAW = Tier(
    1,
    Sample._meta.db_table,
    ("count(*)", "sum(x.value)", "min(x.value)", "max(x.value)", "value", "at_ms"),
    "",
    progress.RAW_PRUNED,
    progress.PACKED,
)
MINUTES = Tier(
    MINUTE_MS,
    MinuteRollup._meta.db_table,
    _COLUMNS,
    progress.MINUTES,
    progress.MINUTES_PRUNED,
    progress.MINUTES_PACKED,
)
HOURS = Tier(HOUR_MS, HourRollup._meta.db_table, _COLUMNS, progress.HOURS, "", "")

Told = tuple[Any, ...]
"""Count and sum; where everything is wanted also min, max, last, and when that was (Unix milliseconds)."""
Found = dict[int, dict[int, Told]]
"""Series id -> number of the step -> what it amounts to."""
Far = Mapping[str, int]
"""How far rolling, packing and pruning have got, in Unix milliseconds."""
Piece = tuple[Tier, int, int]
"""What to read from when to when, in Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of `step_ms`, numbered from the one that begins at `start_ms`, long ago. `whole`: all is told of them."""

    start_ms: int
    step_ms: int
    whole: bool

    @classmethod
    def of(cls, start_ms: int, step_ms: int, *, whole: bool) -> "Grid":
        """Return the grid in which a step begins at `start_ms`."""
        return cls(start_ms % step_ms, step_ms, whole)

    def fits(self, tier: Tier) -> bool:
        """Return whether buckets of `tier` can be put together to these steps."""
        if self.step_ms % tier.bucket_ms == 0 and self.start_ms % tier.bucket_ms == 0:
            return True
        return self.step_ms >= COARSE_STEPS * tier.bucket_ms

    def number(self, at_ms: int) -> int:
        return (at_ms - self.start_ms) // self.step_ms

    def begin_ms(self, number: int) -> int:
        return self.start_ms + number * self.step_ms

    def at(self, number: int) -> float:
        return self.begin_ms(number) / 1000


def step(grid: Grid, number: int, told: Told) -> Step:
    """Return the step of that number, of which everything was told."""
    count, total, low, high, last, last_at_ms = told
    return Step(grid.at(number), count, total, low, high, last, last_at_ms / 1000)


def read(ids: Sequence[int], grid: Grid, start_ms: int, end_ms: int, far: Far) -> Found:
    """Read start ≤ t < end of the series `ids`; again, if something was packed away under it."""
    if not ids or start_ms >= end_ms:
        return {}
    for _ in range(TRIES):
        pieces = _pieces([tier for tier in (HOURS, MINUTES) if grid.fits(tier)], start_ms, end_ms, far)
        fillers = _fillers(grid, start_ms, end_ms, far)
        found: Found = {}
        for piece in pieces:
            _join(found, _piece(*piece, ids, grid, far))
        for filler in fillers:
            _fill(found, _piece(*filler, ids, grid, far))
        may_move = {tier.packed for tier, *_ in (*pieces, *fillers) if tier.packed}
        before, far = far, progress.all_until_ms() if may_move else far
        if all(before.get(packed) == far.get(packed) for packed in may_move):
            break
    return found


def joined(earlier: Mapping[int, Told], later: Mapping[int, Told]) -> dict[int, Told]:
    """Return the steps of two stretches of time, the one behind the other; a step that is in both is made of both."""
    steps = dict(earlier)
    for number, told in later.items():
        steps[number] = _both(steps[number], told) if number in steps else told
    return steps


def _fillers(grid: Grid, start_ms: int, end_ms: int, far: Far) -> list[Piece]:
    """Return the tiers that fill the place of a finer one as far as that is pruned, as `_pieces` does."""
    until = [
        (tier, min(far.get(finer.pruned, 0), floor(end_ms, tier.bucket_ms)))
        for finer, tier in ((RAW, MINUTES), (MINUTES, HOURS))
        if not grid.fits(tier)
    ]
    return [(tier, start_ms, pruned_ms) for tier, pruned_ms in until if pruned_ms > start_ms]


def _pieces(tiers: Sequence[Tier], start_ms: int, end_ms: int, far: Far) -> list[Piece]:
    """Return which tier to read from when to when: the first of `tiers` as far as it goes, around it the others."""
    if start_ms >= end_ms:
        return []
    if not tiers:
        return [(RAW, start_ms, end_ms)]
    tier, finer = tiers[0], tiers[1:]
    low = -floor(-start_ms, tier.bucket_ms)
    high = min(floor(end_ms, tier.bucket_ms), far.get(tier.done, 0))
    if low >= high:
        return _pieces(finer, start_ms, end_ms, far)
    return [*_pieces(finer, start_ms, low, far), (tier, low, high), *_pieces(finer, high, end_ms, far)]


def _piece(tier: Tier, since_ms: int, until_ms: int, ids: Sequence[int], grid: Grid, far: Far) -> Found:
    packed_ms = min(max(far.get(tier.packed, 0), since_ms), until_ms)
    found = _grouped(tier, ids, grid, packed_ms, until_ms) if packed_ms < until_ms else {}
    if since_ms < packed_ms:
        unpacked = _unpacked if tier is RAW else _unpacked_minutes
        before = unpacked(ids, grid, since_ms, packed_ms)
        _join(before, found)
        return before
    return found


def _grouped(tier: Tier, ids: Sequence[int], grid: Grid, since_ms: int, until_ms: int) -> Found:
    """Have the database put buckets together to steps."""
    count, total, low, high, last, last_at_ms = tier.columns
    number = f"(x.at_ms - {grid.start_ms}) / {grid.step_ms}"  # towards zero, so nothing may be before the grid
    on_postgresql = connection.vendor == "postgresql"
    which = "= ANY(%s::bigint[])" if on_postgresql else f"IN ({', '.join(['%s'] * len(ids))})"
    sql = f"""
        SELECT x.series_id, {number} AS number, {count} AS n, {total} AS total
        {f", {low} AS low, {high} AS high, max(x.at_ms) AS newest" if grid.whole else ""}
        FROM {tier.table} x WHERE x.series_id {which} AND x.at_ms >= %s AND x.at_ms < %s GROUP BY 1, 2"""
    if grid.whole:
        of_newest = f"FROM {tier.table} y WHERE y.series_id = g.series_id AND y.at_ms = g.newest"
        sql = f"""
            SELECT g.series_id, g.number, g.n, g.total, g.low, g.high,
                (SELECT y.{last} {of_newest}), (SELECT y.{last_at_ms} {of_newest})
            FROM ({sql}) g"""
    found: Found = {pk: {} for pk in ids}
    with connection.cursor() as cursor:
        cursor.execute(sql, [*([array(ids)] if on_postgresql else ids), since_ms, until_ms])
        for pk, number_, *told in cursor.fetchall():
            found[pk][number_] = tuple(told)
    return found


def _unpacked(ids: Sequence[int], grid: Grid, since_ms: int, until_ms: int) -> Found:
    """Put samples together to steps here: the database can't look into chunks."""
    found: Found = {}
    for pk, samples in raw.samples(ids, since_ms, until_ms).items():
        numbered: dict[int, list[tuple[int, float]]] = {}
        for at_ms, value in samples:
            numbered.setdefault(grid.number(at_ms), []).append((at_ms, value))
        found[pk] = {number: _told(grid, some) for number, some in numbered.items()}
    return found


def _unpacked_minutes(ids: Sequence[int], grid: Grid, since_ms: int, until_ms: int) -> Found:
    """Put minutes together to steps here."""
    width = len(minutes.COLUMNS) if grid.whole else minutes.MEAN
    found: Found = {}
    for pk, columns in minutes.columns(ids, since_ms, until_ms, width).items():
        times, steps, begin = columns[0], found.setdefault(pk, {}), 0
        start_ms, step_ms, count = grid.start_ms, grid.step_ms, len(times)
        while begin < count:
            number = (times[begin] - start_ms) // step_ms
            end = bisect_left(times, start_ms + (number + 1) * step_ms, begin)
            steps[number] = minutes.told(columns, begin, end)
            begin = end
    return found


def _told(grid: Grid, samples: list[tuple[int, float]]) -> Told:
    values = [value for _, value in samples]
    told = (len(values), sum(values))
    last_at_ms, last = samples[-1]
    return (*told, min(values), max(values), last, last_at_ms) if grid.whole else told


def _join(found: Found, later: Found) -> None:
    """Put `later` behind what was found before."""
    for pk, numbered in later.items():
        found[pk] = joined(found[pk], numbered) if found.get(pk) else numbered


def _both(earlier: Told, later: Told) -> Told:
    count, total = earlier[0] + later[0], earlier[1] + later[1]
    if len(later) == 2:
        return count, total
    return count, total, min(earlier[2], later[2]), max(earlier[3], later[3]), *later[4:]


def _fill(found: Found, coarser: Found) -> None:
    """Put steps of a coarser tier before the first that was found, and in its place if that one is cut off."""
    for pk, numbered in coarser.items():
        steps = found.setdefault(pk, {})
        first = min(steps, default=None)
        for number, told in numbered.items():
            if first is None or number < first or (number == first and told[0] > steps[number][0]):
                steps[number] = told
