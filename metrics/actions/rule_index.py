"""Rules by the metric that they look at, remembered for a second: storing samples must not wait for it."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import structlog
from django.db.models import Count, Max
from pydantic import ValidationError

from metrics.access.policy import hidden_on_rule
from metrics.alerts.base import ConditionConfig
from metrics.alerts.rule import RuleSpec
from metrics.models import Rule, Series
from metrics.series.read import Query

log = structlog.get_logger(__name__)

REMEMBERED_S = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """A rule that is looked at, as it is since `changed_at` (Unix seconds), and the sources (ids) that it may not read.

    `condition` is the config of its condition, and `tells` are the people whom it tells.
    """

    pk: int
    name: str
    spec: RuleSpec
    query: Query
    condition: ConditionConfig
    hidden: frozenset[int]
    changed_at: float
    tells: tuple[str, ...]

    def looks_at(self, series: Series) -> bool:
        return series.source_id not in self.hidden and self.query.matches(series.metric, series.labels)


ByMetric = Mapping[str, Sequence[Known]]
_lock = Lock()
_known: ByMetric = {}
_read: tuple[float, Any] = (-1e9, None)


def by_metric() -> ByMetric:
    """Return the rules that are looked at, by metric: as they are, or were a second ago."""
    global _known, _read
    with _lock:
        if time.monotonic() - _read[0] >= REMEMBERED_S:
            state = Rule.objects.aggregate(count=Count("pk"), newest=Max("changed_at"))
            if state != _read[1]:
                _known = _all()
            _read = time.monotonic(), state
        return _known


def forget() -> None:
    """Remember nothing any more."""
    global _read
    _read = (-1e9, None)


def _all() -> ByMetric:
    found: dict[str, list[Known]] = defaultdict(list)
    for rule in Rule.objects.filter(enabled=True).prefetch_related("teams"):
        if (known := _parsed(rule)) is not None:
            found[rule.metric].append(known)
    return dict(found)


def _parsed(rule: Rule) -> Known | None:
    try:
        spec = spec_of(rule)
        condition = spec.config()
    except ValidationError as problem:  # a later release stored it
        log.warning("rule can't be read", rule=rule.name, error=str(problem.errors()[0]["msg"]))
        return None
    tells = tuple(f"team:{team.name}" for team in rule.teams.all()) or (("everyone",) if rule.for_everyone else ())
    changed_at = rule.changed_at.timestamp()
    return Known(rule.pk, rule.name, spec, spec.query.query(), condition, hidden_on_rule(rule), changed_at, tells)


def spec_of(rule: Rule) -> RuleSpec:
    """Return the document of a rule. Raises pydantic's ValidationError."""
    return RuleSpec.model_validate({**rule.spec, "name": rule.name, "enabled": rule.enabled})
