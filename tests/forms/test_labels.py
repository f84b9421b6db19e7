"""Labels of fields: every field of every form says in words what it is for, and no two of one form say the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from metrics.alerts import registry as conditions
from metrics.alerts.digest import DigestSpec
from metrics.alerts.escalation import EscalationSpec
from metrics.alerts.rotation import ScheduleSpec
from metrics.alerts.rule import RuleSpec
from metrics.forms.fields import Field, fields_of
from metrics.forms.labels import label, one_of
from metrics.ingest.alert_mapping import AlertMapping
from metrics.notify import registry as channels
from metrics.sources import registry as sources
from metrics.views.channels import ChannelFields
from metrics.widgets import registry as widgets
from metrics.widgets.spec import WidgetSpec
from metrics.widgets.variables import VariableSpec

KINDS: list[Any] = [one for registry in (sources, widgets, channels, conditions) for one in registry.kinds().values()]
OTHERS = (AlertMapping, ChannelFields, DigestSpec, EscalationSpec, RuleSpec, ScheduleSpec, VariableSpec, WidgetSpec)
CLASSES: dict[str, type[BaseModel]] = {one.__name__: one for one in OTHERS} | {
    f"{type(one).__module__.rpartition('.')[0]}.{one.kind}": one.config_class for one in KINDS
}
NOT_TYPED = {"version", "key", "kind"}
"""Fields of documents that no form has."""


def forms(fields: tuple[Field, ...]) -> Iterator[tuple[Field, ...]]:
    """Yield the fields of a form, and those of each model in it."""
    yield tuple(one for one in fields if one.name not in NOT_TYPED)
    for one in fields:
        yield from forms(one.fields)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_label_reads_well_and_is_the_only_one_of_its_form(name: str) -> None:
    for fields in forms(fields_of(CLASSES[name])):
        labels = [one.label for one in fields]
        assert len(labels) == len(set(labels)), labels
        for field in fields:
            assert field.label.endswith(" at most") or not field.label.endswith(" most"), field.label
            assert len(field.label) > 1, field.name
            assert field.help, field.name


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_choice_to_leave_it_empty_is_where_that_is_something_else_than_none(name: str) -> None:
    for fields in forms(fields_of(CLASSES[name])):
        for field in fields:
            assert not field.empty or (field.nullable and field.type in ("text", "lines")), field.name


def test_names_are_written_as_people_write_them() -> None:
    assert label("timeout_s") == "Timeout, seconds"
    assert label("expected_json") == "Expected JSON"


def test_an_item_is_called_by_one_of_its_list() -> None:
    said = {"Queries": "Query", "Steps": "Step", "Expressions": "Expression", "Stands behind": "Stands behind"}
    assert {of: one_of(of) for of in said} == said
