"""A draft of several forms: what is typed is read by part, and what is wrong stands beside its entry."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from metrics.forms.draft import Draft
from metrics.forms.fields import fields_of, label_of
from tests.forms.config import Config


class About(BaseModel):
    w: int = Field(3, title="Width")
    title: str


class Tree(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    branches: list["Tree"] = []


PARTS = {"about": fields_of(About, "title", "w"), "config": fields_of(Config)}


def draft(**values: Any) -> Draft:
    return Draft.of(PARTS, values)


def test_it_is_read_by_part() -> None:
    values, errors = draft(about={"title": "one", "w": 4}, config={"url": "x", "steps": [{"path": "y"}]}).read()
    assert values == {"about": {"title": "one", "w": "4"}, "config": {"url": "x", "steps": [{"path": "y"}]}}
    assert errors == []


def test_what_can_not_be_read_has_its_place() -> None:
    typed = {**draft().typed, "config-anything": "{", "config-labels": "x"}
    assert [place for place, _ in Draft(PARTS, typed).read()[1]] == ["config.labels", "config.anything"]


def test_a_refusal_stands_beside_the_nearest_entry_and_else_above() -> None:
    refused = draft(config={"steps": [{"path": "a"}]}).refused(
        [
            ("about.w", "it has to be 12 or less."),
            ("config.steps.0.path", "no."),
            ("config.steps.0", "not this one."),
            ("config.labels.shop.0", "no."),
            ("config.step.nothing", "no."),
            ("config", "two are the same."),
            ("elsewhere.x", "no."),
            ("about.w", "only the first is said."),
        ]
    )
    assert refused.errors == {
        "about.w": "It has to be 12 or less.",
        "config.steps.0.path": "No.",
        "config.steps.0": "Not this one.",
        "config.labels": "shop.0: no.",
        "config.step": "nothing: no.",
    }
    assert refused.above == ("Two are the same.", "No.")
    assert refused.sentences()[2:4] == ["Width: It has to be 12 or less.", "Step 1, Path: No."]
    steps = next(one for one in refused.forms()["config"].entries if one.name == "config-steps")
    assert [(item.error, item.entries[0].error) for item in steps.items] == [("Not this one.", "No.")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("config.steps.0.path: it has to be given.", "It has to be given."),
        ("steps.0.path: it has to be given.", "It has to be given."),
        ("path: 'a: b' is no path.", "'a: b' is no path."),
        ("th: it is the end of a word.", "Th: it is the end of a word."),
        ("it is one of two: a or b.", "It is one of two: a or b."),
    ],
)
def test_a_sentence_beside_its_entry_does_not_name_it(said: str, expected: str) -> None:
    refused = draft(config={"steps": [{"path": "a"}]}).refused([("config.steps.0.path", said)])
    assert refused.errors == {"config.steps.0.path": expected}


def test_buttons_of_lists_change_only_theirs() -> None:
    before = draft(config={"steps": [{"path": "a"}, {"path": "b"}]})
    assert before.pressed() is None
    added = Draft(PARTS, {**before.typed, "add": "config-steps"}).pressed()
    assert added is not None
    assert (added.read()[0]["config"]["steps"], added.focus) == ([{"path": "a"}, {"path": "b"}, {}], "config-steps-2")
    dropped = Draft(PARTS, {**before.typed, "drop": "config-steps-0"}).pressed()
    assert dropped is not None
    assert (dropped.read()[0]["config"]["steps"], dropped.focus) == ([{"path": "b"}], "config-steps")
    for nonsense in ("", "config", "about-title", "config-url", "nothing-steps", "config-steps-x-y"):
        other = Draft(PARTS, {**before.typed, "add": nonsense}).pressed()
        assert other is None or other.read() == before.read()


def test_a_new_item_begins_with_its_defaults_behind_the_last_one() -> None:
    after = Draft(PARTS, {"config-steps-7-path": "x", "config-steps-7.said": "", "add": "config-steps"}).pressed()
    assert after is not None
    assert after.read()[0]["config"]["steps"] == [{"path": "x"}, {}]
    steps = next(one for one in after.forms()["config"].entries if one.name == "config-steps")
    assert [item.entries[0].name for item in steps.items] == ["config-steps-0-path", "config-steps-1-path"]
    assert [item.entries[0].focus for item in steps.items] == [False, True]


def test_a_list_that_is_full_takes_no_more() -> None:
    class Few(BaseModel):
        steps: list[About] = Field([], max_length=1)

    parts = {"config": fields_of(Few)}
    for count, may_add in ((0, True), (1, False)):
        (steps,) = Draft.of(parts, {"config": {"steps": [{"title": "x"}] * count}}).forms()["config"].entries
        assert steps.may_add is may_add


def test_a_model_inside_itself_ends_as_json() -> None:
    fields = fields_of(Tree)
    assert [(one.name, one.type) for one in fields] == [("name", "text"), ("branches", "list")]
    assert [(one.name, one.type) for one in fields[1].fields] == [("name", "text"), ("branches", "json")]
    tree = {"name": "a", "branches": [{"name": "b", "branches": [{"name": "c"}]}]}
    assert Draft.of({"config": fields}, {"config": tree}).read() == ({"config": tree}, [])


def test_places_are_said_as_people_write_them() -> None:
    said = {"url": "URL", "steps": "Steps", "steps.1": "Step 2", "steps.1.path": "Step 2, Path", "x.y": "x.y"}
    assert {path: label_of(PARTS["config"], path) for path in said} == said
