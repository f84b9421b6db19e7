"""Series put together by their labels, and the largest of many."""

from collections.abc import Sequence
from typing import Literal

from metrics.series.read import Point, Track
from metrics.widgets import combine
from metrics.widgets.combine import How

Aggregate = How | Literal["count"]


def group(tracks: Sequence[Track], by: Sequence[str], how: Aggregate, step_s: float) -> list[Track]:
    """Return one series for each combination of the labels `by`, made of those that have it; without `by`, of all.

    A series without a value has no part in its group. A group is as old as the newest of its series.
    """
    groups: dict[tuple[str, ...], list[Track]] = {}
    for track in tracks:
        groups.setdefault(tuple(track.labels.get(name, "") for name in by), []).append(track)
    return [
        _one(members, {name: value for name, value in zip(by, values, strict=True) if value}, how, step_s)
        for values, members in sorted(groups.items())
    ]


def _one(members: Sequence[Track], labels: dict[str, str], how: Aggregate, step_s: float) -> Track:
    newest = [one.latest for one in members if one.latest]
    last = max(members, key=lambda one: one.came_at)
    before, points = combine.closed(_points(combine.opened(members), how, step_s), members)
    return Track(
        metric=members[0].metric,
        labels=labels,
        unit="" if how == "count" else members[0].unit,
        every_s=max((one.every_s for one in members if one.every_s), default=None),
        latest=Point(last.latest.at, _value([point.value for point in newest], how)) if last.latest else None,
        points=points,
        before=before,
        ahead_s=last.ahead_s,
        per_step=how != "count" and all(one.per_step for one in members),
    )


def _points(members: Sequence[Track], how: Aggregate, step_s: float) -> tuple[Point, ...]:
    if how != "count":
        return combine.combined(members, how, step_s)
    at = combine.times(members)
    rows = zip(at, *(combine.aligned(one, at, step_s) for one in members), strict=True)
    return tuple(Point(moment, float(sum(value is not None for value in values))) for moment, *values in rows)


def _value(values: Sequence[float], how: Aggregate) -> float:
    return float(len(values)) if how == "count" else combine.WAYS[how](values)


def top(tracks: Sequence[Track], count: int) -> list[Track]:
    """Return the `count` series with the largest newest values, the largest first."""
    known = [one for one in tracks if one.latest]
    return sorted(known, key=lambda one: one.latest.value if one.latest else 0.0, reverse=True)[:count]
