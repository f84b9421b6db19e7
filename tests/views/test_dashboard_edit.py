"""The pages on which dashboards are made, changed, restored and deleted: who may, what is refused, and how."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards
from metrics.models import Dashboard, Widget
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

EDIT = "/d/shop/edit/"
PATHS = ["/dashboards/new/", EDIT, "/d/shop/delete/", "/d/shop/widgets/new/", "/d/shop/widgets/new/?kind=number"]
POSTS = ["/d/shop/places/", "/d/shop/restore/", "/d/shop/widgets/number-of-orders-open/delete/"]
WIDGET = "/d/shop/widgets/number-of-orders-open/edit/"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("grace", is_staff=True))
    return client


def text(response: Any) -> str:
    """Return what is to be read on the page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def filled(client: Client, path: str, action: str, **fields: str) -> dict[str, str]:
    return {**form(client.get(path).content.decode(), action), **fields}


class TestWho:
    def answers(self, client: Client) -> set[int]:
        got = {client.get(path).status_code for path in [*PATHS, WIDGET]}
        return got | {client.post(path, {"seen": "1"}).status_code for path in [*PATHS, WIDGET, *POSTS]}

    def test_strangers_sign_in_first(self, client: Client) -> None:
        make.dashboard()
        assert self.answers(client) == {302}
        assert Dashboard.objects.get().revision == 1

    def test_a_viewer_may_none_of_it_and_is_offered_none_of_it(self, client: Client) -> None:
        make.dashboard()
        client.force_login(make.user())
        assert self.answers(client) == {403}
        assert "only editors and administrators may change dashboards" in text(client.get(EDIT))
        assert "/edit/" not in client.get("/d/shop/").content.decode()
        assert "/dashboards/new/" not in client.get("/").content.decode()

    def test_an_editor_of_another_team_does_not_find_it(self, editor: Client) -> None:
        make.dashboard(teams=[make.team("ops")])
        paths = [path for path in [*PATHS, WIDGET] if path != "/dashboards/new/"]
        assert {editor.get(path).status_code for path in paths} == {404}
        assert {editor.post(path).status_code for path in [*paths, *POSTS]} == {404}

    def test_an_editor_who_only_sees_it_is_told_who_may(self, editor: Client) -> None:
        make.dashboard(teams=[make.team("ops")])
        dashboards.change(SYSTEM, "shop", {"access": {"everyone": True, "teams": ["ops"]}}, None)
        response = editor.get(EDIT)
        assert response.status_code == 403
        assert "Only editors of ops and administrators may change the dashboard Shop." in text(response)

    def test_an_editor_finds_the_way(self, editor: Client) -> None:
        make.dashboard()
        assert f'href="{EDIT}"' in editor.get("/d/shop/").content.decode()
        assert 'href="/dashboards/new/"' in editor.get("/").content.decode()


class TestNew:
    def test_a_title_is_enough(self, editor: Client) -> None:
        sent = filled(editor, "/dashboards/new/", "", **{"dashboard-title": "Our Shop"})
        response = editor.post("/dashboards/new/", sent)
        assert (response.status_code, response["Location"]) == (302, "/d/our-shop/edit/")
        made = Dashboard.objects.get()
        assert (made.title, made.range, made.revision) == ("Our Shop", "1h", 1)
        again = editor.post("/dashboards/new/", sent)
        assert again["Location"] == "/d/our-shop-2/edit/"

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"dashboard-title": ""}, "It may not be empty."),
            ({"dashboard-title": "x" * 101}, "It may have at most 100 characters."),
            ({"dashboard-title": "a\x00"}, "It has a character that can't be stored, such as NUL."),
            ({"dashboard-title": "a", "dashboard-slug": "shop"}, "There is a dashboard 'shop' already."),
            ({"dashboard-title": "a", "dashboard-slug": "a b"}, "It may have letters without accents, digits"),
            ({"dashboard-title": "a", "dashboard-range": "2h"}, "It is one of 15m, 1h, "),
        ],
    )
    def test_nonsense_gets_a_sentence_beside_its_field(self, editor: Client, fields: dict[str, str], said: str) -> None:
        make.dashboard()
        response = editor.post("/dashboards/new/", filled(editor, "/dashboards/new/", "", **fields))
        assert response.status_code == 422
        assert re.search(rf'class="field-error">{re.escape(said)}', unescape(response.content.decode()))
        assert Dashboard.objects.count() == 1


class TestEdit:
    def test_a_form_that_is_left_alone_makes_no_revision(self, editor: Client) -> None:
        make.dashboard()
        assert editor.post(EDIT, filled(editor, EDIT, EDIT)).status_code == 302
        assert Dashboard.objects.get().revision == 1

    def test_fields_are_changed_and_a_new_slug_is_where_it_leads(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, EDIT, EDIT, **{"dashboard-slug": "store", "dashboard-range": "6h"})
        assert editor.post(EDIT, sent)["Location"] == "/d/store/edit/"
        made = Dashboard.objects.get()
        assert (made.slug, made.range, made.title) == ("store", "6h", "Shop")
        assert "Range is now '6h'" in text(editor.get("/d/store/edit/")).replace("; range", "; Range")

    def test_what_is_refused_stays_typed(self, editor: Client) -> None:
        make.dashboard()
        response = editor.post(EDIT, filled(editor, EDIT, EDIT, **{"dashboard-title": "x" * 101}))
        assert response.status_code == 422
        assert "It was not saved. 1 thing to put right." in text(response)
        assert form(response.content.decode(), EDIT)["dashboard-title"] == "x" * 101

    def test_who_was_slower_is_told_what_the_other_did_and_may_save_anyway(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, EDIT, EDIT, **{"dashboard-title": "Store"})
        dashboards.change(SYSTEM, "shop", {"description": "What we sell."}, None)
        response = editor.post(EDIT, sent)
        page = response.content.decode()
        assert response.status_code == 409
        assert "Revision 2 by watchfloor: Description is now 'What we sell.'." in text(response)
        kept = form(page, EDIT)
        assert (kept["dashboard-title"], kept["seen"]) == ("Store", "1")
        assert editor.post(EDIT, kept).status_code == 409
        assert editor.post(EDIT, {**kept, "anyway": "2"}).status_code == 302
        assert Dashboard.objects.get().title == "Store"

    @pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 5000, "²"])
    def test_a_form_of_no_revision_is_a_conflict(self, editor: Client, seen: str) -> None:
        make.dashboard()
        response = editor.post(EDIT, filled(editor, EDIT, EDIT, seen=seen, **{"dashboard-title": "Store"}))
        assert response.status_code == 409
        assert Dashboard.objects.get().title == "Shop"

    def test_titles_are_escaped_and_nothing_is_inline(self, editor: Client) -> None:
        make.dashboard(widgets=[{**make.widget(), "title": "<script>alert(1)</script>"}])
        for path in (EDIT, "/d/shop/delete/", "/d/shop/widgets/new/", "/dashboards/new/"):
            page = editor.get(path).content.decode()
            assert "<script>alert" not in page
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
            assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page)


class TestPlaces:
    PLACES = "/d/shop/places/"

    @pytest.fixture(autouse=True)
    def _two(self) -> None:
        make.dashboard(widgets=[make.widget("a"), make.widget("b")])

    def places(self) -> dict[str, tuple[int, ...]]:
        return {one.key[-1]: (one.x, one.y, one.w, one.h) for one in Widget.objects.all()}

    def test_two_change_places_at_once(self, editor: Client) -> None:
        sent = filled(editor, EDIT, self.PLACES)
        a, b = "number-of-a", "number-of-b"
        sent |= {f"x-{a}": "3", f"x-{b}": "0", f"w-{b}": "2", f"h-{b}": "2"}
        assert editor.post(self.PLACES, sent).status_code == 302
        assert self.places() == {"a": (3, 0, 3, 1), "b": (0, 0, 2, 2)}
        assert Dashboard.objects.get().revision == 2

    def test_what_has_no_place_takes_the_first_gap(self, editor: Client) -> None:
        sent = filled(editor, EDIT, self.PLACES, **{"x-number-of-a": "", "y-number-of-a": "", "w-number-of-a": "12"})
        editor.post(self.PLACES, sent)
        assert self.places() == {"a": (0, 1, 12, 1), "b": (3, 0, 3, 1)}

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"x-number-of-b": "2"}, "'number of b' overlaps 'number of a'"),
            ({"x-number-of-b": "12"}, "x: It has to be less than 12."),
            ({"x-number-of-b": "11"}, "it ends in column 14 of 12."),
            ({"w-number-of-b": "wide"}, "w: It has to be a whole number."),
            ({"x-number-of-b": ""}, "x and y are given together, or neither of them."),
        ],
    )
    def test_what_does_not_fit_is_refused_and_stays_typed(
        self, editor: Client, changes: dict[str, str], said: str
    ) -> None:
        sent = filled(editor, EDIT, self.PLACES, **changes)
        response = editor.post(self.PLACES, sent)
        assert response.status_code == 422
        assert said in text(response)
        kept = form(response.content.decode(), self.PLACES)
        assert {name: kept[name] for name in changes} == changes
        assert self.places() == {"a": (0, 0, 3, 1), "b": (3, 0, 3, 1)}

    def test_who_was_slower_may_place_them_anyway(self, editor: Client) -> None:
        sent = filled(editor, EDIT, self.PLACES, **{"x-number-of-b": "6"})
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        response = editor.post(self.PLACES, sent)
        assert response.status_code == 409
        assert "Revision 2 by watchfloor: Title is now 'Store'." in text(response)
        kept = form(response.content.decode(), self.PLACES)
        assert editor.post(self.PLACES, {**kept, "anyway": "2"}).status_code == 302
        assert self.places()["b"] == (6, 0, 3, 1)


class TestRestoreAndDelete:
    def test_an_earlier_revision_is_brought_back(self, editor: Client) -> None:
        make.dashboard()
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        sent = filled(editor, EDIT, "/d/shop/restore/")
        assert sent["number"] == "1"
        editor.post("/d/shop/restore/", sent)
        assert (made := Dashboard.objects.get()).title == "Shop"
        assert made.revision == 3

    @pytest.mark.parametrize("number", ["", "9", "x"])
    def test_a_revision_that_there_is_not_is_not_found(self, editor: Client, number: str) -> None:
        make.dashboard()
        assert editor.post("/d/shop/restore/", {"seen": "1", "number": number}).status_code == 404

    def test_restoring_says_who_was_faster(self, editor: Client) -> None:
        make.dashboard()
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        response = editor.post("/d/shop/restore/", {"seen": "1", "number": "1"}, follow=True)
        assert "Revision 2 by watchfloor: Title is now 'Store'." in text(response)
        assert Dashboard.objects.get().title == "Store"

    def test_deleting_asks_first(self, editor: Client) -> None:
        make.dashboard()
        path = "/d/shop/delete/"
        sent = filled(editor, path, "")
        assert "Delete Shop?" in text(editor.get(path))
        assert Dashboard.objects.exists()
        response = editor.post(path, sent, follow=True)
        assert "Shop was deleted." in text(response)
        assert not Dashboard.objects.exists()

    def test_deleting_what_somebody_just_changed_asks_again(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, "/d/shop/delete/", "")
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        response = editor.post("/d/shop/delete/", sent)
        assert response.status_code == 409
        assert "Revision 2 by watchfloor" in text(response)
        assert editor.post("/d/shop/delete/", form(response.content.decode(), "")).status_code == 302
