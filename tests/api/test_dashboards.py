"""Managing dashboards through the API."""

from typing import Any

import pytest

from metrics.models import Dashboard
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/dashboards"
WIDGET: dict[str, Any] = {
    "kind": "number",
    "title": "Orders",
    "config": {"queries": [{"metric": "orders_open"}]},
    "width": 4,
    "height": 2,
}
GOOD: dict[str, Any] = {"slug": "shop", "title": "Shop", "description": "All of it", "range": "6h", "widgets": [WIDGET]}


@pytest.fixture
def program() -> Program:
    return Program("admin")


def test_a_dashboard_is_made_and_listed_as_it_was_sent(program: Program) -> None:
    response = program.post(PATH, GOOD)
    made = body(response)
    assert response.status_code == 201
    assert made == {**GOOD, "id": Dashboard.objects.get().pk}
    assert body(program.get(PATH)) == {"dashboards": [made]}


def test_little_is_needed(program: Program) -> None:
    made = body(program.post(PATH, {"slug": "shop", "title": "Shop"}))
    assert (made["range"], made["widgets"]) == ("1h", [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "a b"}, "slug"),
        ({"slug": "ä"}, "slug"),
        ({"slug": "shop\n"}, "slug"),
        ({"slug": "x" * 51}, "slug"),
        ({"title": ""}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"range": "2h"}, "range"),
        ({"widgets": [{**WIDGET, "kind": "pie"}]}, "widgets.0.kind"),
        ({"widgets": [WIDGET, {**WIDGET, "config": {}}]}, "widgets.1.config.queries"),
        ({"widgets": [{**WIDGET, "width": 13}]}, "widgets.0.width"),
        ({"widgets": [{**WIDGET, "height": 0}]}, "widgets.0.height"),
        ({"widgets": [WIDGET] * 101}, "widgets"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_bad_is_422_by_field_and_makes_nothing(program: Program, changes: dict[str, Any], field: str) -> None:
    response = program.post(PATH, {**GOOD, **changes})
    assert response.status_code == 422
    assert field in " ".join(name for _, name in fields(response))
    assert not Dashboard.objects.exists()


def test_a_slug_in_use_is_422(program: Program) -> None:
    program.post(PATH, GOOD)
    response = program.post(PATH, GOOD)
    assert (response.status_code, fields(response)) == (422, [(None, "slug")])


@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("push", 403), ("read", 403)])
def test_others_may_not(scope: str | None, status: int) -> None:
    program = Program(scope)
    assert program.post(PATH, GOOD).status_code == status
    assert program.get(PATH).status_code == status
