"""Evaluating rules: samples and time in, changes of alerts out, each in one transaction with all that follows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from celery.exceptions import OperationalError
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Q
from redis import RedisError

from metrics import schedule
from metrics.actions import alert_notices, alerts, announcements, incidents, journal, rule_index
from metrics.actions.rule_index import Known
from metrics.alerts.machine import BURNING, Change, Standing, State, fold
from metrics.models import Alert, Series, Transition
from metrics.redis_state import arrived, outage
from metrics.sample import FUTURE_MOST_S, Sample, series_key
from metrics.series import read
from metrics.series.read import Asked, Function, Track, Window
from metrics.times import datetime_of

log = structlog.get_logger(__name__)

UNKNOWN_EVERY_S = 300.0
LOOKED_BACK_S = 600.0
"""How far back samples are looked at when nobody knows what arrived: Redis was started anew."""
HISTORY_S = 3600.0
"""Changes before that are history that is pushed: only how it ends is news."""
ON_THE_WAY_S = 3.0
"""So long after its time a timer ends: a sample that is on its way still counts."""
CALCULATED_EVERY_S = 10
"""How often is looked at what is calculated of samples, such as rates."""
CALCULATED_MOST_S = 300.0
"""Over how long a function is, where its query does not say it."""
NEW = Standing()
"""Of a series that was never bad."""
AT_ONCE = 200
"""Alerts that are written in one transaction."""
RATE = Function("rate")
FOLLOWED = ["state", "since_ms", "seen_at_ms", "lapses_after_s", "labels", "severity", "value", "fired_at_ms"]
MADE = [*FOLLOWED, "series", "unit"]

_missed_at = math.inf
"""Since when this process could not say what arrived (Unix seconds)."""


@dataclass(slots=True)
class Looked:
    """One rule and one series that it looks at: what is known of the `alert`, and the `samples` to fold.

    `restart` is where the fold begins: with the alert's own state, or with the one before a sample that came late.
    Without a sample for `stale_after_s` there is no data; None if nobody knows.
    """

    rule: Known
    key: str
    labels: Mapping[str, str]
    unit: str
    stale_after_s: float | None
    alert: Alert | None
    samples: list[tuple[float, float]] = field(default_factory=list)
    restart: Standing = NEW
    is_late: bool = False


def note(changed: Sequence[Series], samples: Iterable[Sample], now: float) -> None:
    """Have rules look at the series that `changed`, with these `samples`, soon. Others cost a look into a table.

    While Redis does not answer, it is only noted since when: the next samples have all looked at.
    """
    global _missed_at
    rules = rule_index.by_metric()
    concerned = [one for one in changed if any(rule.looks_at(one) for rule in rules.get(one.metric, ()))]
    if not concerned:
        return
    metrics = {one.metric for one in concerned}
    oldest: dict[str, float] = {}
    for sample in samples:
        if sample.metric in metrics:
            oldest[sample.metric] = min(oldest.get(sample.metric, math.inf), now if sample.at is None else sample.at)
    try:
        arrived.add({one.pk: math.floor(oldest.get(one.metric, now) * 1000) for one in concerned})
        if _missed_at < math.inf:
            arrived.missed(round(_missed_at * 1000))
            _missed_at = math.inf
    except (RedisError, OperationalError) as error:
        _missed_at = min(_missed_at, now, *oldest.values())
        outage.log("rules were not told of samples", error)


def evaluate(now: float) -> int:
    """Look at what arrived, until nothing is left; return how many alerts changed. Raises RedisError."""
    count = 0
    with arrived.turn() as turn:
        while turn and (oldest_ms := arrived.take()):
            turn.extend(arrived.LOCK_S, replace_ttl=True)
            count += _follow(oldest_ms, now)
            arrived.done()
            announcements.announce(now)
    return count


def sweep(now: float) -> int:
    """Do what time does to alerts, and have looked at what was forgotten; return how many changed.

    Samples that arrived come first: a timer must not end, nor a series lapse, while they wait. Raises RedisError.
    """
    announcements.announce(now)
    alerts.end_acknowledgements(now)
    incidents.end_acknowledgements(now)
    if not rule_index.by_metric():
        return 0
    since_ms = arrived.missing_since()
    if since_ms is not None:
        _look_back(max(since_ms, round((now - LOOKED_BACK_S) * 1000)) if since_ms == 0 else since_ms)
        arrived.looked_back()
    if arrived.waits():
        arrived.wake()
        return 0
    with arrived.turn() as turn:
        if turn is None:
            return 0
        count = _store(_waiting(), now)
    announcements.announce(now)
    return count


def look(now: float) -> int:
    """Look at series that may have lapsed, and at what is calculated of samples; return how many alerts changed.

    Raises RedisError.
    """
    rules = [one for of_metric in rule_index.by_metric().values() for one in of_metric]
    if not rules or arrived.waits():
        return 0
    with arrived.turn() as turn:
        if turn is None:
            return 0
        count = _store(_calculated(rules, now), now) + _store(_lapsed(rules, now), now)
    announcements.announce(now)
    return count


def _look_back(since_ms: int) -> None:
    """Look at the samples since a time of all that rules look at."""
    metrics = list(rule_index.by_metric())
    ids = Series.objects.filter(metric__in=metrics).order_by().values_list("pk", flat=True)
    arrived.add(dict.fromkeys(ids, since_ms))


def _follow(oldest_ms: Mapping[int, int], now: float) -> int:
    """Fold the samples of series (ids) from a time on (Unix ms) into their alerts; return how many changed."""
    rules = rule_index.by_metric()
    series = Series.objects.select_related("source").in_bulk(list(oldest_ms))
    pairs = [
        (rule, one)
        for one in series.values()
        for rule in rules.get(one.metric, ())
        if rule.spec.query.is_plain() and one.type != "counter" and rule.looks_at(one)
    ]
    if not pairs:
        return 0
    known = _alerts(rule.pk for rule, _ in pairs)
    held = _samples({one.pk: oldest_ms[one.pk] for _, one in pairs}, now)
    looked = []
    for rule, one in pairs:
        alert = known.get((rule.pk, one.key))
        it = Looked(rule, one.key, one.labels, one.unit, _said_stale_after_s(one, now), alert)
        it.restart, it.is_late = _restart(alert, oldest_ms[one.pk])
        it.samples = held.get(one.pk, [])
        looked.append(it)
    return _store(looked, now)


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


def _restart(alert: Alert | None, start_ms: int) -> tuple[Standing, bool]:
    """Return what stood before a sample of the time `start_ms`, and whether that is not what stands now."""
    if alert is None:
        return NEW, False
    if start_ms > alert.since_ms:
        seen_at = alert.seen_at_ms / 1000 if alert.seen_at_ms < start_ms else -math.inf
        return Standing(State(alert.state), alert.since_ms / 1000, seen_at), False
    moved = Transition.objects.filter(noun="alert", thing=str(alert.pk), at__lt=datetime_of(start_ms / 1000))
    before = moved.order_by("-at", "-pk").first()
    if before is None:
        return NEW, True
    return Standing(State(before.after), before.at.timestamp()), True


def _said_stale_after_s(series: Series, now: float) -> float | None:
    """Return after how long a series has no data, as far as somebody said how often it comes."""
    every_s = series.expected_every_s or (series.source.expected_every_s(now) if series.source else None)
    stale_s = None if every_s is None else schedule.stale_at(0.0, every_s)
    return min((one for one in (stale_s, series.expires_after_s) if one is not None), default=None)


def _stale_after_s(track: Track) -> float:
    """Return after how long a series has no data, by how often it came lately if nobody said it."""
    return schedule.stale_at(0.0, track.every_s or UNKNOWN_EVERY_S)


def _alerts(rules: Iterable[int], chosen: Q | None = None) -> dict[tuple[int, str], Alert]:
    """Return the alerts of `rules` (ids), by rule and key."""
    found = Alert.objects.select_related("rule").filter(rule__in=set(rules))
    return {(one.rule_id, one.key): one for one in (found if chosen is None else found.filter(chosen))}


def _waiting() -> list[Looked]:
    """Return the alerts that are not well: their timers end, and their series may lapse."""
    by_id = {rule.pk: rule for of_metric in rule_index.by_metric().values() for rule in of_metric}
    return [
        Looked(by_id[pk], key, alert.series, alert.unit, alert.lapses_after_s, alert, restart=_standing(alert))
        for (pk, key), alert in _alerts(by_id, ~Q(state=State.OK)).items()
    ]


def _standing(alert: Alert) -> Standing:
    return Standing(State(alert.state), alert.since_ms / 1000, alert.seen_at_ms / 1000)


def _lapsed(rules: Sequence[Known], now: float) -> list[Looked]:
    """Return the series without new samples of which no alert says so yet, but for those gone before their rule was."""
    wanting = [rule for rule in rules if rule.spec.no_data != "keep" or rule.spec.kind.no_data]
    found = []
    known = _alerts(rule.pk for rule in wanting)
    for rule in wanting:
        for track in read.tracks(rule.query, now, rule.hidden):
            key = series_key(track.metric, track.labels)
            alert = known.get((rule.pk, key))
            if track.latest is None or (alert is not None and alert.state == State.NODATA):
                continue
            stale_after_s = _stale_after_s(track)
            lapses_after_s = rule.spec.timing(rule.condition, stale_after_s).lapses_after_s
            if lapses_after_s is None or not rule.changed_at < track.came_at + lapses_after_s <= now - ON_THE_WAY_S:
                continue
            state, since = (State.OK, -math.inf) if alert is None else (State(alert.state), alert.since_ms / 1000)
            restart = Standing(state, since, track.came_at)
            found.append(Looked(rule, key, track.labels, track.unit, stale_after_s, alert, restart=restart))
    return found


def _calculated(rules: Sequence[Known], now: float) -> list[Looked]:
    """Return what rules look at that is made of samples first: functions over a time, and rates of counters."""
    at = now // CALCULATED_EVERY_S * CALCULATED_EVERY_S
    metrics = {rule.query.metric for rule in rules if rule.spec.query.is_plain()}
    counters = set(
        Series.objects.filter(metric__in=metrics, type="counter").order_by().values_list("metric", flat=True).distinct()
    )
    made = [rule for rule in rules if not rule.spec.query.is_plain() or rule.query.metric in counters]
    known = _alerts(rule.pk for rule in made)
    return [one for rule in made for track in _tracks(rule, at) for one in _seen(rule, track, known, at)]


def _tracks(rule: Known, at: float) -> list[Track]:
    query = rule.spec.query
    over_s = query.over_s or CALCULATED_MOST_S
    window = Window(at, at - over_s, at, over_s, at - over_s)
    asked = Asked(rule.query, query.chosen_function() or RATE, window, points=False, over_s=query.over_s)
    return read.together([asked], at, rule.hidden)[0]


def _seen(rule: Known, track: Track, known: Mapping[tuple[int, str], Alert], at: float) -> list[Looked]:
    key = series_key(track.metric, track.labels)
    alert = known.get((rule.pk, key))
    stale_after_s = _stale_after_s(track)
    if track.latest is None or track.came_at + stale_after_s <= at:
        return []  # what stands already lapses by itself
    restart = Standing(seen_at=at) if alert is None else _standing(alert)
    if alert is not None and alert.seen_at_ms >= at * 1000:
        return []
    return [Looked(rule, key, track.labels, track.unit, stale_after_s, alert, [(at, track.latest.value)], restart)]


def _store(looked: Sequence[Looked], now: float) -> int:
    """Fold the samples of each, and write what changed with all that follows; return how many alerts changed.

    One that can't be written is logged, and keeps the others from nothing.
    """
    moved = [(one, *_folded(one, now)) for one in looked]
    written = [one for one in moved if one[2] or _is_seen(one[0])]
    count = 0
    for begin in range(0, len(written), AT_ONCE):
        with transaction.atomic():
            for one, standing, changes in written[begin : begin + AT_ONCE]:
                try:
                    with transaction.atomic():
                        count += _write(one, standing, changes)
                except DatabaseError:
                    raise
                except Exception:
                    log.exception("alert not written", rule=one.rule.name, labels=dict(one.labels))
    return count


def _is_seen(one: Looked) -> bool:
    """Whether a newer value is worth a row; a series that is well has one only because it once was not."""
    return bool(one.samples) and one.alert is not None and one.alert.state != State.OK


def _folded(one: Looked, now: float) -> tuple[Standing, list[Change]]:
    rule = one.rule
    timing = rule.spec.timing(rule.condition, one.stale_after_s)
    standing, changes = fold(one.restart, one.samples, now - ON_THE_WAY_S, rule.spec.is_bad(rule.condition), timing)
    before = State.OK if one.alert is None else State(one.alert.state)
    if one.is_late:  # what was told stays told: only where it differs now is news
        if standing.state == before:
            return standing, []
        at = standing.since if math.isfinite(standing.since) else one.samples[0][0]
        value = one.samples[-1][1] if one.samples else None
        return Standing(standing.state, at, standing.seen_at), [Change(before, standing.state, at, value)]
    old = [change for change in changes if change.at < now - HISTORY_S]
    news = changes[len(old) :]
    if old and old[-1].after != before:
        news.insert(0, Change(before, old[-1].after, old[-1].at, old[-1].value))
    return standing, news


def _write(one: Looked, standing: Standing, changes: Sequence[Change]) -> bool:
    """Write where an alert stands, if nobody was faster; return whether its state changed."""
    alert = one.alert or Alert(
        rule_id=one.rule.pk, key=one.key, series=dict(one.labels), unit=one.unit, state=State.OK, since_ms=0
    )
    seen = Q(state=alert.state, since_ms=alert.since_ms)
    alert.labels, alert.severity = {**one.labels, **one.rule.spec.labels}, one.rule.spec.severity
    alert.lapses_after_s = one.stale_after_s or alert.lapses_after_s
    alert.seen_at_ms = max(alert.seen_at_ms or 0, round(max(standing.seen_at, 0.0) * 1000))
    alert.value = one.samples[-1][1] if one.samples else alert.value
    followed = list(FOLLOWED)
    if changes:
        alert.state, alert.since_ms = standing.state, round(max(standing.since, 0.0) * 1000)
        fired = [change.at for change in changes if change.after is State.FIRING and change.before not in BURNING]
        alert.fired_at_ms = round(fired[-1] * 1000) if fired else alert.fired_at_ms
        if any(change.after is State.OK for change in changes):
            alerts.clear(alert)
            followed += alerts.ACKNOWLEDGED
    if one.alert is None:
        alert, is_new = Alert.objects.get_or_create(
            rule_id=alert.rule_id, key=alert.key, defaults={name: getattr(alert, name) for name in MADE}
        )
        if not is_new:
            return False
    else:
        rows = Alert.objects.filter(seen, pk=alert.pk, seen_at_ms__lte=alert.seen_at_ms)
        if not rows.update(**{name: getattr(alert, name) for name in followed}):
            return False
    journal.moved([alert_notices.transition(one.rule, alert, change) for change in changes])
    return bool(changes)
