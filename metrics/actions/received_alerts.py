"""Alerts that others evaluate, and send: what they say becomes states and transitions, which are announced as all are.

An alert is its labels, and belongs to the rule with its name. It is sent again and again while it is bad, which changes
nothing but until when it holds; it is over when it is sent as over, or is not sent anew. So it is in Alertmanager.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import BigIntegerField, QuerySet

from metrics.access.policy import PUSH, SAMPLES, check
from metrics.access.principal import Principal
from metrics.actions import alerts, journal, locks, received_rules
from metrics.alerts.machine import State
from metrics.ingest.alerts import ALERTNAME, SEVERITY, SentAlert
from metrics.models import Alert, Rule, Transition
from metrics.prepared_query import Given, PreparedQuery

AT_ONCE = 500
"""Alerts that are written in one transaction."""
BAD_MOST = 20_000
"""Alerts that are bad at once; beyond, new ones are refused."""
FOLLOWED = [
    *("state", "since_ms", "seen_at_ms", "fired_at_ms", "ends_at_ms", "labels", "severity", "annotations", "link"),
    *("value", *alerts.ACKNOWLEDGED),
]
TOO_MANY_RULES = f"there are {received_rules.RULES_MOST} names of alerts already, so none can be added"
TOO_MANY = f"{BAD_MOST} alerts are bad already, so none can be added"


@dataclass(slots=True)
class Received:
    """How many alerts were taken, and why others were not."""

    count: int = 0
    wrong: list[str] = field(default_factory=list)


def receive(by: Principal, sent: Sequence[SentAlert], now: float) -> Received:
    """Take the alerts that `by` sends at `now` (Unix seconds). Raises Forbidden.

    Alerts of a rule that is turned off, and those that are over and were never bad, count as taken and are none.
    """
    check(by, PUSH, SAMPLES)
    done = Received()
    newest = _newest(sent)
    for begin in range(0, len(newest), AT_ONCE):
        with transaction.atomic():
            _take(by, newest[begin : begin + AT_ONCE], now, done)
    return done


def end_unsent(now: float) -> int:
    """Have those alerts end that were not sent anew until they no longer hold; return how many."""
    count = 0
    while some := _unsent(now):
        count += some
    return count


def key_of(labels: Mapping[str, str]) -> str:
    """Return the identity of an alert among those of its rule."""
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()


def _newest(sent: Iterable[SentAlert]) -> list[SentAlert]:
    """Return each alert once, as it is sent last."""
    return list({key_of(one.labels): one for one in sent}.values())


def _take(by: Principal, sent: Sequence[SentAlert], now: float, done: Received) -> None:
    rules = received_rules.of(by, dict.fromkeys(one.name for one in sent))
    wanted: dict[tuple[int, str], SentAlert] = {}
    for one in sent:
        rule = rules[one.name]
        if rule is None:
            done.wrong.append(TOO_MANY_RULES)
            continue
        done.count += 1
        if rule.enabled:
            wanted[rule.pk, key_of(one.labels)] = one
    by_id = {rule.pk: rule for rule in rules.values() if rule is not None}
    refused = _add(wanted, by_id, now)
    done.count -= refused
    done.wrong += [TOO_MANY] * refused
    moves, changed = [], []
    for alert in _locked(wanted):
        alert.rule = by_id[alert.rule_id]
        one = wanted[alert.rule_id, alert.key]
        move = _follow(by, alert, one, now)
        if move is not None:
            moves.append(move)
        if move is not None or (alert.state == State.FIRING and one.ends_at > now):
            changed.append(alert)
    Alert.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=FOLLOWED)
    journal.moved(moves)


def _add(wanted: Mapping[tuple[int, str], SentAlert], rules: Mapping[int, Rule], now: float) -> int:
    """Make the rows of those alerts that are bad and have none; return how many there are too many of."""
    known = set(_of(wanted).values_list("rule_id", "key"))
    new = [(key, one) for key, one in wanted.items() if one.ends_at > now and key not in known]
    if not new:
        return 0
    room = max(0, BAD_MOST - Alert.objects.exclude(state=State.OK).count())
    Alert.objects.bulk_create(
        [
            Alert(
                rule=rules[rule],
                key=key,
                series={name: text for name, text in one.labels.items() if name not in (ALERTNAME, SEVERITY)},
                labels=dict(one.labels),
                state=State.OK,
                since_ms=0,
                seen_at_ms=0,
            )
            for (rule, key), one in sorted(new[:room], key=lambda pair: pair[0])
        ],
        ignore_conflicts=True,  # another request may bring the same ones
    )
    return len(new) - min(room, len(new))


def _of(wanted: Iterable[tuple[int, str]]) -> QuerySet[Alert]:
    rules, keys = {rule for rule, _ in wanted}, {key for _, key in wanted}
    return Alert.objects.filter(rule__in=rules, key__in=keys)


def _locked(wanted: Iterable[tuple[int, str]]) -> list[Alert]:
    """Return the rows of the alerts, locked."""
    return list(locks.alerts(_of(wanted)))


def _follow(by: Principal, alert: Alert, sent: SentAlert, now: float) -> Transition | None:
    """Have `alert` be as it was sent; return the transition if its state changes."""
    starts_ms, ends_ms = round(sent.starts_at * 1000), round(sent.ends_at * 1000)
    alert.seen_at_ms = round(now * 1000)
    if sent.ends_at <= now:
        if alert.state == State.OK or ends_ms < alert.since_ms:  # over already, or it is bad anew since then
            return None
        alert.ends_at_ms = ends_ms
        return _over(alert, ends_ms, f"{by.name} sent that it is over.")
    is_new = alert.state != State.FIRING
    rule = alert.rule.spec
    alert.labels = {**sent.labels, **rule.get("labels", {})}
    alert.severity = sent.severity or alert.rule.severity
    alert.annotations, alert.link, alert.value = dict(sent.annotations), sent.link, sent.value
    alert.ends_at_ms = ends_ms if is_new else max(ends_ms, alert.ends_at_ms or 0)
    alert.fired_at_ms = starts_ms if is_new else min(starts_ms, alert.fired_at_ms or starts_ms)
    if not is_new:
        return None
    # One that comes back begins when it does, though its sender says that it never ended.
    since_ms = starts_ms if starts_ms > alert.since_ms else round(now * 1000)
    return _become(alert, State.FIRING, since_ms, f"{by.name} sent it.")


def _over(alert: Alert, at_ms: int, why: str) -> Transition:
    alerts.clear(alert)
    return _become(alert, State.OK, at_ms, why)


def _become(alert: Alert, state: State, at_ms: int, why: str) -> Transition:
    move = journal.transition(alert, alert.state, state, at_ms / 1000, why[:300], alert.value)
    alert.state, alert.since_ms = state, at_ms
    return move


def _over_by(at_ms: int | Given) -> QuerySet[Alert]:
    return Alert.objects.filter(ends_at_ms__lte=at_ms).exclude(state=State.OK)


_OVER = PreparedQuery(lambda at_ms: _over_by(at_ms).order_by().values_list("pk")[:1], BigIntegerField())


def _unsent(now: float) -> int:
    at_ms = round(now * 1000)
    if not _OVER.finds(at_ms):
        return 0
    over = _over_by(at_ms)
    with transaction.atomic():
        some = over.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
        rows = locks.alerts(over.filter(pk__in=list(some)).select_related("rule"))
        moves = [
            _over(one, max(one.ends_at_ms or 0, one.since_ms), "It was not sent anew until it no longer held.")
            for one in rows
        ]
        Alert.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=FOLLOWED)
        journal.moved(moves)
    return len(rows)
