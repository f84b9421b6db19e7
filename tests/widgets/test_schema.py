"""The JSON schema of dashboards: it takes what is taken, and refuses what is refused."""

from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from metrics.widgets.registry import kinds
from metrics.widgets.schema import schema


@cache
def validator() -> Any:
    """Made when a test runs: every worker would spend half a second on it that collects the tests."""
    return jsonschema_rs.validator_for(schema())


def refused(**changes: Any) -> list[str]:
    """Return the paths of what the schema refuses in a dashboard of one widget with these fields."""
    widget = {"kind": "number", "title": "Orders", "config": {"queries": [{"metric": "orders_open"}]}, **changes}
    document = {"title": "Shop", "widgets": [widget]}
    return [".".join(map(str, error.instance_path)) for error in validator().iter_errors(document)]


def test_it_is_a_schema_that_has_all_it_refers_to() -> None:
    assert jsonschema_rs.meta.is_valid(schema())
    assert set(schema()["$defs"]) >= {*kinds(), "WidgetSpec", "line_LineQuery"}


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_it_takes_the_example_of_each_kind_and_no_unknown_field(kind: str) -> None:
    config = dict(kinds()[kind].example)
    assert refused(kind=kind, config=config) == []
    assert refused(kind=kind, config={**config, "unknown": 1}) == ["widgets.0.config"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"kind": "numbers"}, "widgets.0.kind"),
        ({"x": 12, "y": 0}, "widgets.0.x"),
        ({"config": {"queries": []}}, "widgets.0.config.queries"),
        ({"config": {"queries": [{"metric": "a", "function": "mean"}]}}, "widgets.0.config.queries.0.function"),
    ],
)
def test_it_refuses_what_is_refused(changes: dict[str, Any], path: str) -> None:
    assert refused(**changes) == [path]
