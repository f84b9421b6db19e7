"""Rules are made and changed."""

from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import rules
from metrics.actions.errors import Conflict, Invalid
from metrics.models import Rule
from tests.alerting import ABOVE, push, rule, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": ""}, "name", "It may not be empty"),
        ({"condition": {"kind": "thresholds"}}, "condition", "kind has to be certificate or change or "),
        ({"condition": {"kind": "threshold"}}, "condition", "above or below has to be given, or both"),
        ({"condition": {"kind": "threshold", "above": "x"}}, "condition.above", "It has to be a number"),
        ({"condition": {**ABOVE, "clear_below": 95}}, "condition", "clear_below is on the bad side of its line"),
        ({"for": "soon"}, "for", "is not a period"),
        ({"query": {"metric": "9x"}}, "query.metric", "no digit first"),
        ({"query": {"metric": "m", "hidden": True}}, "", "can't be hidden"),
        ({"queries": [{"metric": "m", "name": "B"}]}, "", "queries are for an expression"),
        ({"expression": "A / B", "query": {"metric": "m", "name": "A"}}, "", "No query is named B"),
        ({"expression": "import os"}, "expression", "can't be read"),
        ({"query": {"source": "prom", "promql": "up"}}, "query.metric", "It has to be given"),
        ({"query": {"metric": "m", "source": "prom", "promql": "up"}}, "query.metric", "PromQL says that itself"),
        ({"labels": {"__x": "y"}}, "labels", "can't be the name of a label"),
        ({"runbook": "https:javascript"}, "runbook", "link begins with http://, https:// or /"),
        ({"runbook": "//evil.example/"}, "runbook", "begins with one /"),
        ({"runbook": "/" + "x" * 1000}, "runbook", "at most 1000 characters"),
    ],
)
def test_what_can_not_be_is_said_and_changes_nothing(changes: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as raised:
        rule(**changes)
    assert raised.value.field == field
    assert not Rule.objects.exists()


def test_a_change_goes_on_from_what_was_seen() -> None:
    made = rule()
    changed = rules.change(SYSTEM, made.pk, {"for": "5m"}, seen=1)
    assert rules.document_of(changed)["for"] == "5m"
    assert rules.document_of(changed)["condition"] == ABOVE
    with pytest.raises(Conflict):
        rules.change(SYSTEM, made.pk, {"for": "6m"}, seen=1)


def test_one_that_is_off_looks_at_nothing() -> None:
    rule(enabled=False)
    push(95)
    assert states() == {}


def test_a_name_is_there_once() -> None:
    rule()
    with pytest.raises(Invalid, match="There is a rule 'Disk full' already"):
        rule()
