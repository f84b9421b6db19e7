"""Rehearsals: what a rule would have done in the last weeks, before anybody is told by it."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from metrics import schedule
from metrics.access.policy import CREATE, check, hidden_from, hidden_from_teams
from metrics.access.principal import Principal
from metrics.actions import looked, rule_series
from metrics.actions.errors import Invalid, TooOften
from metrics.actions.looked import UNKNOWN_EVERY_S
from metrics.actions.rule_series import CALCULATED_MOST_S, Reading, key_of
from metrics.alerts.base import ConditionConfig, Samples
from metrics.alerts.past import Steps
from metrics.alerts.rehearsal import Rehearsed, rehearse
from metrics.alerts.rule import RuleSpec
from metrics.models import Rule, Team
from metrics.redis_state import limits
from metrics.series.read import Query, Track, Window

DAYS = 30
DAY_S = 86_400
STEP_S = 60
PER_MINUTE = 60
SERIES_MOST = 50
"""Rehearsed; of more series the rest is counted."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The past of a rule that was not there yet: all that it would have done in the last `days`.

    `series` are those that it would have told something of, those that were bad most often first; of `looked_at` series
    in all, `more` were not tried. `unjudged` is how many of them have too little of a past, which is what the condition
    `needs`. `told` counts what would have been told by hour of the day, 0 to 23.
    """

    days: int
    series: tuple[Rehearsed, ...]
    looked_at: int
    more: int
    unjudged: int
    needs: str
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


@dataclass(frozen=True, slots=True)
class Tried:
    """One series that is tried: what a condition compares, and after how long it has no data; None for never."""

    name: str
    samples: Samples
    stale_after_s: float | None


def rehearsed(by: Principal, spec: RuleSpec, owners: Iterable[Team], now: float, zone: tzinfo) -> Rehearsal:
    """Return what `spec`, a rule of `owners`, would have done with the series that they and `by` may see.

    Raises Forbidden, TooOften, and Invalid for alerts that are received.

    Samples are looked at minute by minute, and of a minute the worst one: it may be that nothing finer is held.
    """
    check(by, CREATE, Rule)
    if not spec.kind.is_evaluated:
        raise Invalid(
            "condition", "Nothing can be rehearsed: alerts of this rule are received, as others evaluate them."
        )
    if wait_s := limits.spend(f"rehearsals:{by.name}", 1, PER_MINUTE, time.time()):
        raise TooOften(f"Rules are rehearsed {PER_MINUTE} times a minute at most; try again in {wait_s} s.", wait_s)
    config = spec.config()
    hidden = hidden_from(by) | hidden_from_teams(owners)
    tried, count = (_runs if spec.kind.of_sources else _series)(spec, config, now, hidden)
    found = [_of_one(spec, config, one, now) for one in tried]
    hours = Counter(datetime.fromtimestamp(episode.start, zone).hour for one in found for episode in one.episodes)
    bad = sorted((one for one in found if one.episodes), key=lambda one: (-len(one.episodes), -one.fired_s))
    return Rehearsal(
        days=DAYS,
        series=tuple(bad),
        looked_at=count,
        more=max(0, count - SERIES_MOST),
        unjudged=sum(all(math.isnan(value) for _, value in one.samples) for one in tried),
        needs=spec.kind.needs(config),
        told=tuple(hours[hour] for hour in range(24)),
    )


def _series(spec: RuleSpec, config: ConditionConfig, now: float, hidden: frozenset[int]) -> tuple[list[Tried], int]:
    """Return the series that are tried, and how many there are."""
    (chosen,) = rule_series.chosen([spec], hidden, counters_alone=False)
    count = len(chosen[0])
    if spec.query.group_by is None and not spec.expression:
        chosen = [of_query[:SERIES_MOST] for of_query in chosen]
    reading = Reading(spec, config, chosen)
    end = (now // STEP_S + 1) * STEP_S
    step_s = STEP_S if spec.is_plain() else max(STEP_S, spec.query.over_s or CALCULATED_MOST_S)
    window = Window(now, end - DAYS * DAY_S, end, step_s, end - DAYS * DAY_S)
    (tracks,) = rule_series.tracks([reading], [window], now, points=True, extremes=True)
    if spec.query.group_by is not None or spec.expression:
        count, tracks = len(tracks), tracks[:SERIES_MOST]
    moments = [at for track in tracks if track.points for at in (track.points[0].at, track.points[-1].at)]
    needs_past = bool(moments and spec.kind.past(config))
    steps = rule_series.steps_of_tracks([reading], (min(moments), max(moments)), now)[0] if needs_past else {}
    return [_tried(spec, config, track, steps) for track in tracks], count


def _tried(spec: RuleSpec, config: ConditionConfig, track: Track, steps: Mapping[str, list[Steps]]) -> Tried:
    samples: Samples = spec.kind.worst(config, track.points)
    if spec.kind.past(config) or spec.kind.samples_before(config):
        of_one = rule_series.steps_for(spec, config, steps, key_of(track))
        samples = rule_series.judged(spec, config, samples, of_one, -math.inf)
    name = ", ".join(f"{name}={value}" for name, value in sorted(track.labels.items())) or track.metric
    return Tried(name, samples, schedule.stale_at(0.0, max(track.every_s or UNKNOWN_EVERY_S, STEP_S)))


def _runs(spec: RuleSpec, config: ConditionConfig, now: float, hidden: frozenset[int]) -> tuple[list[Tried], int]:
    """Return the sources that are tried, as far as their runs are kept, and how many there are."""
    query: Query = spec.query.query()
    found = [
        Tried(source.name, samples, None)
        for source, samples in looked.failed_in_a_row(now - DAYS * DAY_S, now)
        if looked.is_looked_at(source, query, hidden)
    ]
    return found[:SERIES_MOST], len(found)


def _of_one(spec: RuleSpec, config: ConditionConfig, tried: Tried, now: float) -> Rehearsed:
    timing = spec.timing(config, tried.stale_after_s)
    return rehearse(tried.name, tried.samples, now, spec.is_bad(config), timing)
