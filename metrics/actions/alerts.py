"""Alerts: what rules make of samples, who is told, and who answers."""

import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from celery.exceptions import OperationalError
from django.db import transaction
from django.db.models import Case, Q, When
from redis import RedisError

from metrics import schedule
from metrics.access.policy import ACKNOWLEDGE, check, visible
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import journal, notifications, rule_index
from metrics.actions.errors import Invalid, Missing, check_storable
from metrics.actions.notification_settings import ALERT
from metrics.actions.rule_index import Known
from metrics.alerts.machine import BURNING, TOLD, Change, Standing, State, fold
from metrics.models import Alert, Series, Transition
from metrics.redis_state import arrived, outage
from metrics.sample import FUTURE_MOST_S, Sample, series_key
from metrics.series import read
from metrics.series.read import Asked, Track, Window
from metrics.times import datetime_of
from metrics.widgets import units

log = structlog.get_logger(__name__)

UNKNOWN_EVERY_S = 300.0
LOOKED_BACK_S = 600.0
"""How far back samples are looked at when nobody knows what arrived: Redis was started anew."""
CALCULATED_EVERY_S = 10
"""How often is looked at what is calculated of samples, such as rates."""
REASON_MOST = 500
CALCULATED_MOST_S = 300.0
"""Over how long a function is, where its query does not say it."""
LISTED_MOST = 1000
ORDER = (State.FIRING, State.NODATA, State.RECOVERING, State.PENDING)
WORST_FIRST = Case(*(When(state=state, then=place) for place, state in enumerate(ORDER)), default=len(ORDER))
SEVERITIES = ("critical", "warning", "info")
MOST_SEVERE_FIRST = Case(
    *(When(rule__severity=one, then=place) for place, one in enumerate(SEVERITIES)), default=len(SEVERITIES)
)
NEW = Standing()
"""Of a series that was never bad."""
AT_ONCE = 200
"""Alerts that are written in one transaction."""
FIELD = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Looked:
    """One rule and one series that it looks at: what is known of the `alert`, and the `samples` to fold.

    `restart` is where the fold begins: with the alert's own state, or with the one before a sample that came late.
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

    A Redis that does not answer is logged: the next sweep finds out.
    """
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
    except (RedisError, OperationalError) as error:
        outage.log("rules were not told of samples", error)


def evaluate(now: float) -> int:
    """Look at what arrived, until nothing is left; return how many alerts changed. Raises RedisError."""
    count = 0
    with arrived.turn() as is_ours:
        while is_ours and (oldest_ms := arrived.take()):
            count += _follow(oldest_ms, now)
            arrived.done()
    return count


def sweep(now: float) -> int:
    """Do what time does to alerts, and have looked at what was forgotten; return how many changed.

    Raises RedisError.
    """
    if not rule_index.by_metric():
        return 0
    count = 0
    with arrived.turn() as is_ours:
        if is_ours:
            if arrived.is_new():
                _look_back(now)
            _end_acknowledgements(now)
            count = _store(_waiting(), now)
    if arrived.waits():
        arrived.wake()
    return count


def look(now: float) -> int:
    """Look at series that may have lapsed, and at what is calculated of samples; return how many alerts changed.

    Raises RedisError.
    """
    rules = [one for of_metric in rule_index.by_metric().values() for one in of_metric]
    if not rules:
        return 0
    with arrived.turn() as is_ours:
        return _store(_lapsed(rules, now) + _calculated(rules, now), now) if is_ours else 0


def acknowledge(by: Principal, id: int, reason: str, until: datetime | None = None) -> Alert:
    """Take an alert: `by` looks after it, for `reason`, `until` then or until it ends. It is looked at as before.

    Raises Missing, Forbidden and Invalid.
    """
    check_storable(reason, "reason")
    if len(reason) > REASON_MOST:
        raise Invalid("reason", f"reason: it has at most {REASON_MOST} characters.")
    now = datetime_of(time.time())
    if until is not None and until <= now:
        raise Invalid("until", "until: it has to be in the future.")
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=find(by, id).pk)
        check(by, ACKNOWLEDGE, alert)
        if alert.state == State.OK:
            raise Invalid("id", "This alert is over; there is nothing to acknowledge.")
        alert.acknowledged_at, alert.acknowledged_by = now, by.name
        alert.acknowledged_until, alert.reason = until, reason.strip()
        alert.save(update_fields=ACKNOWLEDGED)
        journal.record(by, "acknowledge", alert, {}, {"reason": alert.reason, "until": until and until.isoformat()})
    return alert


def give_back(by: Principal, id: int) -> Alert:
    """Take an acknowledgement back: the alert is for anybody again. Raises Missing and Forbidden."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=find(by, id).pk)
        check(by, ACKNOWLEDGE, alert)
        before = {"by": alert.acknowledged_by, "reason": alert.reason}
        _clear(alert)
        alert.save(update_fields=ACKNOWLEDGED)
        journal.record(by, "give back", alert, before, {"by": "", "reason": ""})
    return alert


def find(by: Principal, id: int) -> Alert:
    """Return the alert `id` with its rule. Raises Missing, also if it is not for `by` to see."""
    alert = visible(by, Alert).select_related("rule").filter(pk=id).first()
    if alert is None:
        raise Missing(f"There is no alert {id}.")
    return alert


def current(by: Principal, all: bool = False) -> list[Alert]:
    """Return the alerts that `by` may see and that are not ok, or all: the worst first, then the newest."""
    found = visible(by, Alert).select_related("rule").prefetch_related("rule__teams")
    if not all:
        found = found.exclude(state=State.OK)
    return list(found.order_by(WORST_FIRST, MOST_SEVERE_FIRST, "-since_ms", "pk")[:LISTED_MOST])


ACKNOWLEDGED = ["acknowledged_at", "acknowledged_by", "acknowledged_until", "reason"]
FOLLOWED = ["state", "since_ms", "seen_at_ms", "lapses_after_s", "labels", "value", "fired_at_ms", *ACKNOWLEDGED]
MADE = [*FOLLOWED, "series", "unit"]


def _clear(alert: Alert) -> None:
    alert.acknowledged_at = alert.acknowledged_until = None
    alert.acknowledged_by = alert.reason = ""


def _end_acknowledgements(now: float) -> None:
    """Have those come back whose time is over."""
    over = Alert.objects.filter(acknowledged_until__lte=datetime_of(now))
    over.update(acknowledged_at=None, acknowledged_until=None, acknowledged_by="", reason="")


def _look_back(now: float) -> None:
    """Look at the newest samples of all that rules look at."""
    metrics = list(rule_index.by_metric())
    ids = Series.objects.filter(metric__in=metrics).order_by().values_list("pk", flat=True)
    arrived.add(dict.fromkeys(ids, round((now - LOOKED_BACK_S) * 1000)))


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
    alerts = _alerts(rule.pk for rule, _ in pairs)
    looked = []
    starts: dict[int, int] = {}
    for rule, one in pairs:
        alert = alerts.get((rule.pk, one.key))
        it = Looked(rule, one.key, one.labels, one.unit, _stale_after_s(one, now), alert)
        start_ms = oldest_ms[one.pk]
        it.restart, it.is_late = _restart(alert, start_ms)
        starts[one.pk] = start_ms
        looked.append((it, one.pk))
    held = read.samples(list(starts), min(starts.values()), round((now + FUTURE_MOST_S) * 1000))
    for it, pk in looked:
        it.samples = [(at_ms / 1000, value) for at_ms, value in held.get(pk, ()) if at_ms >= starts[pk]]
    return _store([it for it, _ in looked], now)


def _restart(alert: Alert | None, start_ms: int) -> tuple[Standing, bool]:
    """Return what stood before a sample of the time `start_ms`, and whether that is not what stands now."""
    if alert is None:
        return Standing(), False
    if start_ms > alert.since_ms:
        seen_at = alert.seen_at_ms / 1000 if alert.seen_at_ms < start_ms else -math.inf
        return Standing(State(alert.state), alert.since_ms / 1000, seen_at), False
    moved = Transition.objects.filter(noun="alert", thing=str(alert.pk), at__lt=datetime_of(start_ms / 1000))
    before = moved.order_by("-at", "-pk").first()
    if before is None:
        return Standing(), True
    return Standing(State(before.after), before.at.timestamp()), True


def _stale_after_s(series: Series, now: float) -> float:
    every_s = series.expected_every_s or (series.source.expected_every_s(now) if series.source else None)
    stale_s = schedule.stale_at(0.0, every_s or UNKNOWN_EVERY_S)
    return stale_s if series.expires_after_s is None else min(stale_s, series.expires_after_s)


def _alerts(rules: Iterable[int], chosen: Q | None = None) -> dict[tuple[int, str], Alert]:
    """Return the alerts of `rules` (ids), by rule and key."""
    found = Alert.objects.filter(rule__in=set(rules))
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
    alerts = _alerts((rule.pk for rule in wanting), ~Q(state=State.OK))
    for rule in wanting:
        newest = {series_key(one.metric, one.labels): one for one in read.tracks(rule.query, now, rule.hidden)}
        for one in Series.objects.filter(metric=rule.query.metric).select_related("source"):
            track = newest.get(one.key)
            if (rule.pk, one.key) in alerts or track is None or track.latest is None or not rule.looks_at(one):
                continue
            stale_after_s = _stale_after_s(one, now)
            lapses_after_s = rule.spec.timing(rule.condition, stale_after_s).lapses_after_s
            if lapses_after_s is not None and rule.changed_at < track.came_at + lapses_after_s <= now:
                restart = Standing(seen_at=track.came_at)
                found.append(Looked(rule, one.key, one.labels, one.unit, stale_after_s, None, restart=restart))
    return found


def _calculated(rules: Sequence[Known], now: float) -> list[Looked]:
    """Return what rules look at that is made of samples first: rates, and functions over a time."""
    at = now // CALCULATED_EVERY_S * CALCULATED_EVERY_S
    made = [rule for rule in rules if not rule.spec.query.is_plain()]
    alerts = _alerts(rule.pk for rule in made)
    found = []
    for rule in made:
        for track in _tracks(rule, at):
            found += _seen(rule, track, alerts, at)
    return found


def _tracks(rule: Known, at: float) -> list[Track]:
    query = rule.spec.query
    over_s = query.over_s or CALCULATED_MOST_S
    window = Window(at, at - over_s, at, over_s, at - over_s)
    asked = Asked(rule.query, query.chosen_function(), window, points=False, over_s=query.over_s)
    return read.together([asked], at, rule.hidden)[0]


def _seen(rule: Known, track: Track, alerts: Mapping[tuple[int, str], Alert], at: float) -> list[Looked]:
    key = series_key(track.metric, track.labels)
    alert = alerts.get((rule.pk, key))
    stale_after_s = schedule.stale_at(0.0, track.every_s or UNKNOWN_EVERY_S)
    if track.latest is None or track.came_at + stale_after_s <= at:
        return []  # what stands already lapses by itself
    restart = Standing(seen_at=at) if alert is None else _standing(alert)
    if alert is not None and alert.seen_at_ms >= at * 1000:
        return []
    return [Looked(rule, key, track.labels, track.unit, stale_after_s, alert, [(at, track.latest.value)], restart)]


def _store(looked: Sequence[Looked], now: float) -> int:
    """Fold the samples of each, and write what changed with all that follows; return how many alerts changed."""
    moved = [(one, *_folded(one, now)) for one in looked]
    written = [one for one in moved if one[2] or (one[0].alert is not None and one[0].samples)]
    count = 0
    for begin in range(0, len(written), AT_ONCE):
        with transaction.atomic():
            count += sum(_write(*one) for one in written[begin : begin + AT_ONCE])
    return count


def _folded(one: Looked, now: float) -> tuple[Standing, list[Change]]:
    rule = one.rule
    timing = rule.spec.timing(rule.condition, one.stale_after_s)
    standing, changes = fold(one.restart, one.samples, now, rule.spec.is_bad(rule.condition), timing)
    if one.is_late and one.alert is not None:  # what was told stays told: only where it differs now is news
        state = State(one.alert.state)
        value = one.samples[-1][1] if one.samples else None
        changes = [] if standing.state == state else [Change(state, standing.state, standing.since, value)]
    return standing, changes


def _write(one: Looked, standing: Standing, changes: Sequence[Change]) -> bool:
    """Write where an alert stands, if nobody was faster; return whether its state changed."""
    alert = one.alert or Alert(
        rule_id=one.rule.pk, key=one.key, series=dict(one.labels), unit=one.unit, state=State.OK, since_ms=0
    )
    seen = (alert.state, alert.since_ms)
    alert.labels = {**one.labels, **one.rule.spec.labels}
    alert.lapses_after_s = one.stale_after_s
    alert.seen_at_ms = round(max(standing.seen_at, 0.0) * 1000)
    alert.value = one.samples[-1][1] if one.samples else alert.value
    if changes:
        alert.state, alert.since_ms = standing.state, round(max(standing.since, 0.0) * 1000)
        fired = [change.at for change in changes if change.after is State.FIRING and change.before not in BURNING]
        alert.fired_at_ms = round(fired[-1] * 1000) if fired else alert.fired_at_ms
        if any(change.after is State.OK for change in changes):
            _clear(alert)
    if one.alert is None:
        _, is_new = Alert.objects.get_or_create(
            rule_id=alert.rule_id, key=alert.key, defaults={name: getattr(alert, name) for name in MADE}
        )
        if not is_new:
            return False
        alert = Alert.objects.get(rule_id=alert.rule_id, key=alert.key)
    else:
        rows = Alert.objects.filter(pk=alert.pk, state=seen[0], since_ms=seen[1])
        if not rows.update(**{name: getattr(alert, name) for name in FOLLOWED}):
            return False
    rows_of = [_transition(one, alert, change) for change in changes]
    journal.moved(rows_of)
    for change in changes:
        _tell(one, alert, change)
    return bool(changes)


def _transition(one: Looked, alert: Alert, change: Change) -> Transition:
    return journal.transition(alert, change.before, change.after, change.at, _why(one, change))


def _why(one: Looked, change: Change) -> str:
    if change.after is State.NODATA:
        return "No sample came."
    if change.value is None:
        return "It lasted for long enough."
    words = f"The value was {units.show(change.value, one.unit)}"
    return f"{words}; bad is {one.rule.spec.kind.says(one.rule.condition)}."


def _tell(one: Looked, alert: Alert, change: Change) -> None:
    """Tell the people of the rule what begins and what is over, in the transaction of the change."""
    begins = change.after in TOLD and not (change.after is State.FIRING and change.before is State.RECOVERING)
    is_over = change.after is State.OK and change.before in (State.FIRING, State.RECOVERING, State.NODATA)
    if not begins and not is_over:
        return
    text = said(one.rule, alert, change)[: notifications.TEXT_MOST]
    key = f"alert:{alert.pk}:{change.after}:{change.at:.3f}"
    for to in one.rule.tells:
        notifications.tell(SYSTEM, to, ALERT, text, f"/alerts/{alert.pk}/", key)


def said(rule: Known, alert: Alert, change: Change) -> str:
    """Return the sentence that people are told of `change`."""
    name = str(alert)
    if change.after is State.NODATA:
        return f"No data: {name}."
    value = "" if alert.value is None else str(units.show(alert.value, alert.unit))
    if change.after is State.OK:
        return f"Over: {name}{f', now {value}' if value else ''}."
    text = FIELD.sub(lambda found: {**alert.labels, "value": value}.get(found[1], found[0]), rule.spec.text)
    return f"{rule.spec.severity.capitalize()}: {name} is {value}. {text}".strip()
