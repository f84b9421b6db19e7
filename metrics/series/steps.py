"""A window in steps, read from the tier that fits.

Hours where a step is long enough for them, minutes where it is not, every sample where it is shorter still. The newest
end of a window is not rolled yet, and comes from the finer tiers; where a finer tier is pruned already, its place is
taken by the coarser one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from msgspec import Struct

from metrics.series import grouping, late, packed, progress
from metrics.series.arrays import array
from metrics.series.grouping import Rows
from metrics.series.growth import rise
from metrics.series.tiers import HOUR_MS, MINUTE_MS, floor

if TYPE_CHECKING:
    from metrics.series.columns import Columns

COARSE_STEPS = 10
"""A step that is no whole number of buckets is made of at least so many: what is at its edges hardly counts then."""
TRIES = 5


class Step(Struct, frozen=True, gc=False):
    """Aggregates of the samples of one series in the step that begins at `at`; times are Unix seconds.

    `last_at` is when the last of them was. `growth` is by how much a counter grew until then since `since`, which is
    the last sample before the step, or the first one in it if there is none before.
    """

    at: float
    count: int
    sum: float
    min: float
    max: float
    last: float
    last_at: float
    growth: float
    since: float

    @property
    def mean(self) -> float:
        return self.sum / self.count


@dataclass(frozen=True, slots=True)
class Tier:
    """Buckets of one length: the rows that hold them, and how chunks do.

    `done`, `pruned` and `packed` are the names of how far that got.
    """

    bucket_ms: int
    rows: Rows
    kind: packed.Kind
    done: str
    pruned: str
    packed: str


RAW = Tier(1, grouping.SAMPLES, packed.SAMPLES, "", progress.RAW_PRUNED, progress.PACKED)
MINUTES = Tier(
    MINUTE_MS, grouping.MINUTES, packed.MINUTES, progress.MINUTES, progress.MINUTES_PRUNED, progress.MINUTES_PACKED
)
LATE = replace(MINUTES, done="")
"""Minutes of which some are not rolled yet, because a sample came late."""
HOURS = Tier(HOUR_MS, grouping.HOURS, packed.HOURS, progress.HOURS, "", progress.HOURS_PACKED)

StepValues = tuple[Any, ...]
"""Count and sum; where extremes are wanted also min and max; where everything is also last, when that was (Unix
milliseconds), first, when that was, and the growth between those two."""
Found = dict[int, dict[int, StepValues]]
"""Series id -> number of the step -> what it amounts to."""
Far = Mapping[str, int]
"""How far rolling, packing and pruning have got, in Unix milliseconds."""
Piece = tuple[Tier, int, int]
"""Part of a window: the tier to read, from when and to when, in Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of `step_ms`, numbered from the one that begins at `start_ms`, long ago.

    `whole`: all is told of them. `extremes`: the least and the greatest sample are, besides the mean.
    """

    start_ms: int
    step_ms: int
    whole: bool
    extremes: bool = False

    @classmethod
    def of(cls, start_ms: int, step_ms: int, *, whole: bool, extremes: bool = False) -> "Grid":
        """Return the grid in which a step begins at `start_ms`."""
        return cls(start_ms % step_ms, step_ms, whole, extremes)

    @property
    def width(self) -> int | None:
        """How many columns of buckets tell of a step what is wanted; None for all."""
        return None if self.whole else packed.EXTREMES if self.extremes else packed.MEAN

    def fits(self, tier: Tier) -> bool:
        """Return whether buckets of `tier` can be put together to these steps."""
        return self._parts(tier) or self.step_ms >= COARSE_STEPS * tier.bucket_ms

    @property
    def cuts(self) -> bool:
        """Whether a step may begin in the midst of a bucket of which it is made."""
        return any(self.fits(tier) and not self._parts(tier) for tier in (HOURS, MINUTES))

    def _parts(self, tier: Tier) -> bool:
        return self.step_ms % tier.bucket_ms == 0 and self.start_ms % tier.bucket_ms == 0

    def number(self, at_ms: int) -> int:
        return (at_ms - self.start_ms) // self.step_ms

    def begin_ms(self, number: int) -> int:
        return self.start_ms + number * self.step_ms

    def at(self, number: int) -> float:
        return (self.start_ms + number * self.step_ms) / 1000


def step(grid: Grid, number: int, step_values: StepValues, before: tuple[float, float] | None) -> Step:
    """Return the step of that number, of which everything was told.

    `before` is the last sample before it, its value and Unix seconds.
    """
    count, total, low, high, last, last_at_ms, first, first_at_ms, grown = step_values
    since = first_at_ms / 1000
    if before is not None:
        grown, since = grown + rise(before[0], first), before[1]
    return Step(grid.at(number), count, total, low, high, last, last_at_ms / 1000, grown, since)


def read(ids: Sequence[int], grid: Grid, start_ms: int, end_ms: int, far: Far) -> Found:
    """Read start ≤ t < end of the series `ids`; again, if something was packed away under it."""
    if not ids or start_ms >= end_ms:
        return {}
    for _ in range(TRIES):
        begin_ms, until_ms = (edge_ms(at_ms, grid, far) for at_ms in (start_ms, end_ms))
        pieces = _pieces([tier for tier in (HOURS, MINUTES) if grid.fits(tier)], begin_ms, until_ms, far)
        fillers = _fillers(grid, start_ms, end_ms, far)
        found: Found = {}
        noted = late.stretches(ids, begin_ms, until_ms) if any(tier is not RAW for tier, *_ in pieces) else {(): ids}
        for stretches, some in noted.items():
            for piece in _around(stretches, pieces):
                _join(found, _piece(*piece, some, grid, far))
        for filler in fillers:
            _fill(found, _piece(*filler, ids, grid, far))
        may_move = {tier.packed for tier, *_ in (*pieces, *fillers)}
        before, far = far, progress.all_until_ms() if may_move else far
        if all(before.get(packed) == far.get(packed) for packed in may_move):
            break
    return found


def edge_ms(at_ms: int, grid: Grid, far: Far) -> int:
    """Return where to cut at `at_ms`: a bucket of which finer parts are pruned counts as a whole, where it begins."""
    for finer, tier in ((RAW, MINUTES), (MINUTES, HOURS)):
        if grid.fits(tier) and floor(at_ms, tier.bucket_ms) < far.get(finer.pruned, 0):
            at_ms = -floor(-at_ms, tier.bucket_ms)
    return at_ms


def joined(earlier: Mapping[int, StepValues], later: Mapping[int, StepValues]) -> dict[int, StepValues]:
    """Return the steps of two stretches of time, the one behind the other; a step that is in both is made of both."""
    steps = dict(earlier)
    for number, step_values in later.items():
        steps[number] = _both(steps[number], step_values) if number in steps else step_values
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


def _around(stretches: Sequence[late.Stretch], pieces: Sequence[Piece]) -> list[Piece]:
    """Return `pieces`, but what lies in one of `stretches` from what will be rolled of it."""
    if not stretches:
        return list(pieces)
    found: list[Piece] = []
    for tier, since_ms, until_ms in pieces:
        for begin_ms, end_ms in stretches if tier is not RAW else ():
            low_ms, high_ms = max(begin_ms, since_ms), min(end_ms, until_ms)
            if low_ms < high_ms:
                found += [(tier, since_ms, low_ms), (LATE, low_ms, high_ms)]
                since_ms = high_ms
        found.append((tier, since_ms, until_ms))
    return [piece for piece in found if piece[1] < piece[2]]


def _piece(tier: Tier, since_ms: int, until_ms: int, ids: Sequence[int], grid: Grid, far: Far) -> Found:
    if tier is LATE:
        return _merged(late.settled(ids, since_ms, until_ms), tier.kind, grid)
    packed_ms = min(max(far.get(tier.packed, 0), since_ms), until_ms)
    found = _grouped(tier, ids, grid, packed_ms, until_ms) if packed_ms < until_ms else {}
    if since_ms < packed_ms:
        before = _unpacked(tier.kind, ids, grid, since_ms, packed_ms)
        _join(before, found)
        return before
    return found


def _grouped(tier: Tier, ids: Sequence[int], grid: Grid, since_ms: int, until_ms: int) -> Found:
    """Have the database put buckets together to steps."""
    on_postgresql = connection.vendor == "postgresql"
    which = "= ANY(%s::bigint[])" if on_postgresql else f"IN ({', '.join(['%s'] * len(ids))})"
    where = f"x.series_id {which} AND x.at_ms >= %s AND x.at_ms < %s"
    steps = grouping.sql(tier.rows, where, grid.start_ms, grid.step_ms, whole=grid.whole)
    extremes = ", low, high" if grid.whole or grid.extremes else ""
    ends = ", last, last_at_ms, first, first_at_ms, grown" if grid.whole else ""
    sql = f"SELECT series_id, number, n, total {extremes} {ends} FROM ({steps}) s"
    found: Found = {pk: {} for pk in ids}
    with connection.cursor() as cursor:
        cursor.execute(sql, [*([array(ids)] if on_postgresql else ids), since_ms, until_ms])
        for pk, number, *step_values in cursor.fetchall():
            found[pk][number] = tuple(step_values)
    return found


def _unpacked(kind: packed.Kind, ids: Sequence[int], grid: Grid, since_ms: int, until_ms: int) -> Found:
    """Put samples or buckets together to steps here: the database can't look into chunks."""
    width = None if kind is packed.SAMPLES else grid.width
    return _merged(packed.read(kind, ids, since_ms, until_ms, width), kind, grid)


def _merged(table: "Columns | None", kind: packed.Kind, grid: Grid) -> Found:
    """Put samples or buckets together to steps."""
    if table is None:
        return {}
    from metrics.series import columns

    if kind is packed.SAMPLES:
        table = columns.of_samples(table, grid.width or len(packed.MINUTES.columns))
    else:
        table = table.narrow(grid.width) if grid.width else columns.guessed(table)
    steps = columns.split(columns.grouped(table, grid.start_ms, grid.step_ms))
    return {
        pk: dict(zip(number, zip(*step_values, strict=True), strict=True))
        for pk, (number, *step_values) in steps.items()
    }


def _join(found: Found, later: Found) -> None:
    """Put `later` behind what was found before."""
    for pk, numbered in later.items():
        found[pk] = joined(found[pk], numbered) if found.get(pk) else numbered


def _both(earlier: StepValues, later: StepValues) -> StepValues:
    count, total = earlier[0] + later[0], earlier[1] + later[1]
    if len(later) == 2:
        return count, total
    low, high = min(earlier[2], later[2]), max(earlier[3], later[3])
    if len(later) == 4:
        return count, total, low, high
    last, _, first, first_at_ms, grown = earlier[4:]
    last2, last2_at_ms, first2, _, grown2 = later[4:]
    return count, total, low, high, last2, last2_at_ms, first, first_at_ms, grown + rise(last, first2) + grown2


def _fill(found: Found, coarser: Found) -> None:
    """Put steps of a coarser tier before the first that was found, and in its place if that one is cut off."""
    for pk, numbered in coarser.items():
        steps = found.setdefault(pk, {})
        first = min(steps, default=None)
        for number, step_values in numbered.items():
            if first is None or number < first or (number == first and step_values[0] > steps[number][0]):
                steps[number] = step_values
