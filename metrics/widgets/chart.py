"""Geometry of curves: points in time to SVG path data.

Paths are written in whole units of a fixed box that the page stretches, relative to the point before:
that is about half the bytes of absolute coordinates, and a path is most of what a line widget sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.series.read import Point


@dataclass(frozen=True, slots=True)
class Plane:
    """The box that curves are drawn in: `start` to `end` (Unix seconds) across, `low` to `high` upwards.

    `width` and `height` are those of the SVG viewBox.
    """

    start: float
    end: float
    low: float
    high: float
    width: int = 1000
    height: int = 400

    def place(self, point: Point) -> tuple[int, int]:
        """Return x and y of `point`; what lies outside is put on the edge."""
        across = (point.at - self.start) / (self.end - self.start)
        upwards = (point.value - self.low) / (self.high - self.low)
        return round(_clip(across) * self.width), round((1 - _clip(upwards)) * self.height)


def segments(points: Sequence[Point], longest_s: float) -> list[list[Point]]:
    """Return `points` cut wherever two of them are more than `longest_s` apart."""
    found: list[list[Point]] = []
    for point in points:
        if found and point.at - found[-1][-1].at <= longest_s:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def coarse(points: Sequence[Point], step_s: float) -> list[Point]:
    """Return the means of `points` in steps of `step_s`, each at the middle of its step."""
    steps: dict[int, list[float]] = {}
    for point in points:
        steps.setdefault(int(point.at // step_s), []).append(point.value)
    return [Point((step + 0.5) * step_s, sum(values) / len(values)) for step, values in sorted(steps.items())]


def line(pieces: Sequence[Sequence[Point]], plane: Plane) -> str:
    """Return the path of a curve in `pieces`, without those of one point: they have no way to go."""
    return "".join(_move([plane.place(point) for point in piece]) for piece in pieces if len(piece) > 1)


def dots(pieces: Sequence[Sequence[Point]], plane: Plane) -> str:
    """Return the path of the points that stand alone: strokes of hardly any length, for a thick round pen."""
    return "".join("M{} {}h.1".format(*plane.place(piece[0])) for piece in pieces if len(piece) == 1)


def area(pieces: Sequence[Sequence[Point]], plane: Plane) -> str:
    """Return the path of what lies between a curve and the bottom of the box."""
    bottoms = [[Point(piece[0].at, plane.low), Point(piece[-1].at, plane.low)] for piece in pieces]
    return bands(list(zip(pieces, bottoms, strict=True)), plane)


def bands(pieces: Sequence[tuple[Sequence[Point], Sequence[Point]]], plane: Plane) -> str:
    """Return the path of the bands between an upper and a lower curve, a pair for each piece."""
    outlines = ([*upper, *reversed(lower)] for upper, lower in pieces)
    return "".join(_move([plane.place(point) for point in outline]) + "z" for outline in outlines)


def _move(places: Sequence[tuple[int, int]]) -> str:
    (x, y), rest = places[0], places[1:]
    path = f"M{x} {y}"
    for i, (dx, dy) in enumerate(_strides(x, y, rest)):
        path += f"{'l' if i == 0 else '' if dx < 0 else ' '}{dx}{'' if dy < 0 else ' '}{dy}"
    return path


def _strides(x: int, y: int, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the way from each place to the next; level stretches are one stride."""
    strides: list[tuple[int, int]] = []
    for to_x, to_y in places:
        dx, dy = to_x - x, to_y - y
        if strides and dy == 0 == strides[-1][1] and dx * strides[-1][0] > 0:
            strides[-1] = (strides[-1][0] + dx, 0)
        else:
            strides.append((dx, dy))
        x, y = to_x, to_y
    return strides


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))
