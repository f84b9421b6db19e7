"""Arithmetic over named queries: `A / B * 100`.

An expression is numbers, names of queries, `+ - * /` and parentheses. Two queries of one series each are calculated
with each other; one series with many, each of the many; many with many, those whose labels are the same. A step in
which an operand has no value, or that divides by zero, has none.

Increases add up, with 0 in steps without samples. One that is divided by another is a share, as of errors by requests,
and two counters may come in turn: there each keeps its value until the next, as anything else does.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from metrics.series.read import Point, Track
from metrics.widgets import combine

LENGTH_MOST = 200
NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class BadExpression(ValueError):
    """An expression that can't be read; the message is the rest of a sentence that begins with its field."""


Operand = float | Sequence[Track]


def names(text: str) -> frozenset[str]:
    """Return the names of the queries that `text` uses. Raises BadExpression if it is no expression."""
    found: set[str] = set()
    _check(_parsed(text), found)
    if not found:
        raise BadExpression("names no query, such as A")
    return frozenset(found)


def evaluate(text: str, tracks: Mapping[str, Sequence[Track]], step_s: float) -> list[Track]:
    """Return what `text` makes of the series of each named query; their points lie `step_s` apart.

    A result is as old as the older of its operands, and expected as rarely as the rarer one.
    """
    found = _value(_parsed(text), tracks, step_s)
    return [] if isinstance(found, float) else list(found)


@cache
def _parsed(text: str) -> ast.expr:
    if len(text) > LENGTH_MOST:
        raise BadExpression(f"is longer than {LENGTH_MOST} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadExpression("can't be read; it is to be like A / B * 100") from None


def _check(node: ast.expr, found: set[str]) -> None:
    match node:
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            _check(left, found)
            _check(right, found)
        case ast.UnaryOp(ast.USub(), operand):
            _check(operand, found)
        case ast.Constant(int() | float() as value) if not isinstance(value, bool) and abs(value) < 1e100:
            pass
        case ast.Name(name) if name in NAMES:
            found.add(name)
        case _:
            raise BadExpression("has something else than names of queries, numbers, + - * / and parentheses")


def _value(node: ast.expr, tracks: Mapping[str, Sequence[Track]], step_s: float) -> Operand:
    match node:
        case ast.BinOp(left, op, right):
            calculate = OPERATORS[type(op)]
            if isinstance(op, ast.Mult | ast.Div) and _has_series(left) and _has_series(right):
                tracks = {name: [replace(one, per_step=False) for one in some] for name, some in tracks.items()}
            return _both(_value(left, tracks, step_s), _value(right, tracks, step_s), calculate, step_s)
        case ast.UnaryOp(_, operand):
            return _both(0.0, _value(operand, tracks, step_s), operator.sub, step_s)
        case ast.Constant(int() | float() as value):
            return float(value)
        case ast.Name(name):
            return tracks.get(name, ())
    raise AssertionError(ast.dump(node))


def _has_series(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Name) for one in ast.walk(node))


def _both(left: Operand, right: Operand, calculate: Callable[[float, float], float], step_s: float) -> Operand:
    if isinstance(left, float):
        if isinstance(right, float):
            value = _calculated(calculate, left, right)
            return math.nan if value is None else value
        constant = left
        return [_mapped(track, lambda value: _calculated(calculate, constant, value)) for track in right]
    if isinstance(right, float):
        constant = right
        return [_mapped(track, lambda value: _calculated(calculate, value, constant)) for track in left]
    return [_joined(pair, calculate, step_s) for pair in _pairs(left, right)]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two series that are calculated with each other; the result has the `labels`."""

    left: Track
    right: Track
    labels: Mapping[str, str]


def _pairs(left: Sequence[Track], right: Sequence[Track]) -> list[Pair]:
    if len(right) == 1:
        return [Pair(one, right[0], one.labels) for one in left]
    if len(left) == 1:
        return [Pair(left[0], one, one.labels) for one in right]
    by_labels = {frozenset(one.labels.items()): one for one in right}
    found = ((one, by_labels.get(frozenset(one.labels.items()))) for one in left)
    return [Pair(one, other, one.labels) for one, other in found if other is not None]


def _mapped(track: Track, change: Callable[[float], float | None]) -> Track:
    def mapped(point: Point | None) -> Point | None:
        value = None if point is None else change(point.value)
        return None if point is None or value is None else Point(point.at, value)

    points = tuple(point for point in map(mapped, track.points) if point)
    return replace(track, latest=mapped(track.latest), points=points, before=mapped(track.before))


def _joined(pair: Pair, calculate: Callable[[float, float], float], step_s: float) -> Track:
    left, right = pair.left, pair.right
    both = combine.opened([left, right])
    at = combine.times(both)
    rows = zip(at, *(combine.aligned(track, at, step_s) for track in both), strict=True)
    values = ((moment, _calculated(calculate, one, other)) for moment, one, other in rows)
    found = [Point(moment, value) for moment, value in values if value is not None]
    before, points = combine.closed(found, [left, right])
    older = min(left, right, key=lambda track: track.came_at)
    value = _calculated(calculate, left.latest.value, right.latest.value) if left.latest and right.latest else None
    return Track(
        metric=left.metric,
        labels=pair.labels,
        unit=left.unit if left.unit == right.unit else "",
        every_s=max(filter(None, (left.every_s, right.every_s)), default=None),
        latest=None if value is None or older.latest is None else Point(older.latest.at, value),
        points=points,
        before=before,
        ahead_s=older.ahead_s,
        per_step=left.per_step and right.per_step,
    )


def _calculated(calculate: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        value = calculate(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return value if math.isfinite(value) else None
