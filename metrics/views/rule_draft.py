"""The address of a new rule: what it looks at is that of a widget, or of Explore."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from metrics.alerts.rule import RuleQuery

FIELDS = frozenset(RuleQuery.model_fields) - {"legend", "hidden", "source", "promql", "unit"}
OF = "of"


@dataclass(frozen=True, slots=True)
class Given:
    """A `query` of a rule, and the fields for a `calculation` with more of them, as far as an address has them."""

    query: Mapping[str, Any]
    calculation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the form for such a rule."""
        return f"{reverse('rule-new')}?{urlencode({OF: json.dumps({'query': self.query, **self.calculation})})}"


def of_config(config: Mapping[str, Any]) -> Given | None:
    """Return what a rule looks at that is to look at what a widget with this config shows first; None for nothing.

    That is its first expression, else the first of its queries that is shown.
    """
    queries = [one for one in config.get("queries") or [] if not one.get("promql")]
    expressions = config.get("expressions") or []
    if expressions and len(queries) == len(config["queries"]):
        first, *others = [_of_rule(one) for one in queries]
        one = expressions[0]
        unit = {"unit": one["unit"]} if one.get("unit") else {}
        return Given(first, {"queries": others, "expression": one["expression"], **unit})
    shown = next((one for one in queries if not one.get("hidden")), None)
    return None if shown is None else Given({name: one for name, one in _of_rule(shown).items() if name != "name"})


def read(given: QueryDict, metric: str) -> Given:
    """Return what an address asks for, else nothing but `metric`; what can't be read is left out."""
    try:
        found = json.loads(given.get(OF, ""))
        query, queries = found["query"], found.get("queries", [])
        calculation: dict[str, Any] = {name: str(found[name]) for name in ("expression", "unit") if found.get(name)}
        if queries:
            calculation["queries"] = [_of_rule(dict(one)) for one in queries]
        return Given(_of_rule(dict(query)), calculation)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pairs = (one.partition("=") for one in given.getlist("label"))
        labels = {name: value for name, _, value in pairs if name}
        return Given({"metric": given.get("metric") or metric, "labels": labels})


def _of_rule(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a widget's query that a rule has, too."""
    return {name: value for name, value in query.items() if name in FIELDS and value is not None}
