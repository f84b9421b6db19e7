"""Changes of a list of widgets, and merging two of them, as tables."""

from typing import Any

import pytest

from metrics.widgets import changes, merge
from metrics.widgets.spec import DashboardSpec, difference, in_column

Place = tuple[int, int, int, int]


def spec(title: Any = "Shop", **widgets: Any) -> DashboardSpec:
    """Return a dashboard of widgets, each a place, or a place and a title."""
    found = []
    for key, given in widgets.items():
        (x, y, w, h), name = given if isinstance(given[0], tuple) else (given, key)
        found.append({"key": key, "kind": "text", "title": name, "config": {}, "x": x, "y": y, "w": w, "h": h})
    return DashboardSpec.model_validate({"slug": "shop", "title": title, "widgets": found})


def places(widgets: list[dict[str, Any]]) -> dict[str, Place]:
    return {one["key"]: (one["x"], one["y"], one["w"], one["h"]) for one in widgets}


@pytest.mark.parametrize(
    ("before", "compacted", "fitted"),
    [
        ({}, {}, {}),
        ({"a": (0, 4, 3, 2)}, {"a": (0, 0, 3, 2)}, {"a": (0, 4, 12, 2)}),
        (
            {"a": (0, 1, 3, 1), "b": (3, 3, 3, 1), "c": (0, 9, 6, 1)},
            {"a": (0, 0, 3, 1), "b": (3, 0, 3, 1), "c": (0, 1, 6, 1)},
            {"a": (0, 1, 12, 1), "b": (3, 3, 9, 1), "c": (0, 9, 12, 1)},
        ),
        (
            {"a": (0, 0, 2, 1), "b": (4, 0, 2, 3), "c": (0, 2, 1, 1)},
            {"a": (0, 0, 2, 1), "b": (4, 0, 2, 3), "c": (0, 1, 1, 1)},
            {"a": (0, 0, 4, 1), "b": (4, 0, 8, 3), "c": (0, 2, 4, 1)},
        ),
    ],
)
def test_gaps_close_and_rows_fill(
    before: dict[str, Place], compacted: dict[str, Place], fitted: dict[str, Place]
) -> None:
    assert places(changes.compacted(spec(**before))) == compacted
    assert places(changes.fitted(spec(**before))) == fitted


@pytest.mark.parametrize(
    ("column", "orders"),
    [
        ("abcd", {}),
        ("bcda", {"a": 1}),
        ("dabc", {"d": -1}),
        ("acbd", {"b": 1, "d": 1}),
        ("dcba", {"c": 1, "b": 2, "a": 3}),
        ("cda", {"a": 1, "b": 1}),  # what is not named comes after the others
    ],
)
def test_a_column_on_phones_is_stored_where_it_differs_from_the_rows(column: str, orders: dict[str, int]) -> None:
    before = spec(a=(0, 0, 3, 1), b=(3, 0, 3, 1), c=(0, 1, 3, 1), d=(0, 2, 3, 1))
    widgets = changes.on_phones(before, {key: {} for key in column})
    after = DashboardSpec.model_validate({**before.model_dump(), "widgets": widgets})
    assert {one.key: one.phone["order"] for one in after.widgets if one.phone} == orders
    wanted = column + "".join(key for key in "abcd" if key not in column)
    assert "".join(one.key for one in in_column(after.widgets)) == wanted
    assert changes.on_phones(after, {}) == [one.model_dump() for one in after.widgets]


def test_heights_and_what_is_hidden_on_phones_go_with_their_widgets() -> None:
    before = spec(a=(0, 0, 3, 1), b=(3, 0, 3, 1))
    widgets = changes.on_phones(before, {"b": {"h": "3"}, "a": {"hidden": "true"}})
    after = DashboardSpec.model_validate({**before.model_dump(), "widgets": widgets})
    assert {one.key: one.phone for one in after.widgets} == {"b": {"h": 3}, "a": {"order": 1, "hidden": True}}
    assert difference(before, after) == "Changed on phones a, b."
    moved = spec(a=(0, 4, 3, 1), b=(3, 0, 3, 1))
    both = {one["key"]: one for one in merge.merged(before, after, moved, {})[0]["widgets"]}
    assert (both["a"]["y"], both["a"]["phone"]) == (4, {"order": 1, "hidden": True})


A, B, C = (0, 0, 3, 1), (3, 0, 3, 1), (6, 0, 3, 1)
LOW = (0, 5, 3, 1)


@pytest.mark.parametrize(
    ("mine", "theirs", "taken", "found"),
    [
        # One alone changed it: it is followed, unless somebody says otherwise.
        ({"a": (A, "new"), "b": B}, {"a": A, "b": B}, {}, {"a": (A, "new"), "b": B}),
        ({"a": (A, "new"), "b": B}, {"a": A, "b": B}, {"a": "theirs"}, {"a": A, "b": B}),
        ({"a": A, "b": B}, {"a": (A, "new"), "b": B}, {}, {"a": (A, "new"), "b": B}),
        # Both changed other things.
        ({"a": (A, "new"), "b": B}, {"a": A, "b": C}, {}, {"a": (A, "new"), "b": C}),
        ({"a": (A, "new"), "b": B}, {"a": LOW, "b": B}, {}, {"a": (LOW, "new"), "b": B}),
        ({"a": (A, "new"), "b": B}, {"a": LOW, "b": B}, {"a": "mine"}, {"a": (A, "new"), "b": B}),
        # Added and removed.
        ({"a": A, "b": B, "c": C}, {"a": A}, {}, {"a": A, "c": C}),
        ({"b": B}, {"a": A, "b": B, "d": C}, {}, {"b": B, "d": C}),
        ({"a": A, "b": B, "c": C}, {"a": A, "b": B, "d": C}, {}, {"a": A, "b": B, "d": C, "c": (9, 0, 3, 1)}),
        # The same on both sides is no question.
        ({"a": (A, "new"), "b": B}, {"a": (A, "new"), "b": B}, {}, {"a": (A, "new"), "b": B}),
        # Both changed the same.
        ({"a": (A, "new"), "b": B}, {"a": (A, "other"), "b": B}, {"a": "mine"}, {"a": (A, "new"), "b": B}),
        ({"a": (A, "new"), "b": B}, {"a": (A, "other"), "b": B}, {"a": "theirs"}, {"a": (A, "other"), "b": B}),
        ({"b": B}, {"a": (A, "other"), "b": B}, {"a": "mine"}, {"b": B}),
    ],
)
def test_two_changes_of_one_dashboard(
    mine: dict[str, Any], theirs: dict[str, Any], taken: dict[str, str], found: dict[str, Any]
) -> None:
    document, missing = merge.merged(spec(a=A, b=B), spec(**mine), spec(**theirs), taken)
    assert missing == []
    assert DashboardSpec.model_validate({**document, "access": {}}).widgets == spec(**found).widgets


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ({"a": (A, "new"), "b": B}, {"a": (A, "other"), "b": B}, ("changed", "changed")),
        ({"a": LOW, "b": B}, {"a": (6, 6, 3, 1), "b": B}, ("moved", "moved")),
        ({"b": B}, {"a": (A, "other"), "b": B}, ("removed", "changed")),
        ({"a": (LOW, "new"), "b": B}, {"b": B}, ("moved and changed", "removed")),
    ],
)
def test_both_changed_the_same_and_somebody_must_choose(
    mine: dict[str, Any], theirs: dict[str, Any], said: tuple[str, str]
) -> None:
    (one,) = merge.merged(spec(a=A, b=B), spec(**mine), spec(**theirs), {"a": "neither"})[1]
    assert (one.key, one.mine, one.theirs, one.sides, one.usual) == ("a", *said, ("mine", "theirs"), None)


def test_fields_of_the_dashboard_are_merged_too() -> None:
    base, mine, theirs = spec(), spec("Mine"), spec("Theirs")
    assert merge.merged(base, mine, base, {})[0]["title"] == "Mine"
    assert merge.merged(base, base, theirs, {})[0]["title"] == "Theirs"
    assert [one.key for one in merge.merged(base, mine, theirs, {})[1]] == ["field:title"]
    assert merge.merged(base, mine, theirs, {"field:title": "mine"})[0]["title"] == "Mine"
