"""Managing dashboards through the API."""

from typing import Any

import pytest
from django.http import HttpResponse

from metrics.models import Dashboard
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/dashboards"
SHOP = f"{PATH}/shop"
PLACE = {"x": 0, "y": 0, "w": 4, "h": 2}
WIDGET: dict[str, Any] = {
    "kind": "number",
    "title": "Orders",
    "config": {"queries": [{"metric": "orders_open"}]},
    **PLACE,
}
GOOD: dict[str, Any] = {"slug": "shop", "title": "Shop", "description": "All of it", "range": "6h", "widgets": [WIDGET]}


@pytest.fixture
def program() -> Program:
    return Program("admin")


@pytest.fixture
def shop(program: Program) -> dict[str, Any]:
    return dict(body(program.post(PATH, GOOD)))


def change(program: Program, changes: dict[str, Any], seen: str = '"1"', path: str = SHOP) -> HttpResponse:
    return program.patch(path, changes, **{"If-Match": seen})


def revision() -> int:
    return Dashboard.objects.get().revision


class TestMaking:
    def test_it_is_made_and_read_as_it_was_sent(self, program: Program) -> None:
        response = program.post(PATH, GOOD)
        made = body(response)
        access: dict[str, Any] = {"everyone": True, "teams": []}
        assert (response.status_code, response["ETag"]) == (201, '"1"')
        assert made == {
            **GOOD,
            "tags": [],
            "access": access,
            "variables": [],
            "widgets": [{**WIDGET, "key": "orders", "version": 1, "repeat": "", "phone": {}}],
            "revision": 1,
            "id": Dashboard.objects.get().pk,
        }
        assert body(program.get(PATH)) == {"dashboards": [made]}
        one = program.get(SHOP)
        assert (body(one), one["ETag"]) == (made, '"1"')

    def test_little_is_needed(self, program: Program) -> None:
        made = body(program.post(PATH, {"slug": "shop", "title": "Shop"}))
        assert (made["range"], made["widgets"]) == ("1h", [])

    def test_width_and_height_are_understood_as_well(self, program: Program) -> None:
        widget = {name: WIDGET[name] for name in ("kind", "title", "config")}
        made = body(program.post(PATH, {**GOOD, "widgets": [{**widget, "width": 6, "height": 3}]}))
        assert (made["widgets"][0]["w"], made["widgets"][0]["h"]) == (6, 3)

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
            ({"access": {"groups": ["none"]}}, "access.teams"),  # as release 0.1 called them
            ({"widgets": [{**WIDGET, "kind": "pie"}]}, "widgets.0.kind"),
            ({"widgets": [WIDGET, {**WIDGET, "x": 4, "config": {}}]}, "widgets.1.config.queries"),
            ({"widgets": [WIDGET, WIDGET]}, "widgets"),
            ({"widgets": [{**WIDGET, "w": 13}]}, "widgets.0.w"),
            ({"widgets": [{**WIDGET, "h": 0}]}, "widgets.0.h"),
            ({"widgets": [WIDGET] * 101}, "widgets"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_a_bad_one_is_422_by_field_and_makes_nothing(
        self, program: Program, changes: dict[str, Any], field: str
    ) -> None:
        response = program.post(PATH, {**GOOD, **changes})
        assert response.status_code == 422
        assert field in " ".join(name for _, name in fields(response))
        assert not Dashboard.objects.exists()

    def test_a_slug_in_use_is_422(self, program: Program) -> None:
        program.post(PATH, GOOD)
        response = program.post(PATH, GOOD)
        assert (response.status_code, fields(response)) == (422, [(None, "slug")])

    def test_a_copy(self, program: Program, shop: dict[str, Any]) -> None:
        response = program.post(f"{SHOP}/copy", {"slug": "copy", "title": "Copy"})
        assert response.status_code == 201
        assert body(response)["widgets"] == shop["widgets"]


@pytest.mark.usefixtures("shop")
class TestChanging:
    def test_any_part_of_it(self, program: Program) -> None:
        response = change(program, {"title": "Store"})
        assert (response.status_code, response["ETag"]) == (200, '"2"')
        assert (body(response)["title"], body(response)["range"], body(response)["revision"]) == ("Store", "6h", 2)
        assert body(program.get(f"{SHOP}/revisions"))["revisions"][0]["summary"] == "Title is now 'Store'."

    def test_the_slower_of_two_is_412_and_told_by_whom_and_what(self, program: Program) -> None:
        change(Program("admin", name="other"), {"title": "Store"})
        response = change(program, {"range": "1h"})
        assert (response.status_code, response["ETag"]) == (412, '"2"')
        assert body(response)["detail"] == (
            "The dashboard 'shop' is at revision 2, not 1, so nothing was changed."
            " Revision 2 by token other: Title is now 'Store'."
        )
        assert change(program, {"range": "1h"}, "*").status_code == 200

    @pytest.mark.parametrize("seen", ["", "1", '"one"', '"1", "2"', '"-1"'])
    def test_without_the_revision_it_is_428(self, program: Program, seen: str) -> None:
        response = change(program, {"title": "Store"}, seen)
        assert response.status_code == 428
        assert "If-Match" in body(response)["detail"]
        assert revision() == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"title": None}, "title"),
            ({"slug": "a b"}, "slug"),
            ({"widgets": [WIDGET, WIDGET]}, "widgets"),
            ({"widgets": [{**WIDGET, "config": {}}]}, "widgets.0.config.queries"),
            ({"id": 7}, "id"),
        ],
    )
    def test_a_bad_change_is_422_and_changes_nothing(
        self, program: Program, changes: dict[str, Any], field: str
    ) -> None:
        response = change(program, {"range": "1h", **changes})
        assert (response.status_code, [name for _, name in fields(response)]) == (422, [field])
        assert revision() == 1

    def test_its_former_slug_leads_to_it(self, program: Program) -> None:
        change(program, {"slug": "store"})
        assert body(program.get(SHOP))["slug"] == "store"
        assert change(program, {"title": "Store"}, '"2"').status_code == 200

    def test_one_widget_is_read_changed_and_the_slower_is_told_by_whom_and_what(self, program: Program) -> None:
        path = f"{SHOP}/widgets/orders"
        found = program.get(path)
        assert (found["ETag"], body(found)) == (
            '"1"',
            {**WIDGET, "key": "orders", "version": 1, "repeat": "", "phone": {}, "revision": 1},
        )
        changed = change(program, {"title": "More"}, found["ETag"], path)
        assert (changed.status_code, changed["ETag"]) == (204, '"2"')
        for slower in (change(program, {"w": 8}, '"1"', path), program.delete(path, **{"If-Match": '"1"'})):
            assert slower.status_code == 412
            assert "at revision 2, not 1, so nothing was changed. Revision 2 by token" in body(slower)["detail"]
        assert program.patch(path, {"w": 8}).status_code == 428
        assert program.delete(path, **{"If-Match": changed["ETag"]})["ETag"] == '"3"'
        assert body(program.get(path))["detail"] == "The dashboard 'shop' has no widget 'orders'."

    def test_widgets_alone(self, program: Program) -> None:
        added = program.post(f"{SHOP}/widgets", {**WIDGET, "x": 4}, **{"If-Match": '"1"'})
        assert (added.status_code, body(added)) == (201, {"key": "orders-2"})
        assert change(program, {"title": "More", "w": 8}, '"2"', f"{SHOP}/widgets/orders-2").status_code == 204
        assert program.delete(f"{SHOP}/widgets/orders", **{"If-Match": '"3"'}).status_code == 204
        (widget,) = body(program.get(SHOP))["widgets"]
        assert (widget["key"], widget["title"], widget["x"], widget["w"]) == ("orders-2", "More", 4, 8)
        assert change(program, {"w": 9}, '"4"', f"{SHOP}/widgets/orders-2").status_code == 422
        assert change(program, {"w": 9}, '"4"', f"{SHOP}/widgets/orders").status_code == 404


@pytest.mark.usefixtures("shop")
class TestRevisions:
    def test_one_is_seen_and_restored(self, program: Program) -> None:
        change(program, {"title": "Store", "widgets": []})
        first = body(program.get(f"{SHOP}/revisions/1"))
        assert (first["by"], first["spec"]["title"]) == ("token job", "Shop")
        restored = program.post(f"{SHOP}/revisions/1/restore", {}, **{"If-Match": '"2"'})
        assert (restored.status_code, restored["ETag"], body(restored)["title"]) == (200, '"3"', "Shop")
        assert [one["number"] for one in body(program.get(f"{SHOP}/revisions"))["revisions"]] == [3, 2, 1]

    def test_there_may_be_none(self, program: Program) -> None:
        assert program.get(f"{SHOP}/revisions/7").status_code == 404
        assert program.get(f"{PATH}/gone/revisions").status_code == 404

    def test_deleted_and_brought_back(self, program: Program, shop: dict[str, Any]) -> None:
        assert program.delete(SHOP, **{"If-Match": '"1"'}).status_code == 204
        assert program.get(SHOP).status_code == 404
        (deleted,) = body(program.get("/api/v1/deleted-dashboards"))["deleted"]
        assert (deleted["id"], deleted["title"]) == (shop["id"], "Shop")
        back = program.post(f"/api/v1/deleted-dashboards/{deleted['id']}/restore", {})
        assert (back.status_code, body(back)) == (200, {**shop, "revision": 3})
        assert program.post(f"/api/v1/deleted-dashboards/{deleted['id']}/restore", {}).status_code == 404


@pytest.mark.parametrize(("scope", "reads", "makes"), [(None, 401, 401), ("push", 403, 403), ("read", 200, 403)])
def test_others_may_not(scope: str | None, reads: int, makes: int) -> None:
    program = Program(scope)
    assert program.get(PATH).status_code == reads
    assert program.post(PATH, GOOD).status_code == makes


class TestRoles:
    """An editor who is no administrator does all of it; a viewer is refused all of it, and told what is needed."""

    def test_an_editor_makes_changes_meets_a_conflict_and_restores(self) -> None:
        editor = Program("edit", "editor")
        assert editor.post(PATH, GOOD).status_code == 201
        assert change(editor, {"title": "Store"}).status_code == 200
        late = change(editor, {"title": "Market"})
        assert late.status_code == 412
        assert "Revision 2 by token editor: Title is now 'Store'." in body(late)["detail"]
        revisions = body(editor.get(f"{SHOP}/revisions"))["revisions"]
        assert [(one["number"], one["by"]) for one in revisions] == [(2, "token editor"), (1, "token editor")]
        restored = editor.post(f"{SHOP}/revisions/1/restore", {}, **{"If-Match": '"2"'})
        assert (restored.status_code, body(restored)["title"]) == (200, "Shop")

    @pytest.mark.parametrize(
        ("method", "path", "sent"),
        [
            ("post", PATH, {**GOOD, "slug": "other"}),
            ("patch", SHOP, {"title": "Store"}),
            ("post", f"{SHOP}/copy", {"slug": "other", "title": "Other"}),
            ("post", f"{SHOP}/revisions/1/restore", {}),
            ("post", f"{SHOP}/widgets", WIDGET),
            ("delete", SHOP, None),
        ],
    )
    def test_a_viewer_is_refused_and_told_who_may(
        self, shop: dict[str, Any], method: str, path: str, sent: Any
    ) -> None:
        viewer = Program("read", "viewer")
        ask = getattr(viewer, method)
        answer = ask(path, **{"If-Match": "*"}) if sent is None else ask(path, sent, **{"If-Match": "*"})
        assert answer.status_code == 403
        assert body(answer)["detail"] == (
            "This token has the scope read; edit is needed: only editors and administrators may do this."
        )
        assert revision() == 1
        assert viewer.get(f"{SHOP}/revisions").status_code == 200

    def test_what_is_for_a_team_is_changed_by_its_editors(self, shop: dict[str, Any], program: Program) -> None:
        ops, day = make.team("ops"), make.team("day")
        change(program, {"access": {"everyone": True, "teams": ["ops"]}})
        others, theirs = Program("edit", "others", [day]), Program("edit", "theirs", [ops])
        refused = change(others, {"title": "Store"}, "*")
        assert (refused.status_code, body(refused)["detail"]) == (
            403,
            "Only editors of ops and administrators may change the dashboard Shop.",
        )
        assert change(theirs, {"title": "Store"}, "*").status_code == 200
        change(program, {"access": {"everyone": False, "teams": ["ops"]}}, "*")
        assert others.get(SHOP).status_code == 404
        assert change(others, {"title": "Mine"}, "*").status_code == 404
