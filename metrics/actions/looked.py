"""Readings for rules: new samples, calculated values, runs of sources, and series that lapsed."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q

from metrics import schedule
from metrics.actions import rule_index, rule_series
from metrics.actions.rule_index import IndexedRule
from metrics.actions.rule_series import Reading, key_of
from metrics.alerts.base import Samples
from metrics.alerts.machine import State, Status
from metrics.alerts.past import Steps
from metrics.models import Alert, Run, Series, Source, Transition
from metrics.sample import FUTURE_MOST_S, series_key
from metrics.series import read
from metrics.series.read import Query, Track
from metrics.times import datetime_of

UNKNOWN_EVERY_S = 300.0
HISTORY_S = 3600.0
"""Changes before that are history that is pushed: only how it ends is news."""
ON_THE_WAY_S = 3.0
"""So long after its time a timer ends: a sample that is on its way still counts."""
CALCULATED_EVERY_S = 10
"""How often is looked at what is calculated of samples, such as rates."""
NEW = Status()
"""Of a series that was never bad."""
SEEN_AT_ONCE = 2000
FAILED_RUNS = "source_failures"


@dataclass(slots=True)
class Looked:
    """One rule and one series that it looks at: what is known of the `alert`, and the `samples` to fold.

    `restart` is where the fold begins: with the alert's own state, or with the one before a sample that came late.
    Without a sample for `stale_after_s` there is no data; None if nobody knows.
    """

    rule: IndexedRule
    key: str
    labels: Mapping[str, str]
    unit: str
    stale_after_s: float | None
    alert: Alert | None
    samples: list[tuple[float, float]] = field(default_factory=list)
    restart: Status = NEW
    is_late: bool = False

    @property
    def value(self) -> float | None:
        """The newest value that could be judged."""
        return next((value for _, value in reversed(self.samples) if not math.isnan(value)), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a rule looks at, as it stands at a moment."""

    rule: IndexedRule
    track: Track


def followed(oldest_ms: Mapping[int, int], now: float, *, back: bool = False) -> list[Looked]:
    """Return the samples of series (ids) from a time on (Unix ms), for each rule that looks at each of them.

    A look `back`, at samples that may have been looked at before, begins when each rule got its present form.
    """
    rules = rule_index.by_metric()
    series = Series.objects.select_related("source").in_bulk(list(oldest_ms))
    pairs = [(rule, one) for one in series.values() for rule in rules.get(one.metric, rule_index.NONE).following(one)]
    if not pairs:
        return []
    known = alerts_of(rule.pk for rule, _ in pairs)
    held = _samples({one.pk: oldest_ms[one.pk] for _, one in pairs}, now)
    looked = []
    for rule, one in pairs:
        alert = known.get((rule.pk, one.key))
        unit = rule.spec.kind.unit(rule.condition, one.unit)
        it = Looked(rule, one.key, one.labels, unit, _said_stale_after_s(one, now), alert)
        start_ms = max(oldest_ms[one.pk], math.ceil(rule.changed_at * 1000)) if back else oldest_ms[one.pk]
        it.restart, it.is_late = _restart(alert, start_ms)
        it.samples = [sample for sample in held.get(one.pk, []) if sample[0] * 1000 >= start_ms]
        looked.append(it)
    _judge([(it, one.pk) for it, (_, one) in zip(looked, pairs, strict=True) if it.samples], now)
    return looked


def _judge(looked: Sequence[tuple[Looked, int]], now: float) -> None:
    """Put what conditions compare in the place of the samples, for those that need the past of a series (its id)."""
    needy = [(one, pk) for one, pk in looked if one.rule.needs_past]
    if not needy:
        return
    before = {pk: max(one.rule.samples_before for one, of in needy if of == pk) for _, pk in needy}
    starts = {pk: math.ceil(one.samples[0][0] * 1000) - 1 for one, pk in needy if before[pk]}
    earlier = read.newest(starts, max(before.values())) if starts else {}
    steps = rule_series.steps_of_series(
        [(one.rule.spec.kind, one.rule.condition, pk, one.samples) for one, pk in needy], now
    )
    for (one, pk), of_one in zip(needy, steps, strict=True):
        since = one.samples[0][0]
        first = [(at_ms / 1000, value) for at_ms, value in reversed(earlier.get(pk, [])[: one.rule.samples_before])]
        one.samples = rule_series.judged(one.rule.spec, one.rule.condition, [*first, *one.samples], of_one, since)


def _samples(starts_ms: Mapping[int, int], now: float) -> dict[int, list[tuple[float, float]]]:
    """Return the samples of series (ids) from their starts on (Unix ms), having read what is recent all at once."""
    recent_ms, end_ms = round((now - HISTORY_S) * 1000), round((now + FUTURE_MOST_S) * 1000)
    recent = {pk: start for pk, start in starts_ms.items() if start >= recent_ms}
    held = read.samples(list(recent), min(recent.values()), end_ms) if recent else {}
    for pk, start in starts_ms.items():
        if pk not in recent:
            held |= read.samples([pk], start, end_ms)
    return {
        pk: [(at_ms / 1000, value) for at_ms, value in found if at_ms >= starts_ms[pk]] for pk, found in held.items()
    }


def _restart(alert: Alert | None, start_ms: int) -> tuple[Status, bool]:
    """Return what stood before a sample of the time `start_ms`, and whether that is not what stands now."""
    if alert is None:
        return NEW, False
    if start_ms > alert.since_ms:
        status = _status(alert)
        return (status if alert.seen_at_ms < start_ms else replace(status, seen_at=-math.inf)), False
    moved = Transition.objects.filter(noun="alert", thing=str(alert.pk), at__lt=datetime_of(start_ms / 1000))
    before = moved.order_by("-at", "-pk").first()
    if before is None:
        return NEW, True
    return Status(State(before.after), before.at.timestamp(), value=before.value), True


def _said_stale_after_s(series: Series, now: float) -> float | None:
    """Return after how long a series has no data, as far as somebody said how often it comes."""
    every_s = series.expected_every_s or (series.source.expected_every_s(now) if series.source else None)
    stale_s = None if every_s is None else schedule.stale_at(0.0, every_s)
    return min((one for one in (stale_s, series.expires_after_s) if one is not None), default=None)


def stale_after_s(track: Track) -> float:
    """Return after how long a series has no data, by how often it came lately if nobody said it."""
    return schedule.stale_at(0.0, track.every_s or UNKNOWN_EVERY_S)


def alerts_of(rules: Iterable[int], chosen: Q | None = None) -> dict[tuple[int, str], Alert]:
    """Return the alerts of `rules` (ids), by rule and key."""
    found = Alert.objects.select_related("rule").filter(rule__in=set(rules))
    return {(one.rule_id, one.key): one for one in (found if chosen is None else found.filter(chosen))}


def waiting() -> list[Looked]:
    """Return the alerts that are not well: their timers end, and their series may lapse."""
    by_id = {rule.pk: rule for of_metric in rule_index.by_metric().values() for rule in of_metric}
    return [
        Looked(by_id[pk], key, alert.series, alert.unit, alert.lapses_after_s, alert, restart=_status(alert))
        for (pk, key), alert in alerts_of(by_id, ~Q(state=State.OK)).items()
    ]


def _status(alert: Alert) -> Status:
    """Return where an alert stands. Of one that is well nobody notes when the newest sample came.

    The alert of a series without data keeps its last value to be shown, though it holds no longer.
    """
    seen_at = -math.inf if alert.state == State.OK else alert.seen_at_ms / 1000
    value = None if alert.state == State.NODATA else alert.value
    return Status(State(alert.state), alert.since_ms / 1000, seen_at, value)


def of_moment(rules: Sequence[IndexedRule], at: float) -> list[Seen]:
    """Return what rules look at that is made of samples first, as of `at`: functions, groups, rates of counters."""
    metrics = {rule.query.metric for rule in rules if rule.spec.is_plain()}
    counters = set(
        Series.objects.filter(metric__in=metrics, type="counter").order_by().values_list("metric", flat=True).distinct()
    )
    made = [rule for rule in rules if not rule.spec.is_plain() or rule.query.metric in counters]
    found = []
    for hidden in {rule.hidden for rule in made}:
        some = [rule for rule in made if rule.hidden == hidden]
        readings = _readings(some, hidden)
        windows = [rule_series.moment(rule.spec, at) for rule in some]
        for rule, tracks in zip(some, rule_series.tracks(readings, windows, at, points=False), strict=True):
            found += [Seen(rule, track) for track in tracks]
    return found


def _readings(rules: Sequence[IndexedRule], hidden: frozenset[int]) -> list[Reading]:
    chosen = rule_series.chosen([rule.spec for rule in rules], hidden)
    return [Reading(rule.spec, rule.condition, of_rule) for rule, of_rule in zip(rules, chosen, strict=True)]


def calculated(seen: Sequence[Seen], at: float) -> list[Looked]:
    """Return the values of what was `seen` at a moment that are worth a fold: bad ones, and those with an alert."""
    known = alerts_of({one.rule.pk for one in seen})
    steps = _steps({one.rule.pk: one.rule for one in seen if one.rule.needs_past}.values(), at)
    found = []
    for one in seen:
        rule, track = one.rule, one.track
        stale_s = stale_after_s(track)
        if track.latest is None or track.came_at + stale_s <= at:
            continue  # what stands already lapses by itself
        key = key_of(track)
        alert = known.get((rule.pk, key))
        if alert is not None and alert.seen_at_ms >= at * 1000:
            continue
        samples: Samples = [(at, track.latest.value)]
        if rule.needs_past:
            of_key = rule_series.steps_for(rule.spec, rule.condition, steps[rule.pk], key)
            samples = rule_series.judged(rule.spec, rule.condition, samples, of_key, at)
        if alert is None and not rule.spec.kind.is_bad(rule.condition, samples[0][1], False):
            continue
        restart = Status(seen_at=at) if alert is None else _status(alert)
        unit = rule.spec.kind.unit(rule.condition, track.unit)
        found.append(Looked(rule, key, track.labels, unit, stale_s, alert, list(samples), restart))
    return found


def _steps(rules: Iterable[IndexedRule], at: float) -> dict[int, dict[str, list[Steps]]]:
    """Return the past that each of `rules` needs at a moment, by its id and then by key."""
    found: dict[int, dict[str, list[Steps]]] = {}
    of_all = list(rules)
    for hidden in {rule.hidden for rule in of_all}:
        some = [rule for rule in of_all if rule.hidden == hidden]
        steps = rule_series.steps_of_tracks(_readings(some, hidden), (at, at), at)
        found |= dict(zip((rule.pk for rule in some), steps, strict=True))
    return found


def lapsed(rules: Sequence[IndexedRule], seen: Sequence[Seen], now: float) -> list[Looked]:
    """Return the series without new samples of which no alert says so yet, but for those gone before their rule was.

    `seen` is what is known already of those that are calculated.
    """
    found = []
    known = alerts_of(rule.pk for rule in rules)
    for one in (*_plain(rules, now), *(one for one in seen if one.rule.may_lapse)):
        rule, track = one.rule, one.track
        if track.latest is None:
            continue
        stale_s = stale_after_s(track)
        lapses_after_s = rule.spec.timing(rule.condition, stale_s).lapses_after_s
        if lapses_after_s is None or not rule.changed_at < track.came_at + lapses_after_s <= now - ON_THE_WAY_S:
            continue
        key = key_of(track)
        alert = known.get((rule.pk, key))
        if alert is not None and alert.state == State.NODATA:
            continue
        state, since = (State.OK, -math.inf) if alert is None else (State(alert.state), alert.since_ms / 1000)
        restart = Status(state, since, track.came_at)
        unit = rule.spec.kind.unit(rule.condition, track.unit)
        found.append(Looked(rule, key, track.labels, unit, stale_s, alert, restart=restart))
    return found


def _plain(rules: Sequence[IndexedRule], now: float) -> Iterable[Seen]:
    """Yield the series whose samples are looked at one by one, some at a time."""
    wanting = [rule for rule in rules if rule.may_lapse and rule.spec.is_plain()]
    for hidden in {rule.hidden for rule in wanting}:
        some = [rule for rule in wanting if rule.hidden == hidden]
        chosen = rule_series.chosen([rule.spec for rule in some], hidden, counters_alone=False)
        pairs = [(rule, one) for rule, (of_rule,) in zip(some, chosen, strict=True) for one in of_rule]
        for begin in range(0, len(pairs), SEEN_AT_ONCE):
            part = [(rule, one) for rule, one in pairs[begin : begin + SEEN_AT_ONCE] if one.type != "counter"]
            tracks = read.seen({one.pk: one for _, one in part}.values(), now)
            yield from (Seen(rule, tracks[one.pk]) for rule, one in part)


def runs(rules: Sequence[IndexedRule], since: float, now: float) -> list[Looked]:
    """Return how many runs in a row failed of the sources that rules look at, at each run since a time."""
    of_sources = [rule for rule in rules if rule.spec.kind.of_sources]
    if not of_sources:
        return []
    known = alerts_of(rule.pk for rule in of_sources)
    failures = failed_in_a_row(since, now)
    found = [
        it
        for rule in of_sources
        for source, samples in failures
        if is_looked_at(source, rule.query, rule.hidden)
        if (it := _of_runs(rule, source, samples, known)) is not None
    ]
    there = {series_key(FAILED_RUNS, labels_of(source)) for source, _ in failures}
    by_id = {rule.pk: rule for rule in of_sources}
    gone = [
        Looked(by_id[pk], key, alert.series, "", None, alert, [(now, 0.0)], _status(alert))
        for (pk, key), alert in known.items()
        if key not in there and alert.state != State.OK
    ]
    return found + gone


def _of_runs(
    rule: IndexedRule, source: Source, samples: Samples, known: Mapping[tuple[int, str], Alert]
) -> Looked | None:
    labels = labels_of(source)
    key = series_key(FAILED_RUNS, labels)
    alert = known.get((rule.pk, key))
    since = rule.changed_at if alert is None else max(rule.changed_at, alert.seen_at_ms / 1000)
    samples = [one for one in samples if one[0] > since]
    if not samples:
        return None
    restart = NEW if alert is None else _status(alert)
    return Looked(rule, key, labels, "", None, alert, list(samples), restart)


def labels_of(source: Source) -> dict[str, str]:
    """Return the labels of what rules look at of a source."""
    return {"source": source.name, "kind": source.kind}


def is_looked_at(source: Source, query: Query, hidden: Collection[int]) -> bool:
    """Return whether a rule of sources that has this `query` looks at `source`, unless that is `hidden` (ids)."""
    return source.pk not in hidden and query.matches(FAILED_RUNS, labels_of(source))


def sources_of(query: Query, hidden: Collection[int]) -> list[Source]:
    """Return the sources that a rule of sources looks at, as in `is_looked_at`."""
    return [one for one in Source.objects.exclude(kind=Source.PUSH) if is_looked_at(one, query, hidden)]


def failed_in_a_row(since: float, now: float) -> list[tuple[Source, Samples]]:
    """Return, for each source, (Unix seconds, how many runs in a row failed by then) of its runs since a time.

    One that is off fails no more, as of now.
    """
    sources = Source.objects.exclude(kind=Source.PUSH).in_bulk()
    newest: dict[int, list[tuple[float, bool]]] = {}
    rows = Run.objects.filter(started_at__gt=datetime_of(since)).order_by("id")
    for pk, started_at, duration_s, error in rows.values_list("source_id", "started_at", "duration_s", "error"):
        newest.setdefault(pk, []).append((started_at.timestamp() + duration_s, bool(error)))
    found: list[tuple[Source, Samples]] = []
    for pk, source in sources.items():
        samples: list[tuple[float, float]] = []
        count = _failures_before(source, newest.get(pk, []))
        for at, failed in newest.get(pk, []):
            count = count + 1 if failed else 0
            samples.append((at, float(count)))
        found.append((source, samples if source.enabled else [*samples, (now, 0.0)]))
    return found


def _failures_before(source: Source, runs: Sequence[tuple[float, bool]]) -> int:
    """Return how many runs in a row had failed before `runs`, the newest ones, of which the row tells the count."""
    in_a_row = next((place for place, (_, failed) in enumerate(reversed(runs)) if not failed), len(runs))
    return max(0, source.failures - in_a_row) if in_a_row == len(runs) else 0
