"""Rehearsals: what a rule would have done in the last weeks, before anybody is told by it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from metrics import schedule
from metrics.access.policy import CREATE, check, hidden_from
from metrics.access.principal import Principal
from metrics.actions.errors import Invalid
from metrics.actions.evaluation import CALCULATED_MOST_S, UNKNOWN_EVERY_S
from metrics.alerts.base import ConditionConfig
from metrics.alerts.rehearsal import Rehearsed, rehearse
from metrics.alerts.rule import RuleSpec
from metrics.models import Rule
from metrics.series import read
from metrics.series.read import Asked, Point, Query, Track, Window

DAYS = 30
DAY_S = 86_400
STEP_S = 60
SERIES_MOST = 50
"""Rehearsed; of more series the rest is counted."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The past of a rule that was not there yet: all that it would have done in the last `days`.

    `series` are those that it would have told something of, those that were bad most often first; of `looked_at` series
    in all, `more` were not tried. `told` counts what would have been told by hour of the day, 0 to 23.
    """

    days: int
    series: tuple[Rehearsed, ...]
    looked_at: int
    more: int
    told: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(len(one.episodes) for one in self.series)

    @property
    def flaps(self) -> int:
        return sum(one.flaps for one in self.series)

    @property
    def fired_s(self) -> float:
        return sum(one.fired_s for one in self.series)

    @property
    def at_night(self) -> int:
        """How much would have been told from 22 to 6 o'clock."""
        return sum(self.told[22:] + self.told[:6])


def rehearsed(by: Principal, spec: RuleSpec, now: float, zone: tzinfo) -> Rehearsal:
    """Return what `spec` would have done with the series that `by` may see. Raises Forbidden, and
    Invalid for alerts that are received.

    Samples are looked at minute by minute, and of a minute the worst one: it may be that nothing finer is held.
    """
    check(by, CREATE, Rule)
    if not spec.kind.is_evaluated:
        raise Invalid(
            "condition", "Nothing can be rehearsed: alerts of this rule are received, as others evaluate them."
        )
    config = spec.config()
    hidden = hidden_from(by)
    looked_at = read.tracks(spec.query.query(), now, hidden)
    tracks = _tracks(spec, looked_at[:SERIES_MOST], now, hidden)
    found = [_of_one(spec, config, track, now) for track in tracks]
    hours = Counter(datetime.fromtimestamp(episode.start, zone).hour for one in found for episode in one.episodes)
    bad = sorted((one for one in found if one.episodes), key=lambda one: (-len(one.episodes), -one.fired_s))
    return Rehearsal(
        DAYS, tuple(bad), len(looked_at), max(0, len(looked_at) - SERIES_MOST), tuple(hours[hour] for hour in range(24))
    )


def _tracks(spec: RuleSpec, chosen: Sequence[Track], now: float, hidden: frozenset[int]) -> list[Track]:
    """Return the `chosen` series with the points of all days."""
    query = spec.query
    end = (now // STEP_S + 1) * STEP_S
    step_s = STEP_S if query.is_plain() else max(STEP_S, query.over_s or CALCULATED_MOST_S)
    window = Window(now, end - DAYS * DAY_S, end, step_s, end - DAYS * DAY_S)
    asked = [
        Asked(
            Query(one.metric, one.labels),
            query.chosen_function(),
            window,
            points=True,
            over_s=query.over_s,
            extremes=query.is_plain(),
        )
        for one in chosen
    ]
    found = read.together(asked, now, hidden)
    return [
        next(track for track in tracks if track.labels == one.labels)
        for one, tracks in zip(chosen, found, strict=True)
        if any(track.labels == one.labels for track in tracks)
    ]


def _of_one(spec: RuleSpec, config: ConditionConfig, track: Track, now: float) -> Rehearsed:
    name = ", ".join(f"{name}={value}" for name, value in sorted(track.labels.items())) or track.metric
    timing = spec.timing(config, schedule.stale_at(0.0, max(track.every_s or UNKNOWN_EVERY_S, STEP_S)))
    is_bad = spec.is_bad(config)

    def worst(point: Point) -> float:
        if point.high is not None and is_bad(point.high, False):
            return point.high
        return point.low if point.low is not None and is_bad(point.low, False) else point.value

    return rehearse(name, [(point.at, worst(point)) for point in track.points], now, is_bad, timing)
