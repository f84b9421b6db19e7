"""Where copies of repeated widgets and sections stand, and what they are called."""

import re

import pytest

from metrics.models import Widget
from metrics.widgets import repeated
from metrics.widgets.variables import Choice


def widget(key: str, x: int, y: int, w: int = 3, h: int = 1, repeat: str = "", title: str = "") -> Widget:
    return Widget(key=key, title=title or key, x=x, y=y, w=w, h=h, repeat=repeat, config={})


def placed(widgets: list[Widget], count: int) -> list[tuple[str, int, int, int, int]]:
    choice = Choice(tuple(f"h{n}" for n in range(1, count + 1)))
    return [(one.key, one.x, one.y, one.w, one.h) for one in repeated.drawn(widgets, {"host": choice})]


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
    drawn = repeated.drawn(
        [widget("a", 0, 0, w=12, repeat="host", title="CPU"), widget("b", 0, 1, repeat="host", title="$host up")],
        {"host": Choice(values)},
    )
    titles = [one.title for one in drawn if one.key.startswith("a")]
    assert titles == ["CPU: web-1", "CPU: Web 1", "CPU: /", "CPU: a.b"]
    assert [one.title for one in drawn if one.key.startswith("b")] == [f"{value} up" for value in values]
    keys = [one.key for one in drawn]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9_-]+", key) for key in keys)
    assert {repeated.origin(key) for key in keys} == {"a", "b"}


def section(key: str, y: int, repeat: str = "") -> Widget:
    return Widget(key=key, kind="section", title=key.title(), x=0, y=y, w=12, h=1, repeat=repeat, config={})


def test_a_section_is_repeated_with_all_that_stands_in_it() -> None:
    config = {"queries": [{"metric": "cpu", "labels": {"host": "$host"}}]}
    inside = Widget(key="cpu", kind="number", title="CPU of $host", x=0, y=2, w=3, h=2, repeat="", config=config)
    widgets = [widget("top", 0, 0), section("hosts", 1, "host"), inside, section("rest", 5), widget("last", 0, 6)]
    drawn = repeated.drawn(widgets, {"host": Choice(("a", "b"))})
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
    assert [one.key for one in repeated.drawn(widgets, {"host": Choice(())})] == [one.key for one in widgets]
    assert repeated.layout(drawn) != repeated.layout(repeated.drawn(widgets, {"host": Choice(("a", "c"))}))
    assert repeated.layout(drawn) != ""


def test_what_is_repeated_in_a_repeated_section_is_repeated_there() -> None:
    widgets = [section("s", 0, "host"), widget("a", 0, 1, repeat="disk"), section("rest", 2)]
    drawn = repeated.drawn(widgets, {"host": Choice(("x", "y")), "disk": Choice(("d", "e"))})
    places = {one.key: one.y for one in drawn}
    assert places == {"s_x": 0, "a_x_d": 1, "a_x_e": 2, "s_y": 3, "a_y_d": 4, "a_y_e": 5, "rest": 6}
    assert {repeated.origin(key) for key in places} == {"s", "a", "rest"}


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
    drawn = repeated.drawn(widgets, {"host": Choice(("x", "y"))})
    found = sorted(drawn, key=lambda one: one.phone.get("order", 0))  # as a browser does: else they stand as they are
    assert [one.key for one in found] == column.split()
    assert [one.phone.get("order", 0) for one in widgets] == [orders.get(one.key, 0) for one in widgets]


def test_a_section_is_not_repeated_beyond_what_is_drawn() -> None:
    widgets = [section("s", 0, "host"), *(widget(f"w{n}", 0, n, h=1) for n in range(1, 10))]
    drawn = repeated.drawn(widgets, {"host": Choice(tuple(f"h{n}" for n in range(60)))})
    assert len(drawn) <= repeated.DRAWN_MOST
    assert max(one.y + one.h for one in drawn) <= 240
    assert [one.title for one in drawn if one.key.startswith("s_")][-1] == "S: h18 (41 more not shown)"


def test_too_many_copies_are_counted_on_the_last() -> None:
    drawn = repeated.drawn(
        [widget("a", 0, 0, w=12, repeat="host")], {"host": Choice(tuple(f"h{n}" for n in range(60)))}
    )
    assert len(drawn) == repeated.COPIES_MOST
    assert drawn[-1].title == "a: h49 (10 more not shown)"
    tall = repeated.drawn(
        [widget("a", 0, 48, h=12, repeat="host")], {"host": Choice(tuple(f"h{n}" for n in range(60)))}
    )
    assert max(one.y + one.h for one in tall) <= 240, "the stylesheet has no more rows"


def test_the_layout_changes_with_the_copies_alone() -> None:
    several, plain = [widget("a", 0, 0, repeat="host")], [widget("a", 0, 0)]
    assert repeated.layout(plain) == ""

    def layout(*values: str) -> str:
        return repeated.layout(repeated.drawn(several, {"host": Choice(values)}))

    assert layout("x") == layout("x")
    assert len({layout(), layout("x"), layout("x", "y")}) == 3
