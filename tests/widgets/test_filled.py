"""Values in the place of variables: in labels, titles and legends."""

from typing import Any

import pytest

from metrics.models import Widget
from metrics.widgets import filled
from metrics.widgets.variables import Choice

HOSTS = ("web-1", "web-2", "web-10")
EVERY = Choice(HOSTS, is_all=True, open=True)
LABELS = [
    ("web-1", EVERY, "web-1"),
    ("$host", Choice(("web-1",)), "web-1"),
    ("${host}", Choice(("web-1",)), "web-1"),
    ("$host", Choice(("web-1", "web-2")), ["web-1", "web-2"]),
    ("${host}:91", Choice(("web-1", "web-2")), ["web-1:91", "web-2:91"]),
    ("$host", EVERY, None),
    ("${host}:91", EVERY, ["web-1:91", "web-2:91", "web-10:91"]),
    (["db", "$host"], Choice(("web-1",)), ["db", "web-1"]),
    ("$host$host", Choice(("a", "b")), ["aa", "bb"]),
    ("$hosts", Choice(("web-1",)), "$hosts"),
    ("cost $5", Choice(("web-1",)), "cost $5"),
    ("$host", Choice(()), "$host"),
    ("$host", Choice(("$host",)), "$host"),
]


@pytest.mark.parametrize(("label", "choice", "found"), LABELS)
def test_what_stands_in_the_place_of_a_variable_in_a_label(label: Any, choice: Choice, found: Any) -> None:
    config: dict[str, Any] = {"queries": [{"metric": "up", "labels": {"host": label, "job": "web"}}]}
    drawn = filled.with_values(Widget(title="", config=config), {"host": choice})
    (query,) = drawn.config["queries"]
    assert query["labels"] == ({"job": "web"} if found is None else {"host": found, "job": "web"})
    assert config["queries"][0]["labels"]["host"] == label, "the config of the widget itself stays as it is"


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (EVERY, "All"),
        (Choice(("web-1",)), "web-1"),
        (Choice(("a", "b", "c")), "a, b, c"),
        (Choice(("a", "b", "c", "d", "e")), "a, b, c and 2 more"),
        (Choice(()), "nothing"),
    ],
)
def test_titles_and_legends_name_what_is_chosen(choice: Choice, said: str) -> None:
    config = {
        "queries": [{"metric": "up", "legend": "${host} {core} $other"}],
        "expressions": [{"expression": "A", "legend": "$host"}],
        "hint": "$host",
    }
    drawn = filled.with_values(Widget(title="CPU of $host", config=config), {"host": choice})
    assert drawn.title == f"CPU of {said}"
    assert drawn.config["queries"][0]["legend"] == f"{said} {{core}} $other"
    assert drawn.config["expressions"][0]["legend"] == said
    assert drawn.config["hint"] == "$host"


def test_a_legend_that_gets_too_long_is_cut() -> None:
    config = {"queries": [{"metric": "up", "legend": "$host"}]}
    drawn = filled.with_values(Widget(title="", config=config), {"host": Choice(("x" * 200,))})
    assert drawn.config["queries"][0]["legend"] == "x" * 99 + "…"


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({}, []),
        ({"host": "$host", "zone": "north"}, []),
        ({"host": "$hots", "site": ["a", "${sight}"]}, ["hots", "sight"]),
        ({"host": "$5"}, []),
    ],
)
def test_names_that_are_no_variables(labels: dict[str, Any], found: list[str]) -> None:
    assert filled.unknown(labels, ["host"]) == found
