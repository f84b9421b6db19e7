"""A cache of steps that this process has read before, kept up by reading only what is newer.

Rolled steps stay as they are, except when a sample comes late: then the revision of its series changes. So a page that
is drawn again and again reads only what is newer than what was rolled when it was drawn the last time.

Windows of the past use what is remembered, and leave it alone: looking back never slows down the present.
"""

import threading
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any

from msgspec import Struct

from metrics.series import progress
from metrics.series.newest import newest
from metrics.series.steps import HOURS, MINUTES, Far, Grid, Step, StepValues, edge_ms, joined, read, step
from metrics.series.tiers import MINUTE_MS, floor

POINTS_MOST = 400_000
"""Of one process: 40 to 80 MB."""
SPARE = 4
"""How many windows more than the one that is drawn are remembered before they are trimmed."""


class Point(Struct, frozen=True, gc=False):
    """A value at a time (Unix seconds). In a window, the mean of the step that begins at `at`.

    `low` and `high` are the least and the greatest of what it is the mean of. They are None for a single sample, and
    where nobody asked for them or they are not known.
    """

    at: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which samples of a series are wanted, start ≤ t < end in Unix milliseconds, and its revision.

    From `exact_ms` on, where a step begins, nothing that is before it counts, though a bucket lies on both sides.
    """

    start_ms: int
    end_ms: int
    revision: int
    exact_ms: int


Before = tuple[float, float]
"""A value, and when it was (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """The steps of one series from `since_ms` to `until_ms`: finished ones as `points`, the last as what it is made of.

    `before` is the last sample before `since_ms`, where growth is told and there is one. It all holds for as
    long as `valid`, which is its revision and how far finer tiers were pruned, stays the same.
    """

    valid: tuple[int, ...]
    since_ms: int
    until_ms: int
    points: list[Any]
    last: dict[int, StepValues]
    before: Before | None

    def before_place(self, place: int) -> Before | None:
        """Return the last sample before the step at `place` of `points`, where growth is told."""
        if place == 0:
            return self.before
        point = self.points[place - 1]
        return (point.last, point.last_at) if isinstance(point, Step) else None


_Key = tuple[int, Grid]
_memories: "OrderedDict[_Key, _Memory]" = OrderedDict()
_lock = threading.Lock()
_size = 0


def means(wanted: Mapping[int, Window], step_ms: int, *, extremes: bool = False) -> dict[int, list[Point]]:
    """Return, by series id, the means of steps of `step_ms` that have samples in its window, oldest first.

    If `extremes`, each has the least and the greatest of its samples as well.
    """
    return _all(wanted, step_ms, whole=False, extremes=extremes)


def steps(wanted: Mapping[int, Window], step_ms: int) -> dict[int, list[Step]]:
    """Return the same with all that there is to tell of a step."""
    return _all(wanted, step_ms, whole=True)


def _all(wanted: Mapping[int, Window], step_ms: int, *, whole: bool, extremes: bool = False) -> dict[int, list[Any]]:
    if not wanted:
        return {}
    far = progress.all_until_ms()
    by_grid: dict[Grid, dict[int, Window]] = defaultdict(dict)
    for pk, window in wanted.items():
        by_grid[Grid.of(window.start_ms, step_ms, whole=whole, extremes=extremes)][pk] = window
    return {pk: points for grid, windows in by_grid.items() for pk, points in _of_grid(windows, grid, far).items()}


def _made(grid: Grid, step_values: Mapping[int, StepValues], before: Before | None) -> list[Any]:
    """Return the steps of `step_values` in order, as the cache keeps them; `before` is as in `_Memory`."""
    ordered = sorted(step_values.items())
    if not grid.whole:
        return [
            Point(grid.at(number), one[1]) if one[0] == 1 else Point(grid.at(number), one[1] / one[0], *one[2:])
            for number, one in ordered
        ]
    found = []
    for number, one in ordered:
        made = step(grid, number, one, before)
        before = made.last, made.last_at
        found.append(made)
    return found


def forget() -> None:
    """Forget everything."""
    global _size
    with _lock:
        _memories.clear()
        _size = 0


def _at(point: Point | Step) -> float:
    return point.at


def _of_grid(windows: Mapping[int, Window], grid: Grid, far: Far) -> dict[int, list[Any]]:
    known = {pk: _recall(pk, window, grid, far) for pk, window in windows.items()}
    known = _read_on(_with_before(known, grid, far), windows, grid, far)
    by_window: dict[tuple[int, int], list[int]] = defaultdict(list)
    for pk, window in windows.items():
        by_window[_from_ms(known[pk], window, grid), window.end_ms].append(pk)
    found: dict[int, list[Any]] = {}
    for (since_ms, end_ms), ids in by_window.items():
        newer = read(ids, grid, since_ms, end_ms, far)
        for pk in ids:
            found[pk] = _points(known[pk], newer.get(pk, {}), windows[pk], since_ms, grid)
    return found


def _valid(window: Window, grid: Grid, far: Far) -> tuple[int, ...]:
    cuts_ms = [
        far.get(name, 0)
        for tier, name in ((MINUTES, progress.RAW_PRUNED), (HOURS, progress.MINUTES_PRUNED))
        if not grid.fits(tier)
    ]
    return (window.revision, *(cut_ms for cut_ms in cuts_ms if cut_ms > window.start_ms))


def _is_past(window: Window, far: Far) -> bool:
    """Return whether all of `window` is rolled, so that there is nothing to come that it could be read on with."""
    return window.end_ms <= far.get(progress.MINUTES, 0)


def _recall(pk: int, window: Window, grid: Grid, far: Far) -> _Memory:
    """Return what is remembered of a series and holds for this window, else an empty memory that begins with it."""
    key = (pk, grid)
    valid = _valid(window, grid, far)
    with _lock:
        memory = _memories.get(key) if not grid.cuts else None
        if memory is not None and memory.valid == valid and memory.since_ms <= window.start_ms <= memory.until_ms:
            if not _is_past(window, far):
                _memories.move_to_end(key)
            return memory
    return _Memory(valid, window.start_ms, window.start_ms, [], {}, None)


def _with_before(known: Mapping[int, _Memory], grid: Grid, far: Far) -> dict[int, _Memory]:
    """Return `known` with the sample before each memory that just begins."""
    beginning = [pk for pk, one in known.items() if grid.whole and one.since_ms == one.until_ms]
    new = {pk: edge_ms(known[pk].since_ms, grid, far) - 1 for pk in beginning}
    found = newest(new, 1)
    return {
        pk: replace(one, before=(found[pk][0][1], found[pk][0][0] / 1000)) if pk in found else one
        for pk, one in known.items()
    }


def _read_on(known: Mapping[int, _Memory], windows: Mapping[int, Window], grid: Grid, far: Far) -> dict[int, _Memory]:
    """Bring what is remembered up to what is rolled by now, or to the end of its window where that is earlier.

    Steps that cut buckets are exact where a window begins alone, and so they are of use for no other.
    """
    rolled_ms = far.get(progress.MINUTES, 0)
    by_gap: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for pk, memory in known.items():
        window = windows[pk]
        until_ms = floor(min(rolled_ms, window.end_ms), MINUTE_MS)
        if until_ms > memory.until_ms:
            is_cut = grid.cuts and memory.until_ms < window.exact_ms < until_ms
            by_gap[memory.until_ms, *([window.exact_ms] if is_cut else []), until_ms].append(pk)
    after = dict(known)
    for edges_ms, ids in by_gap.items():
        found = [read(ids, grid, since_ms, until_ms, far) for since_ms, until_ms in pairwise(edges_ms)]
        for pk in ids:
            step_values = reduce(joined, [one.get(pk, {}) for one in found])
            after[pk] = _extended(_trimmed(known[pk], windows[pk]), step_values, edges_ms[-1], grid)
            if not grid.cuts and not _is_past(windows[pk], far):
                _store(pk, after[pk], grid)
    return after


def _extended(memory: _Memory, found: Mapping[int, StepValues], until_ms: int, grid: Grid) -> _Memory:
    steps = joined(memory.last, found)
    last = grid.number(until_ms - 1)
    finished = {number: step_values for number, step_values in steps.items() if number < last}
    points = _made(grid, finished, memory.before_place(len(memory.points)))
    left = {number: step_values for number, step_values in steps.items() if number >= last}
    return replace(memory, until_ms=until_ms, points=memory.points + points, last=left)


def _trimmed(memory: _Memory, window: Window) -> _Memory:
    """Return `memory` without what lies so far back that no widget of this range shows it."""
    keep_ms = window.start_ms - SPARE * (window.end_ms - window.start_ms)
    if memory.since_ms >= keep_ms:
        return memory
    place = bisect_left(memory.points, window.start_ms / 1000, key=_at)
    return replace(memory, since_ms=window.start_ms, points=memory.points[place:], before=memory.before_place(place))


def _store(pk: int, memory: _Memory, grid: Grid) -> None:
    global _size
    key = (pk, grid)
    with _lock:
        before = _memories.pop(key, None)
        _memories[key] = memory
        _size += len(memory.points) - (len(before.points) if before else 0)
        while _size > POINTS_MOST and len(_memories) > 1:
            _, oldest = _memories.popitem(last=False)
            _size -= len(oldest.points)


def _from_ms(memory: _Memory, window: Window, grid: Grid) -> int:
    """Return from when on a window has to be read: a step that its end cuts off is read as a whole."""
    if window.end_ms >= memory.until_ms:
        return memory.until_ms
    return max(window.start_ms, grid.begin_ms(grid.number(window.end_ms)))


def _points(memory: _Memory, newer: Mapping[int, StepValues], window: Window, since_ms: int, grid: Grid) -> list[Any]:
    begin, end = bisect_left(memory.points, window.start_ms / 1000, key=_at), len(memory.points)
    if since_ms == memory.until_ms:
        newer = joined(memory.last, newer)
    else:
        end = bisect_left(memory.points, since_ms / 1000, key=_at)
    return memory.points[begin:end] + _made(grid, newer, memory.before_place(end))
