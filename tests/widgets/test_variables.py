"""Variables: what they may be, and what is chosen."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.live.topic import Topic, values, variant
from metrics.widgets import variables
from metrics.widgets.spec import DashboardSpec, difference
from metrics.widgets.variables import Choice, VariableSpec

HOST = VariableSpec(name="host", label="host", several=True, all=True)
ONE_HOST = VariableSpec(name="host", label="host")
ZONE = VariableSpec(name="zone", values=["b", "a"], several=True, all=True, default=["a"])
HOSTS = ("web-1", "web-2", "web-10")
EVERY = Choice(HOSTS, is_all=True, open=True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "1st", "label": "host"}, "name"),
        ({"name": "a-b", "label": "host"}, "name"),
        ({"name": "host"}, "needs a label or a list of values"),
        ({"name": "host", "label": "host", "values": ["a"]}, "and not both"),
        ({"name": "zone", "values": ["a"], "metric": "up"}, "it takes no metric"),
        ({"name": "zone", "values": ["a", "a"]}, "each given once"),
        ({"name": "zone", "values": ["*"]}, "none is *"),
        ({"name": "zone", "values": [" "]}, "is empty"),
        ({"name": "zone", "values": ["a" * 201]}, "longer than 200"),
        ({"name": "zone", "values": ["a"], "default": ["b"]}, "there is no value 'b'"),
        ({"name": "zone", "values": ["a", "b"], "default": ["a", "b"]}, "only one value"),
        ({"name": "host", "label": "host", "default": ["*"]}, "all may not be chosen"),
    ],
)
def test_a_variable_that_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        VariableSpec.model_validate(fields)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"variables": [{"name": "a", "label": "x"}, {"name": "a", "label": "y"}]}, "two variables have the name 'a'"),
        (
            {"widgets": [{"kind": "number", "title": "CPU", "config": {}, "repeat": "host"}]},
            "'CPU' is repeated for the variable 'host', which there is not",
        ),
    ],
)
def test_a_dashboard_has_each_variable_once_and_repeats_only_those(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DashboardSpec.model_validate({"slug": "shop", "title": "Shop", **document})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [HOST], "Added the variable host."),
        ([HOST], [ONE_HOST], "Changed the variable host."),
        ([HOST, ZONE], [], "Removed the variables host, zone."),
        ([HOST, ZONE], [ZONE, HOST], "Changed the order of the variables."),
        ([HOST], [HOST], ""),
    ],
)
def test_a_revision_says_what_became_of_variables(
    before: list[VariableSpec], after: list[VariableSpec], said: str
) -> None:
    was, now = (DashboardSpec(slug="s", title="S", variables=those) for those in (before, after))
    assert difference(was, now) == said


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, ""),
        ({"host": []}, ""),
        ({"host": ["web-2", "web-1", "web-2"]}, "host=web-1&host=web-2"),
        ({"host": ["*"]}, ""),
        ({"host": ["web-1", "*"]}, ""),
        ({"zone": ["a"]}, ""),
        ({"zone": ["b"], "host": ["web-1"]}, "host=web-1&zone=b"),
        ({"zone": ["*"]}, "zone=%2A"),
        ({"host": ["a.b&c=d e/ü"]}, "host=a.b%26c%3Dd+e%2F%C3%BC"),
        ({"gone": ["x"]}, ""),
    ],
)
def test_equal_choices_are_one_text_and_defaults_are_left_out(asked: dict[str, list[str]], text: str) -> None:
    found = variables.canonical([HOST, ZONE], asked)
    assert found == text
    assert variables.canonical([ZONE, HOST], variables.read(found)) == text


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (variant(5, "1h"), "dashboard.5.1h"),
        (variant(5, "1h", "host=web.1&host=web-2"), "dashboard.5.1h.host=web.1&host=web-2"),
        (values(5, "15m", "zone=%2A"), "values.5.15m.zone=%2A"),
        (Topic("room", 7), "room.7"),
    ],
)
def test_a_topic_is_read_as_it_was_written_and_its_short_name_fits_a_group(topic: Topic, text: str) -> None:
    assert str(topic) == text
    assert Topic.parse(text) == topic
    assert re.fullmatch(r"[a-z0-9._-]{1,64}", topic.short)
    assert (topic.short == text) is not bool(topic.chosen)
    assert topic.short != topic._replace(chosen="host=another").short


@pytest.mark.parametrize(
    ("variable", "chosen", "found"),
    [
        (HOST, "", EVERY),
        (HOST, "host=web-10&host=web-2", Choice(("web-2", "web-10"))),
        (HOST, "host=gone", Choice(("gone",))),
        (ONE_HOST, "", Choice(("web-1",))),
        (ONE_HOST, "host=web-1&host=web-2", Choice(("web-1",))),
        (ZONE, "", Choice(("a",))),
        (ZONE, "zone=%2A", Choice(("b", "a"), is_all=True)),
    ],
)
def test_what_is_chosen(variable: VariableSpec, chosen: str, found: Choice) -> None:
    assert variables.choices([variable], {"host": HOSTS, "zone": ["b", "a"]}, chosen) == {variable.name: found}


def test_without_values_nothing_is_chosen() -> None:
    assert variables.choices([ONE_HOST], {}, "") == {"host": Choice(())}


def test_values_are_sorted_as_people_do() -> None:
    assert variables.in_order(["web-10", "web-2", "10", "9", "Web", "db"]) == [
        "9",
        "10",
        "db",
        "Web",
        "web-2",
        "web-10",
    ]
