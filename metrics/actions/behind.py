"""Alerts behind others: while an alert is bad, alerts of the rules behind its rule are withheld."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import QuerySet

from metrics.access.policy import visible
from metrics.access.principal import Principal
from metrics.actions import odd_rows
from metrics.actions.alert_labels import labels_of
from metrics.actions.withholding import Reason
from metrics.alerts.machine import ALERTING, State
from metrics.alerts.rule import Behind
from metrics.models import Alert, Rule

BAD = (*ALERTING, State.RECOVERING)

Front = tuple[str, Sequence[str]]
"""One in front: the name of its rule, and the labels that have to be the same."""


def reasons(alerts: Sequence[Alert], held: Collection[int]) -> dict[int, Reason]:
    """Return the alert in front of each of `alerts` that stands behind one, as a reason, by their ids.

    In front are alerts that are told, and those of `alerts` that are told now: they are not `held` (ids) for another
    reason, and stand behind none themselves.
    """
    behind = {one.pk: fronts for one in alerts if one.pk not in held and (fronts := _of(one.rule))}
    if not behind:
        return {}
    names = {rule for fronts in behind.values() for rule, _ in fronts}
    front = _Fronts(_told().filter(rule__name__in=names))
    for one in alerts:
        if one.pk not in held and one.pk not in behind and one.rule.name in names:
            front.add(one)
    found: dict[int, Reason] = {}
    for alert in alerts:
        if alert.pk not in behind:
            continue
        before = front.before(alert, behind[alert.pk])
        if before is None:
            front.add(alert)
        else:
            found[alert.pk] = Reason("behind", str(before.pk), str(before), "", before.since_ms / 1000, math.inf)
    return found


def those_behind(by: Principal, alert: Alert) -> list[Alert]:
    """Return the alerts that are bad, and not told as they stand behind `alert`, of those that `by` may see."""
    if not alert.are_told:
        return []
    name = alert.rule.name
    rules = [one.pk for one in naming(Rule.objects.filter(enabled=True)) if any(name == rule for rule, _ in _of(one))]
    if not rules:
        return []
    rows = visible(by, Alert).filter(rule__in=rules, state__in=BAD, are_told=False).select_related("rule")
    front = _Fronts([alert])
    return [one for one in rows.order_by("pk") if front.before(one, _of(one.rule)) is not None]


def _told() -> QuerySet[Alert]:
    return Alert.objects.filter(are_told=True, state__in=BAD).select_related("rule").order_by("pk")


def naming(rules: QuerySet[Rule]) -> QuerySet[Rule]:
    """Return those of `rules` that say that they stand behind any."""
    return rules.filter(spec__has_key="behind")


def names(rule: Rule) -> set[str]:
    """Return the names of the rules that `rule` stands behind."""
    return {name for name, _ in _of(rule)}


def _of(rule: Rule) -> list[Front]:
    """Return the rules in front of `rule`; it stands behind none of a kind that this release can't read."""
    try:
        return [(one.rule, one.labels) for one in map(Behind.model_validate, rule.spec.get("behind", ()))]
    except (ValueError, TypeError) as problem:
        odd_rows.left_out(rule, problem)
        return []


class _Fronts:
    """Alerts in front, found by their rule and the values of some labels: a storm has thousands of them."""

    def __init__(self, alerts: Iterable[Alert]) -> None:
        self._of_rule: dict[str, list[tuple[Alert, dict[str, str]]]] = {}
        self._found: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], list[Alert]]] = {}
        for alert in alerts:
            self.add(alert)

    def add(self, alert: Alert) -> None:
        labels = labels_of(alert)
        self._of_rule.setdefault(alert.rule.name, []).append((alert, labels))
        for (rule, names), found in self._found.items():
            if rule == alert.rule.name:
                found.setdefault(_values(labels, names), []).append(alert)

    def before(self, alert: Alert, behind: Sequence[Front]) -> Alert | None:
        """Return an alert that `alert` stands behind: one of a rule that it names, with the same labels."""
        mine = labels_of(alert)
        for rule, same in behind:
            names = tuple(same)
            those = self._index(rule, names).get(_values(mine, names), ())
            found = next((other for other in those if other.pk != alert.pk), None)
            if found is not None:
                return found
        return None

    def _index(self, rule: str, names: tuple[str, ...]) -> dict[tuple[str, ...], list[Alert]]:
        if (rule, names) not in self._found:
            index: dict[tuple[str, ...], list[Alert]] = {}
            for alert, labels in self._of_rule.get(rule, ()):
                index.setdefault(_values(labels, names), []).append(alert)
            self._found[rule, names] = index
        return self._found[rule, names]


def _values(labels: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)
