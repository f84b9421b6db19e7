"""Variables: what they may be, what is chosen, what stands in their place, and where copies of a widget stand."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from metrics.live.topic import Topic, values, variant
from metrics.models import Widget
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
    drawn = variables.with_values(Widget(title="", config=config), {"host": choice})
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
    drawn = variables.with_values(Widget(title="CPU of $host", config=config), {"host": choice})
    assert drawn.title == f"CPU of {said}"
    assert drawn.config["queries"][0]["legend"] == f"{said} {{core}} $other"
    assert drawn.config["expressions"][0]["legend"] == said
    assert drawn.config["hint"] == "$host"


def test_a_legend_that_gets_too_long_is_cut() -> None:
    config = {"queries": [{"metric": "up", "legend": "$host"}]}
    drawn = variables.with_values(Widget(title="", config=config), {"host": Choice(("x" * 200,))})
    assert drawn.config["queries"][0]["legend"] == "x" * 99 + "…"


# --- Copies -----------------------------------------------------------------------------------------------


def widget(key: str, x: int, y: int, w: int = 3, h: int = 1, repeat: str = "", title: str = "") -> Widget:
    return Widget(key=key, title=title or key, x=x, y=y, w=w, h=h, repeat=repeat, config={})


def placed(widgets: list[Widget], count: int) -> list[tuple[str, int, int, int, int]]:
    choice = Choice(tuple(f"h{n}" for n in range(1, count + 1)))
    return [(one.key, one.x, one.y, one.w, one.h) for one in variables.drawn(widgets, {"host": choice})]


PLACES: list[tuple[list[Widget], int, list[tuple[str, int, int, int, int]]]] = [
    ([widget("a", 0, 0, repeat="host")], 0, [("a", 0, 0, 3, 1)]),
    ([widget("a", 0, 0, repeat="host")], 1, [("a_h1", 0, 0, 3, 1)]),
    ([widget("a", 2, 0, repeat="host")], 2, [("a_h1", 2, 0, 3, 1), ("a_h2", 2, 1, 3, 1)]),
    ([widget("a", 0, 0, w=12, repeat="host")], 2, [("a_h1", 0, 0, 6, 1), ("a_h2", 6, 0, 6, 1)]),
    (
        [widget("a", 0, 0, w=12, h=2, repeat="host"), widget("below", 0, 2)],
        5,
        [
            ("a_h1", 0, 0, 4, 2),
            ("a_h2", 4, 0, 4, 2),
            ("a_h3", 8, 0, 4, 2),
            ("a_h4", 0, 2, 4, 2),
            ("a_h5", 4, 2, 4, 2),
            ("below", 0, 4, 3, 1),
        ],
    ),
    ([widget("a", 0, 0, w=7, repeat="host")], 2, [("a_h1", 0, 0, 3, 1), ("a_h2", 3, 0, 4, 1)]),
    (
        [widget("a", 0, 0, repeat="host"), widget("beside", 6, 0), widget("next", 6, 1)],
        3,
        [
            ("a_h1", 0, 0, 3, 1),
            ("beside", 6, 0, 3, 1),
            ("a_h2", 0, 1, 3, 1),
            ("a_h3", 0, 2, 3, 1),
            ("next", 6, 3, 3, 1),
        ],
    ),
    (  # both in the same rows: what is below moves once
        [widget("a", 0, 0, repeat="host"), widget("b", 6, 0, repeat="host"), widget("below", 0, 1)],
        2,
        [("a_h1", 0, 0, 3, 1), ("b_h1", 6, 0, 3, 1), ("a_h2", 0, 1, 3, 1), ("b_h2", 6, 1, 3, 1), ("below", 0, 2, 3, 1)],
    ),
]


@pytest.mark.parametrize(("widgets", "count", "places"), PLACES)
def test_copies_stay_in_the_columns_of_their_widget_and_move_down_what_is_below(
    widgets: list[Widget], count: int, places: list[tuple[str, int, int, int, int]]
) -> None:
    assert placed(widgets, count) == places


def test_no_two_overlap_however_many_are_repeated() -> None:
    widgets = [
        widget("a", 0, 0, w=5, h=3, repeat="host"),
        widget("b", 5, 1, w=7, h=1, repeat="host"),
        widget("c", 5, 2, w=3, h=5),
        widget("d", 0, 3, w=5, h=2, repeat="host"),
        widget("e", 8, 2, w=4, h=1, repeat="host"),
        widget("f", 8, 3, w=4, h=4),
        widget("g", 0, 7, w=12, h=1),
    ]
    for count in range(1, 14):
        cells = [
            (column, row)
            for _, x, y, w, h in placed(widgets, count)
            for column in range(x, x + w)
            for row in range(y, y + h)
        ]
        assert len(cells) == len(set(cells)), f"{count} copies"
        assert max(column for column, _ in cells) < 12


def test_copies_are_titled_and_named_by_their_values() -> None:
    values = ("web-1", "Web 1", "/", "a.b")
    drawn = variables.drawn(
        [widget("a", 0, 0, w=12, repeat="host", title="CPU"), widget("b", 0, 1, repeat="host", title="$host up")],
        {"host": Choice(values)},
    )
    titles = [one.title for one in drawn if one.key.startswith("a")]
    assert titles == ["CPU: web-1", "CPU: Web 1", "CPU: /", "CPU: a.b"]
    assert [one.title for one in drawn if one.key.startswith("b")] == [f"{value} up" for value in values]
    keys = [one.key for one in drawn]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9_-]+", key) for key in keys)
    assert {variables.origin(key) for key in keys} == {"a", "b"}


def section(key: str, y: int, repeat: str = "") -> Widget:
    return Widget(key=key, kind="section", title=key.title(), x=0, y=y, w=12, h=1, repeat=repeat, config={})


def test_a_section_is_repeated_with_all_that_stands_in_it() -> None:
    config = {"queries": [{"metric": "cpu", "labels": {"host": "$host"}}]}
    inside = Widget(key="cpu", kind="number", title="CPU of $host", x=0, y=2, w=3, h=2, repeat="", config=config)
    widgets = [widget("top", 0, 0), section("hosts", 1, "host"), inside, section("rest", 5), widget("last", 0, 6)]
    drawn = variables.drawn(widgets, {"host": Choice(("a", "b"))})
    assert [(one.key, one.y, one.title) for one in drawn] == [
        ("top", 0, "top"),
        ("hosts_a", 1, "Hosts: a"),
        ("cpu_a", 2, "CPU of a"),
        ("hosts_b", 5, "Hosts: b"),  # a free row of the section stays one
        ("cpu_b", 6, "CPU of b"),
        ("rest", 9, "Rest"),
        ("last", 10, "last"),
    ]
    hosts = [one.config["queries"][0]["labels"]["host"] for one in drawn if one.key.startswith("cpu")]
    assert hosts == ["a", "b"]
    assert [one.key for one in variables.drawn(widgets, {"host": Choice(())})] == [one.key for one in widgets]
    assert variables.layout(drawn) != variables.layout(variables.drawn(widgets, {"host": Choice(("a", "c"))}))
    assert variables.layout(drawn) != ""


def test_what_is_repeated_in_a_repeated_section_is_repeated_there() -> None:
    widgets = [section("s", 0, "host"), widget("a", 0, 1, repeat="disk"), section("rest", 2)]
    drawn = variables.drawn(widgets, {"host": Choice(("x", "y")), "disk": Choice(("d", "e"))})
    places = {one.key: one.y for one in drawn}
    assert places == {"s_x": 0, "a_x_d": 1, "a_x_e": 2, "s_y": 3, "a_y_d": 4, "a_y_e": 5, "rest": 6}
    assert {variables.origin(key) for key in places} == {"s", "a", "rest"}


ON_PHONES: list[tuple[dict[str, int], str]] = [
    ({}, "top s_x a_x b_x s_y a_y b_y rest last"),
    ({"s": -1}, "s_x a_x b_x s_y a_y b_y top rest last"),
    ({"s": -1, "a": -1, "b": -1}, "s_x a_x b_x s_y a_y b_y top rest last"),
    ({"a": 1}, "top s_x b_x a_x s_y b_y a_y rest last"),
    ({"s": 1, "b": -5}, "top rest last s_x b_x a_x s_y b_y a_y"),
    ({"s": 1, "last": 1}, "top rest s_x a_x b_x s_y a_y b_y last"),
    ({"top": 3, "last": -3}, "last s_x a_x b_x s_y a_y b_y rest top"),
]
"""Orders on phones by key, and the column there."""


@pytest.mark.parametrize(("orders", "column"), ON_PHONES)
def test_on_phones_each_copy_of_a_section_has_its_own_tiles_below_it(orders: dict[str, int], column: str) -> None:
    tiles = [widget("a", 0, 2), widget("b", 3, 2)]
    widgets = [widget("top", 0, 0), section("s", 1, "host"), *tiles, section("rest", 3), widget("last", 0, 4)]
    for one in widgets:
        one.phone = {"order": orders[one.key]} if one.key in orders else {}
    drawn = variables.drawn(widgets, {"host": Choice(("x", "y"))})
    found = sorted(drawn, key=lambda one: one.phone.get("order", 0))  # as a browser does: else they stand as they are
    assert [one.key for one in found] == column.split()
    assert [one.phone.get("order", 0) for one in widgets] == [orders.get(one.key, 0) for one in widgets]


def test_a_section_is_not_repeated_beyond_what_is_drawn() -> None:
    widgets = [section("s", 0, "host"), *(widget(f"w{n}", 0, n, h=1) for n in range(1, 10))]
    drawn = variables.drawn(widgets, {"host": Choice(tuple(f"h{n}" for n in range(60)))})
    assert len(drawn) <= variables.DRAWN_MOST
    assert max(one.y + one.h for one in drawn) <= 240
    assert [one.title for one in drawn if one.key.startswith("s_")][-1] == "S: h18 (41 more not shown)"


def test_too_many_copies_are_counted_on_the_last() -> None:
    drawn = variables.drawn(
        [widget("a", 0, 0, w=12, repeat="host")], {"host": Choice(tuple(f"h{n}" for n in range(60)))}
    )
    assert len(drawn) == variables.COPIES_MOST
    assert drawn[-1].title == "a: h49 (10 more not shown)"
    tall = variables.drawn(
        [widget("a", 0, 48, h=12, repeat="host")], {"host": Choice(tuple(f"h{n}" for n in range(60)))}
    )
    assert max(one.y + one.h for one in tall) <= 240, "the stylesheet has no more rows"


def test_the_layout_changes_with_the_copies_alone() -> None:
    repeated, plain = [widget("a", 0, 0, repeat="host")], [widget("a", 0, 0)]
    assert variables.layout(plain) == ""

    def layout(*values: str) -> str:
        return variables.layout(variables.drawn(repeated, {"host": Choice(values)}))

    assert layout("x") == layout("x")
    assert len({layout(), layout("x"), layout("x", "y")}) == 3


def test_values_are_sorted_as_people_do() -> None:
    assert variables.in_order(["web-10", "web-2", "10", "9", "Web", "db"]) == [
        "9",
        "10",
        "db",
        "Web",
        "web-2",
        "web-10",
    ]
