"""Geometry of curves: points in time to SVG path data.

Paths are written in whole units of a fixed box that the page stretches, relative to the point before:
that is about half the bytes of absolute coordinates, and a path is most of what a line widget sends.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from msgspec import Struct

from metrics.series.read import Point
from metrics.widgets.units import NOISE


@dataclass(frozen=True, slots=True)
class Plane:
    """The box that curves are drawn in: `start` to `end` (Unix seconds) across, `low` to `high` upwards.

    A point stands for the step of `step_s` that begins with it, and is put into its middle. `width` and `height` are
    those of the SVG viewBox.
    """

    start: float
    end: float
    low: float
    high: float
    step_s: float = 0.0
    width: int = 1000
    height: int = 400

    def across(self, points: Sequence[Point]) -> list[int]:
        """Return the x of each of `points`; what lies outside is put on the edge."""
        start, width = self.start - self.step_s / 2, self.width
        each = width / (self.end - self.start)
        return [round(0 if (x := (point.at - start) * each) < 0 else width if x > width else x) for point in points]

    def down(self, values: Iterable[float]) -> list[int]:
        """Return the y of each of `values`; what lies outside is put on the edge, and nothing else that is not there.

        So whoever reads a y off a path knows that 0 and the height are the ends, and not something near them.
        """
        high, height, most = self.high, self.height, self.height - 1
        each = height / (high - self.low)
        near = NOISE * height
        return [
            round(y)
            if 1 <= (y := (high - value) * each) <= most
            else (0 if y <= near else 1)
            if y < 1
            else (height if y >= height - near else most)
            for value in values
        ]


def segments(points: Sequence[Point], longest_s: float) -> list[list[Point]]:
    """Return `points`, oldest first, cut wherever two of them are more than `longest_s` apart."""
    found: list[list[Point]] = []
    piece: list[Point] = []
    last = -math.inf
    for point in points:
        at = point.at
        if at - last > longest_s:
            found.append(piece := [])
        piece.append(point)
        last = at
    return found


def coarse(points: Sequence[Point], step_s: float) -> Sequence[Point]:
    """Return `points`, oldest first, as the means of longer steps of `step_s`, with least and greatest."""
    numbers = {point.at // step_s for point in points}
    if len(numbers) == len(points) and not any(point.at % step_s for point in points):
        return points
    return [
        Point(
            number * step_s,
            sum([one.value for one in some]) / len(some),
            min([low(one) for one in some]),
            max([high(one) for one in some]),
        )
        for number, some in _by_step(points, step_s)
    ]


def extremes(points: Sequence[Point], step_s: float) -> list[Point]:
    """Return the least and the greatest of every two steps of `step_s`, in their order, as if they were these steps.

    Of a least and a greatest in one point nobody knows the order: the one nearer to what was before comes first.
    """
    found: list[Point] = []
    for number, some in _by_step(points, 2 * step_s):
        lows = [one.value if one.low is None else one.low for one in some]
        highs = [one.value if one.high is None else one.high for one in some]
        least, greatest = min(lows), max(highs)
        if len(some) == 1 and least == greatest:
            found.append(Point(some[0].at // step_s * step_s, least))
            continue
        before = found[-1].value if found else least
        rise_s = some[highs.index(greatest)].at - some[lows.index(least)].at
        is_fall = rise_s < 0 or (rise_s == 0 and abs(greatest - before) < abs(least - before))
        first, second = (greatest, least) if is_fall else (least, greatest)
        found += (Point(2 * number * step_s, first), Point((2 * number + 1) * step_s, second))
    return found


def stairs(piece: Sequence[Point], step_s: float) -> list[Point]:
    """Return `piece` as stairs: each point as long as its step, or until the next where that comes later."""
    found: list[Point] = []
    for one, after in zip(piece, [*piece[1:], None], strict=True):
        end = one.at + step_s / 2 if after is None else after.at - step_s / 2
        found += [Point(one.at - step_s / 2, one.value), Point(end, one.value)]
    return found


def low(point: Point) -> float:
    """Return the least of what `point` is the mean of."""
    return point.value if point.low is None else point.low


def high(point: Point) -> float:
    """Return the greatest of what `point` is the mean of."""
    return point.value if point.high is None else point.high


def count_apart(points: Sequence[Point]) -> int:
    """Return of how many of `points` the least and the greatest are not the same."""
    return sum([one.high is not None and one.low is not None and one.high > one.low for one in points])


def ends(points: Iterable[Point]) -> list[float]:
    """Return the least and the greatest of all that `points` are the means of; nothing if there are none."""
    points = list(points)
    if not points:
        return []
    least = min([one.value if one.low is None else one.low for one in points])
    return [least, max([one.value if one.high is None else one.high for one in points])]


def _by_step(points: Sequence[Point], step_s: float) -> list[tuple[float, list[Point]]]:
    """Return the steps of `step_s` that have some of `points`, each with its number."""
    return [(number, list(some)) for number, some in groupby(points, lambda point: point.at // step_s)]


def line(pieces: Sequence[Sequence[Point]], plane: Plane) -> str:
    """Return the path of a curve in `pieces`, without those of one point: they have no way to go."""
    return "".join(_move(plane.across(piece), plane.down(_values(piece))) for piece in pieces if len(piece) > 1)


def dots(pieces: Sequence[Sequence[Point]], plane: Plane) -> str:
    """Return the path of the points that stand alone: strokes of hardly any length, for a thick round pen."""
    alone = [piece[0] for piece in pieces if len(piece) == 1]
    return "".join(f"M{x} {y}h.1" for x, y in zip(plane.across(alone), plane.down(_values(alone)), strict=True))


def area(pieces: Sequence[Sequence[Point]], plane: Plane, base: float = -math.inf) -> str:
    """Return the path of what lies between a curve and `base`, or the edge of the box where that is outside."""
    level = min(plane.high, max(plane.low, base))
    bottoms = [[Point(piece[0].at, level), Point(piece[-1].at, level)] for piece in pieces]
    return bands(list(zip(pieces, bottoms, strict=True)), plane)


def bands(pieces: Sequence[tuple[Sequence[Point], Sequence[Point]]], plane: Plane) -> str:
    """Return the path of the bands between an upper and a lower curve, a pair for each piece."""
    outlines = ([*upper, *reversed(lower)] for upper, lower in pieces)
    return "".join(_move(plane.across(outline), plane.down(_values(outline))) + "z" for outline in outlines)


def ranges(pieces: Sequence[Sequence[Point]], plane: Plane, step_s: float) -> str:
    """Return the path of what lies between the least and the greatest, in steps of `step_s`, where it can be seen.

    So it is only drawn around points from which their extremes differ. It runs out into the step before and after.
    """
    path = ""
    seen = (plane.high - plane.low) / plane.height
    wide = replace(plane, step_s=step_s)
    for piece in pieces:
        steps = _wide_steps(piece, step_s, seen)
        for begin, end in _runs([one.is_far for one in steps]):
            around = steps[max(0, begin - 1) : end + 1]
            xs = wide.across([Point(one.number * step_s, 0.0) for one in around])
            upper, lower = wide.down([one.high for one in around]), wide.down([one.low for one in around])
            path += _move(xs + xs[::-1], upper + lower[::-1]) + "z"
    return path


class _WideStep(Struct):
    """A step of a band: its number, its least and greatest, and whether those of one of its points are far apart."""

    number: float
    low: float
    high: float
    is_far: bool


def _wide_steps(piece: Sequence[Point], step_s: float, seen: float) -> list[_WideStep]:
    found: list[_WideStep] = []
    number = -math.inf
    for point in piece:
        least, greatest = point.low, point.high
        if least is None or greatest is None:
            least = greatest = point.value
        if (of_point := point.at // step_s) != number:
            number = of_point
            found.append(step := _WideStep(number, least, greatest, greatest - least >= seen))
            continue
        if least < step.low:
            step.low = least
        if greatest > step.high:
            step.high = greatest
        if greatest - least >= seen:
            step.is_far = True
    return found


def _values(points: Sequence[Point]) -> list[float]:
    return [point.value for point in points]


def _runs(marked: Sequence[bool]) -> list[tuple[int, int]]:
    """Return begin and end of each run of what is marked."""
    edges = [place for place, (one, other) in enumerate(pairwise([False, *marked, False])) if one != other]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _move(xs: Sequence[int], ys: Sequence[int]) -> str:
    """Return the path through all x and y; level stretches are one stride."""
    strides = []
    level = 0
    for x, to_x, y, to_y in zip(xs, xs[1:], ys, ys[1:], strict=False):
        dx = to_x - x
        if y == to_y and level * dx > 0:
            level += dx
            continue
        if level:
            strides.append(f"{level} 0")
            level = 0
        if y == to_y and dx:
            level = dx
        else:
            strides.append(f"{dx} {to_y - y}")
    if level:
        strides.append(f"{level} 0")
    return f"M{xs[0]} {ys[0]}" + ("l" + " ".join(strides).replace(" -", "-") if strides else "")
