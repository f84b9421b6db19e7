"""People on call, over HTTP."""

from typing import Any

import pytest

from metrics.models import Schedule
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SCHEDULES, ON_CALL = "/api/v1/schedules", "/api/v1/on-call"
LAYER = {"people": ["ann", "bob"], "start": "2026-11-30T09:00", "unit": "days"}
OPS = {"name": "Ops", "time_zone": "Europe/Berlin", "layers": [LAYER]}


@pytest.fixture
def editor() -> Program:
    for name in ("ann", "bob"):
        make.user(name)
    return Program("edit")


def who(editor: Program, at: str, **query: str) -> list[tuple[list[str], list[str]]]:
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    found: Any = body(editor.get(f"{ON_CALL}?at={at}{asked}"))
    return [([it["user"] for it in one["now"]], [it["user"] for it in one["next"]]) for one in found["on_call"]]


def test_a_schedule_is_made_asked_overridden_and_deleted(editor: Program) -> None:
    made = editor.post(SCHEDULES, OPS)
    assert made.status_code == 201, made.content
    row: Any = body(made)
    assert body(editor.get(SCHEDULES))["schedules"] == [row]
    assert who(editor, "2026-11-30T12:00:00Z") == [(["ann"], ["bob"])]
    assert who(editor, "2026-11-01T12:00:00Z") == [([], [])]
    assert who(editor, "2026-11-30T12:00:00Z", team="nobody") == []
    for never in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon"):
        assert editor.get(f"{ON_CALL}?at={never}").status_code == 422
    given = {"who": "bob", "starts_at": "2998-01-01T00:00:00Z", "ends_at": "2998-01-02T00:00:00Z"}
    override: Any = body(editor.post(f"{SCHEDULES}/{row['id']}/overrides", given))
    assert who(editor, "2998-01-01T12:00:00Z")[0][0] == ["bob"]
    one: Any = body(editor.get(f"{SCHEDULES}/{row['id']}"))
    assert one["overrides"] == [override]
    assert one["shifts"][0]["who"] in ("ann", "bob")
    assert editor.delete(f"{SCHEDULES}/{row['id']}/overrides/{override['id']}").status_code == 204
    assert editor.delete(f"{SCHEDULES}/{row['id']}/overrides/{override['id']}").status_code == 404
    changed: Any = body(editor.patch(f"{SCHEDULES}/{row['id']}", {"holidays": ["2026-12-25"], "revision": 1}))
    assert (changed["holidays"], changed["layers"], changed["revision"]) == (["2026-12-25"], [LAYER], 2)
    assert editor.patch(f"{SCHEDULES}/{row['id']}", {"name": "x", "revision": 1}).status_code == 412
    assert editor.delete(f"{SCHEDULES}/{row['id']}").status_code == 204
    assert editor.get(f"{SCHEDULES}/{row['id']}").status_code == 404


def test_a_shift_that_goes_on_after_the_four_weeks_has_no_end(editor: Program) -> None:
    row: Any = body(editor.post(SCHEDULES, {**OPS, "layers": [{**LAYER, "people": ["ann"]}]}))
    (found,) = body(editor.get(f"{ON_CALL}?at=2026-11-30T12:00:00Z"))["on_call"]
    assert [(one["who"], one["end"]) for one in found["now"]] == [("ann", None)]
    editor.patch(f"{SCHEDULES}/{row['id']}", {"layers": [LAYER]})
    (found,) = body(editor.get(f"{ON_CALL}?at=2026-11-30T12:00:00Z"))["on_call"]
    assert [one["end"] for one in found["now"]] == [found["next"][0]["start"]]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"layers": [{**LAYER, "people": ["nobody"]}]}, "layers"),
        ({"layers": [{**LAYER, "start": "soon"}]}, "layers.0.start"),
        ({"layers": [{**LAYER, "start": "9999-12-31T23:59"}]}, "layers.0.start"),
        ({"holidays": ["Christmas"]}, "holidays.0"),
        ({"holidays": ["9999-12-31"]}, "holidays"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"access": {"teams": ["nobody"]}}, "access.teams"),
    ],
)
def test_a_schedule_that_can_not_be_is_refused_by_its_field(editor: Program, given: dict[str, Any], field: str) -> None:
    response = editor.post(SCHEDULES, {**OPS, **given})
    assert (response.status_code, fields(response)) == (422, [(None, field)])
    assert not Schedule.objects.exists()
