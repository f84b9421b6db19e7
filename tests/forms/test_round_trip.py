"""A form that is saved as it is changes no config, of no kind; what was not given is not given afterwards."""

import json
import math
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from metrics.actions.demo import DASHBOARD
from metrics.forms.fields import Field, fields_of
from metrics.forms.typed import parse, write
from metrics.sources import registry as sources
from metrics.widgets import registry as widgets
from metrics.widgets.number import NumberConfig
from tests.forms.config import CLASSES, Config, sent_back

KINDS: dict[str, Any] = {**sources.kinds(), **widgets.kinds()}
STORED = json.loads((Path(__file__).parents[1] / "upgrade/configs.json").read_text())

ALWAYS_SENT = {"select", "checkbox", "list", "group"}
"""Types that a form sends something of, if they have to be given."""

LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
LINES = st.text(LETTERS, max_size=12).map(str.strip)
TEXTS = st.lists(st.text(LETTERS, max_size=12), max_size=3).map("\n".join)
NAMED = LINES.filter(lambda text: text and ":" not in text)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.booleans() | NUMBERS | LINES, lambda inner: st.lists(inner) | st.dictionaries(LINES, inner))


def values(field: Field) -> st.SearchStrategy[Any]:
    """Return values that `field` may have, whatever its class makes of them."""
    found: dict[str, st.SearchStrategy[Any]] = {
        "text": TEXTS,
        "long": TEXTS,
        "number": NUMBERS,
        "time": st.datetimes().map(lambda one: one.isoformat("T", "minutes")),
        "checkbox": st.booleans(),
        "lines": st.lists(LINES.filter(bool), max_size=3),
        "pairs": st.dictionaries(NAMED, LINES, max_size=3),
        "json": JSON,
    }
    if field.type == "select":
        return st.sampled_from([value for text, value in field.values.items() if text or value is None])
    if field.type == "group":
        found["group"] = configs(field.fields)
    if field.type == "list":
        found["list"] = st.lists(configs(field.fields), min_size=field.least_items, max_size=3)
    return found[field.type] | st.none() if field.nullable else found[field.type]


def configs(fields: Collection[Field]) -> st.SearchStrategy[dict[str, Any]]:
    shown = {field.name: values(field) for field in fields if not field.is_secret}
    must = {
        field.name for field in fields if (field.required and field.type in ("select", "checkbox", "list", "group"))
    }
    needed = {name: one for name, one in shown.items() if name in must}
    return st.fixed_dictionaries(needed, optional={name: one for name, one in shown.items() if name not in must})


@cache
def configs_of(config_class: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    return configs(fields_of(config_class))


def as_typed(fields: Collection[Field], config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` with its numbers as the texts that a form sends."""

    def one(field: Field, value: Any) -> Any:
        if value is None or field.type in ("json", "select", "checkbox"):
            return value
        if field.type == "group":
            return as_typed(field.fields, value)
        if field.type == "list":
            return [as_typed(field.fields, item) for item in value]
        return value if isinstance(value, list | dict) else str(value)

    return {field.name: one(field, config[field.name]) for field in fields if field.name in config}


@pytest.mark.parametrize("config_class", [Config, *CLASSES], ids=lambda one: one.__name__)
@settings(max_examples=25)  # of each of thirty kinds
@given(data=st.data())
def test_any_config_stays_what_it_was(config_class: type[BaseModel], data: st.DataObject) -> None:
    fields = fields_of(config_class)
    config = data.draw(configs_of(config_class))
    assert parse(fields, write(fields, config)) == (as_typed(fields, config), {})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_stored_config_stays_what_it_was(kind: str) -> None:
    config_class = KINDS[kind].config_class
    secret = {field.name for field in fields_of(config_class) if field.is_secret}
    config = {name: value for name, value in STORED[kind][str(config_class.version)].items() if name not in secret}
    assert sent_back(config_class, config) == config


@pytest.mark.parametrize("widget", DASHBOARD["widgets"], ids=lambda one: one["title"])
def test_a_widget_of_the_demo_stays_what_it_was(widget: dict[str, Any]) -> None:
    assert sent_back(KINDS[widget["kind"]].config_class, widget["config"]) == widget["config"]


@pytest.mark.parametrize(
    "config",
    [
        {"unit": ""},
        {"unit": None},
        {"thresholds": {}},
        {"thresholds": None},
        {"thresholds": {"direction": "above"}},
        {"queries": [{"metric": "m", "group_by": []}, {"metric": "m", "group_by": None, "name": ""}]},
        {"expressions": []},
        {"decimals": None},
    ],
    ids=str,
)
def test_nothing_none_and_empty_stay_apart(config: dict[str, Any]) -> None:
    whole = {"queries": [{"metric": "m"}], **config}
    assert sent_back(NumberConfig, whole) == whole


def test_numbers_are_written_as_they_are() -> None:
    field = next(one for one in fields_of(Config) if one.name == "ratio")
    for value in (0.1, 1e300, -1e-300, 1e22, math.pi):
        assert float(field.read(field.write(value))) == value
