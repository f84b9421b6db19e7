"""Evaluating rules: samples and time in, changes of alerts out, each in one transaction with all that follows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog
from celery.exceptions import OperationalError as BrokerError
from redis import RedisError

from metrics.actions import (
    alert_states,
    alert_values,
    alerts,
    announcements,
    incidents,
    looked,
    no_data,
    one_by_one,
    rule_index,
)
from metrics.actions.alert_states import Moved
from metrics.actions.alert_values import Value
from metrics.actions.looked import CALCULATED_EVERY_S, HISTORY_S, ON_THE_WAY_S, Looked, Seen
from metrics.actions.rule_index import IndexedRule
from metrics.alerts.machine import Cause, Change, State, Status, fold
from metrics.models import Series
from metrics.redis_state import arrived, outage
from metrics.sample import Sample

log = structlog.get_logger(__name__)

LOOKED_BACK_S = 600.0
"""How far back samples are looked at when nobody knows what arrived: Redis was started anew."""
CAUGHT_UP_MOST = 60
KNOWN_WITHIN_S = 5.0
"""So soon after a rule changed, every process that stores samples knows it: a second, and a commit that takes long."""
AT_ONCE, VALUES_AT_ONCE = 200, 1000
"""Alerts that change in one transaction, and those whose values are written in one."""

_missed_at = math.inf
"""Since when this process could not say what arrived (Unix seconds)."""


def note(changed: Sequence[Series], samples: Iterable[Sample], now: float) -> None:
    """Have rules look at the series that `changed`, with these `samples`, soon. Others cost a look into a table.

    While Redis does not answer, it is only noted since when: the next samples have all looked at.
    """
    global _missed_at
    rules = rule_index.by_metric()
    concerned = [one for one in changed if one.metric in rules and rules[one.metric].follow(one)]
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
    except (RedisError, BrokerError) as error:
        _missed_at = min(_missed_at, now, *oldest.values())
        outage.log("rules were not told of samples", error)


def evaluate(now: float) -> int:
    """Look at what arrived, until nothing is left; return how many alerts changed. Raises RedisError."""
    count = 0
    with arrived.turn() as turn:
        while turn and any(taken := arrived.take()):
            turn.extend(arrived.LOCK_S, replace_ttl=True)
            count += _store(looked.followed(taken.new, now), now)
            count += _store(looked.followed(taken.back, now, back=True), now)
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
        since_ms = max(since_ms, round((now - LOOKED_BACK_S) * 1000)) if since_ms == 0 else since_ms
        _look_back(rule_index.by_metric(), since_ms)
        arrived.looked_back()
    if arrived.waits():
        arrived.wake()
        return 0
    with arrived.turn() as turn:
        if turn is None:
            return 0
        count = _store(looked.waiting(), now)
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
        _look_back_at_changed(rules, now)
        count, seen = 0, list[Seen]()
        for at in _moments(now):
            turn.extend(arrived.LOCK_S, replace_ttl=True)
            is_newest = now - at < CALCULATED_EVERY_S
            seen = looked.of_moment([one for one in rules if is_newest or one.changed_at <= at], at)
            count += _store(looked.calculated(seen, at), now if is_newest else at + ON_THE_WAY_S)
            arrived.note_look(at)
        count += _store(looked.lapsed(rules, seen, now), now)
        count += _store(looked.runs(rules, now - LOOKED_BACK_S, now), now)
    no_data.look(now)
    announcements.announce(now)
    return count


def _moments(now: float) -> list[float]:
    """Return the moments that nobody looked at yet, oldest first: those of a time in which no worker ran, too.

    Of a longer time than an hour it is the last one, and of more than `CAUGHT_UP_MOST` moments it is every second, …
    """
    at = now // CALCULATED_EVERY_S * CALCULATED_EVERY_S
    last = arrived.looked_at()
    if last is None or last > at:  # a clock was set back
        return [at]
    first = max(last, at - HISTORY_S) + CALCULATED_EVERY_S
    count = round((at - first) / CALCULATED_EVERY_S) + 1
    apart = max(1, math.ceil(count / CAUGHT_UP_MOST))
    return [at - place * CALCULATED_EVERY_S for place in range(count) if place % apart == 0][::-1]


def _look_back_at_changed(rules: Iterable[IndexedRule], now: float) -> None:
    """Have looked at the samples that came while a process did not know of a change of a rule, and so noted none."""
    last = arrived.looked_at()
    since = (now - LOOKED_BACK_S if last is None else last) - KNOWN_WITHIN_S
    changed = [one for one in rules if one.follows and one.changed_at > since]
    if changed:
        _look_back({one.query.metric for one in changed}, round(min(one.changed_at for one in changed) * 1000))


def _look_back(metrics: Iterable[str], since_ms: int) -> None:
    """Have looked at the samples of `metrics` since a time; each rule begins where it is as it is."""
    ids = Series.objects.filter(metric__in=list(metrics)).order_by().values_list("pk", flat=True)
    arrived.add(dict.fromkeys(ids, since_ms), back=True)


def _store(found: Sequence[Looked], now: float) -> int:
    """Fold the samples of each, and write what changed with all that follows; return how many alerts changed.

    One that can't be written is logged, and keeps the others from nothing.
    """
    moved = [(one, *_folded(one, now)) for one in found]
    values = [_value(one, status) for one, status, changes in moved if not changes and _is_seen(one)]
    for begin in range(0, len(values), VALUES_AT_ONCE):
        alert_values.write(values[begin : begin + VALUES_AT_ONCE])
    written = [Moved(*one) for one in moved if one[2]]
    return sum(
        one_by_one.each(written[begin : begin + AT_ONCE], alert_states.write, _not_written)
        for begin in range(0, len(written), AT_ONCE)
    )


def _not_written(one: Moved) -> None:
    log.exception("alert not written", rule=one.looked.rule.name, labels=dict(one.looked.labels))


def _is_seen(one: Looked) -> bool:
    """Whether a newer value is worth a row; a series that is well has one only because it once was not."""
    return bool(one.samples) and one.alert is not None and one.alert.state != State.OK


def _value(one: Looked, status: Status) -> Value:
    assert one.alert is not None
    seen_at_ms = max(one.alert.seen_at_ms, round(max(status.seen_at, 0.0) * 1000))
    return Value(one.alert, seen_at_ms, one.value, one.stale_after_s)


def _folded(one: Looked, now: float) -> tuple[Status, list[Change]]:
    rule = one.rule
    timing = rule.spec.timing(rule.condition, one.stale_after_s)
    status, changes = fold(one.restart, one.samples, now - ON_THE_WAY_S, rule.spec.is_bad(rule.condition), timing)
    before = State.OK if one.alert is None else State(one.alert.state)
    if one.is_late:  # what was told stays told: only where it differs now is news
        if status.state == before:
            return status, []
        at = status.since if math.isfinite(status.since) else one.samples[0][0]
        cause = changes[-1].cause if changes else Cause.SAMPLE
        return replace(status, since=at), [Change(before, status.state, at, status.value, cause)]
    old = [change for change in changes if change.at < now - HISTORY_S]
    news = changes[len(old) :]
    if old and old[-1].after != before:
        news.insert(0, replace(old[-1], before=before))
    return status, news
