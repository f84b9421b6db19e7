"""Rules that look at what tests push, and what came of it."""

from collections.abc import Sequence
from typing import Any

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import evaluation, rules
from metrics.models import Alert, Notification, Rule, Transition
from metrics.times import datetime_of
from tests.make import AT, accepted, sample

ABOVE = {"kind": "threshold", "above": 90, "clear_below": 80}


def rule(
    name: str = "Disk full",
    metric: str = "disk_used",
    *,
    condition: dict[str, Any] = ABOVE,
    teams: Sequence[str] | None = None,
    **fields: Any,
) -> Rule:
    """Make a rule, for everyone or for `teams`, that is a day old."""
    access = None if teams is None else Access(everyone=False, teams=list(teams))
    document = {"name": name, "query": {"metric": metric}, "condition": condition, **fields}
    made = rules.create(SYSTEM, document, access)
    Rule.objects.filter(pk=made.pk).update(changed_at=datetime_of(AT - 86_400))
    return made


def push(value: float, after_s: float = 0, metric: str = "disk_used", **labels: str) -> None:
    """Push one value, and have the rules look at it."""
    accepted([sample(metric, value, AT + after_s, **labels)], now=AT + after_s)
    evaluation.evaluate(AT + after_s)


def push_hosts(after_s: float = 0, metric: str = "disk_used", /, **values: float) -> None:
    """Push the values of several hosts, and have the rules look at them."""
    now = AT + after_s
    accepted([sample(metric, value, now, host=host) for host, value in values.items()], now=now)
    evaluation.evaluate(now)


def states() -> dict[str, str]:
    return {str(alert): alert.state for alert in Alert.objects.select_related("rule").order_by("pk")}


def moves() -> list[tuple[str, str, float]]:
    rows = Transition.objects.filter(noun="alert").order_by("pk")
    return [(row.before, row.after, row.at.timestamp() - AT) for row in rows]


def told() -> list[str]:
    return list(Notification.objects.order_by("pk").values_list("text", flat=True))
