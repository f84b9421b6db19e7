"""Rules by the metric that they look at, cached for a second, so that storing samples need not query for them."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast, overload

import structlog
from django.db.models import Count, Max, Sum, Value

from metrics.access.policy import restricted_sources
from metrics.alerts.base import ConditionConfig
from metrics.alerts.rule import RuleSpec, of_version_1
from metrics.models import Rule, Series
from metrics.prepared_query import PreparedQuery
from metrics.series.read import Matching, Query
from metrics.versioned import upgraded

log = structlog.get_logger(__name__)

PARSED_MOST = 10_000
CACHED_S = 1.0
ACCESS_CACHED_S = 10.0


@dataclass(frozen=True, slots=True)
class IndexedRule:
    """A rule that is looked at, as it is since `changed_at` (Unix seconds), and the sources (ids) that it may not read.

    `condition` is the config of its condition. It `follows` each sample that comes, or else looks now and then; it
    `needs_past` if it compares something else than samples themselves, and `samples_before` one. Whether a series
    without samples is something to it, `may_lapse` says.
    """

    pk: int
    name: str
    spec: RuleSpec
    query: Query
    condition: ConditionConfig
    hidden: frozenset[int]
    changed_at: float
    follows: bool
    needs_past: bool
    samples_before: int
    may_lapse: bool


class OfMetric(Sequence[IndexedRule]):
    """The rules that look at one metric. Those that look at one series are found by its labels."""

    def __init__(self, rules: Sequence[IndexedRule]) -> None:
        self._rules = rules
        self._matching = Matching(enumerate(rule.query for rule in rules))
        self._followed: dict[tuple[int, str, int | None], bool] = {}

    @overload
    def __getitem__(self, place: int) -> IndexedRule: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[IndexedRule]: ...
    def __getitem__(self, place: int | slice) -> IndexedRule | Sequence[IndexedRule]:
        return self._rules[place]

    def __len__(self) -> int:
        return len(self._rules)

    def follow(self, series: Series) -> bool:
        """Whether a rule looks at each sample of `series`. Storing samples asks it for each: it is remembered."""
        key = series.pk, series.type, series.source_id
        known = self._followed.get(key)
        if known is None:
            known = self._followed[key] = bool(self.following(series))
        return known

    def following(self, series: Series) -> list[IndexedRule]:
        """Return the rules that look at each sample of `series`; counters are looked at by their rate, now and then."""
        if series.type == "counter":
            return []
        matching = (self._rules[place] for place in self._matching.matching(series.metric, series.labels))
        return [rule for rule in matching if rule.follows and series.source_id not in rule.hidden]


ByMetric = Mapping[str, OfMetric]
Document = tuple[RuleSpec, ConditionConfig]
NONE = OfMetric(())
_lock = Lock()
_known: ByMetric = {}
_UNKNOWN = object()
_parsed: dict[tuple[int, int], Document | object | None] = {}
"""Documents by id and revision."""
_read: tuple[float, float, Any] = (-math.inf, -math.inf, None)
"""When it was asked whether rules changed, when they were read, both in monotonic seconds, and what was answered."""


_STATE = PreparedQuery(
    lambda: (
        Rule.objects.order_by()
        .values(all=Value(1))
        .annotate(Count("pk"), Max("changed_at"), Sum("revision"))
        .values_list("pk__count", "changed_at__max", "revision__sum")
    )
)
"""Something else whenever a rule was made, changed or deleted."""


def by_metric() -> ByMetric:
    """Return the rules that are looked at, by metric: as they are, or were a second ago; their sources, ten."""
    global _known, _read
    with _lock:
        now = time.monotonic()
        asked_at, read_at, before = _read
        if now - asked_at >= CACHED_S:
            state = _STATE.rows()
            if state != before or now - read_at >= ACCESS_CACHED_S:
                _known, read_at = _all(), now
            _read = now, read_at, state
        return _known


def forget() -> None:
    """Remember nothing any more."""
    global _read
    with _lock:
        _read = (-math.inf, -math.inf, None)
        _parsed.clear()


def _all() -> ByMetric:
    found: dict[str, list[IndexedRule]] = defaultdict(list)
    rules = list(Rule.objects.filter(enabled=True, received=None).prefetch_related("teams"))
    restricted = restricted_sources() if rules else {}
    for rule in rules:
        document = _document(rule)
        if document is not None:
            teams = {team.pk for team in rule.teams.all()}
            hidden = frozenset(source for source, of in restricted.items() if not of & teams)
            spec, condition = document
            found[rule.metric].append(_made(rule, spec, condition, hidden))
    return {metric: OfMetric(of_metric) for metric, of_metric in found.items()}


def _made(rule: Rule, spec: RuleSpec, condition: ConditionConfig, hidden: frozenset[int]) -> IndexedRule:
    kind = spec.kind
    before = kind.samples_before(condition)
    return IndexedRule(
        pk=rule.pk,
        name=rule.name,
        spec=spec,
        query=spec.query.query(),
        condition=condition,
        hidden=hidden,
        changed_at=rule.changed_at.timestamp(),
        follows=spec.is_plain() and not kind.of_sources,
        needs_past=bool(before or kind.past(condition)),
        samples_before=before,
        may_lapse=not kind.of_sources and (kind.no_data or spec.no_data) != "keep",
    )


def _document(rule: Rule) -> Document | None:
    key = rule.pk, rule.revision
    found = _parsed.get(key, _UNKNOWN)
    if found is _UNKNOWN:
        if len(_parsed) >= PARSED_MOST:
            _parsed.clear()
        found = _parsed[key] = _read_document(rule)
    return cast(Document | None, found)


def _read_document(rule: Rule) -> Document | None:
    try:
        spec = spec_of(rule)
        return spec, spec.config()
    except ValueError as problem:  # a later release stored it, or its condition is gone
        log.warning("rule can't be read", rule=rule.name, error=str(problem))
        return None


def spec_of(rule: Rule) -> RuleSpec:
    """Return the document of a rule. Raises ValueError, such as pydantic's, for one that a later release stored."""
    return RuleSpec.model_validate(document_of(rule))


def document_of(rule: Rule) -> dict[str, Any]:
    """Return a rule as the document that `RuleSpec` takes. Raises ValueError for one that a later release stored."""
    spec = of_version_1(upgraded(RuleSpec, rule.spec, rule.version))
    return {**spec, "name": rule.name, "enabled": rule.enabled}


def is_read(rule: Rule) -> bool:
    """Whether this release can read `rule`, and knows its condition: remembered, as all of them are asked for often."""
    return _document(rule) is not None


def readable(rule: Rule) -> RuleSpec | None:
    """Return the document of a rule; None if this release can't read it."""
    try:
        return spec_of(rule)
    except ValueError:
        return None
