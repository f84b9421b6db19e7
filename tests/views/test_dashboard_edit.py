"""The pages on which dashboards are made, changed, restored and deleted: who may, what is refused, and how."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import dashboards, drafts
from metrics.models import Dashboard, Draft, Widget
from metrics.widgets.spec import WIDGETS_MOST, in_column
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

EDIT = "/d/shop/edit/"
SETTINGS = "/d/shop/settings/"
PUBLISH, MERGE = "/d/shop/publish/", "/d/shop/merge/"
PATHS = [
    *("/dashboards/new/", EDIT, SETTINGS, "/d/shop/revisions/", "/d/shop/merge/", "/d/shop/delete/"),
    *("/d/shop/widgets/new/", "/d/shop/widgets/new/?kind=number"),
]
POSTS = [
    *(f"/d/shop/{what}/" for what in ("places", "phone", "arrange", "undo", "redo", "discard", "publish", "restore")),
    *(f"/d/shop/widgets/number-of-orders-open/{what}/" for what in ("delete", "duplicate")),
]
NO_POST = (EDIT, "/d/shop/revisions/")
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
        sent = {"seen": "1", "how": "fit", "number": "1"}
        return got | {client.post(path, sent).status_code for path in [*PATHS, WIDGET, *POSTS] if path not in NO_POST}

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
        sent = {"how": "fit"}
        assert {editor.post(path, sent).status_code for path in [*paths, *POSTS] if path not in NO_POST} == {404}
        assert not Draft.objects.exists()

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


class TestSettings:
    def test_a_form_that_is_left_alone_is_no_step(self, editor: Client) -> None:
        make.dashboard()
        assert editor.post(SETTINGS, filled(editor, SETTINGS, SETTINGS)).status_code == 302
        assert "As published" in text(editor.get(EDIT))

    @pytest.mark.parametrize(
        ("variable", "said"),
        [
            ({"label": "shop"}, ""),
            ({"label": "shop", "metric": "orders_open"}, ""),
            ({"values": ["a"]}, ""),
            ({"label": "shopp"}, "No series has the label shopp yet: $shop has no values until one has."),
            (
                {"label": "host", "metric": "orders_open"},
                "No series of orders_open has the label host yet: $shop has no values until one has.",
            ),
        ],
    )
    def test_a_label_that_no_series_has_is_named(self, editor: Client, variable: dict[str, Any], said: str) -> None:
        make.dashboard()
        make.accepted([make.sample("orders_open", 1, shop="a"), make.sample("cpu_percent", 1, host="web-1")])
        dashboards.change(SYSTEM, "shop", {"variables": [{"name": "shop", **variable}]}, None)
        response = editor.post(SETTINGS, filled(editor, SETTINGS, SETTINGS), follow=True)
        shown = re.findall(r'<p class="said said-warning" role="status">(.*?)</p>', response.content.decode())
        assert shown == ([said] if said else [])

    def test_a_label_and_a_metric_are_suggested(self, editor: Client) -> None:
        make.dashboard()
        dashboards.change(SYSTEM, "shop", {"variables": [{"name": "shop", "label": "shop"}]}, None)
        page = editor.get(SETTINGS).content.decode()
        for field in ("label", "metric"):
            entry = re.search(rf'<input[^>]*name="dashboard-variables-0-{field}"[^>]*>', page)
            assert entry
            assert f'data-suggest="{field}" data-suggest-from="/series/suggest/"' in entry[0]

    def test_fields_are_drafted_published_and_the_new_slug_is_where_it_leads(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, SETTINGS, SETTINGS, **{"dashboard-slug": "store", "dashboard-range": "6h"})
        assert editor.post(SETTINGS, sent)["Location"] == EDIT
        assert Dashboard.objects.get().slug == "shop"
        assert "Slug is now 'store'; range is now '6h'." in text(editor.get(EDIT))
        assert editor.post(PUBLISH, filled(editor, EDIT, PUBLISH))["Location"] == "/d/store/edit/"
        made = Dashboard.objects.get()
        assert (made.slug, made.range, made.title, made.revision) == ("store", "6h", "Shop", 2)

    def test_what_is_refused_stays_typed(self, editor: Client) -> None:
        make.dashboard()
        response = editor.post(SETTINGS, filled(editor, SETTINGS, SETTINGS, **{"dashboard-title": "x" * 101}))
        assert response.status_code == 422
        assert "It was not saved. 1 thing to put right." in text(response)
        assert form(response.content.decode(), SETTINGS)["dashboard-title"] == "x" * 101

    @pytest.mark.parametrize("seen", ["", "x", "-7", "9" * 5000, "²"])
    def test_a_form_of_no_version_is_a_conflict(self, editor: Client, seen: str) -> None:
        make.dashboard()
        sent = filled(editor, SETTINGS, SETTINGS, seen=seen, **{"dashboard-title": "Store"})
        assert editor.post(SETTINGS, sent).status_code == 409
        assert not Draft.objects.exists()


class TestEdit:
    def test_looking_is_no_change(self, editor: Client) -> None:
        make.dashboard()
        for path in (EDIT, SETTINGS, "/d/shop/revisions/", EDIT):
            assert editor.get(path).status_code == 200
        assert Dashboard.objects.get().revision == 1
        assert not Draft.objects.exists()

    def test_who_else_edits_is_said(self, editor: Client) -> None:
        made = make.dashboard()
        other = of_user(make.user("ada", is_staff=True))
        drafts.edit(other, made.slug, {"title": "Ours"}, drafts.current(other, made.slug).version)
        assert "ada is editing this too: Title is now 'Ours'." in text(editor.get(EDIT))

    def test_titles_are_escaped_and_nothing_is_inline(self, editor: Client) -> None:
        make.dashboard(widgets=[{**make.widget(), "title": "<script>alert(1)</script>"}])
        for path in (EDIT, SETTINGS, "/d/shop/delete/", "/d/shop/widgets/new/", "/dashboards/new/"):
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
        widgets = drafts.current(of_user(User.objects.get(username="grace")), "shop").spec.model_dump()["widgets"]
        return {one["key"][-1]: (one["x"], one["y"], one["w"], one["h"]) for one in widgets}

    def sent(self, editor: Client, **fields: str) -> dict[str, Any]:
        sent = filled(editor, EDIT, self.PLACES, **{name.replace("_", "-number-of-"): fields[name] for name in fields})
        return {**sent, "key": ["number-of-a", "number-of-b"]}

    def test_two_change_places_at_once(self, editor: Client) -> None:
        sent = self.sent(editor, x_a="3", x_b="0", w_b="2", h_b="2")
        assert editor.post(self.PLACES, sent).status_code == 302
        assert self.places() == {"a": (3, 0, 3, 1), "b": (0, 0, 2, 2)}
        assert {(one.x, one.w) for one in Widget.objects.all()} == {(0, 3), (3, 3)}

    def test_those_of_as_many_as_there_may_be_are_one_form(self, editor: Client) -> None:
        make.dashboard("many", widgets=[{**make.widget(f"m{n}"), "key": f"m{n}"} for n in range(WIDGETS_MOST)])
        version = drafts.current(of_user(User.objects.get(username="grace")), "many").version
        sent: dict[str, Any] = {"key": [f"m{n}" for n in range(WIDGETS_MOST)], "seen": version}
        for n in range(WIDGETS_MOST):
            sent |= {f"x-m{n}": n % 12, f"y-m{n}": 100 - n // 12, f"w-m{n}": 1, f"h-m{n}": 1}
        assert editor.post("/d/many/places/", sent).status_code == 302
        placed = drafts.current(of_user(User.objects.get(username="grace")), "many").spec.widgets
        assert {one.w for one in placed} == {1}

    def test_what_has_no_place_takes_the_first_gap(self, editor: Client) -> None:
        editor.post(self.PLACES, self.sent(editor, x_a="", y_a="", w_a="12"))
        assert self.places() == {"a": (0, 1, 12, 1), "b": (3, 0, 3, 1)}

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"x_b": "2"}, "'number of b' overlaps 'number of a'"),
            ({"x_b": "12"}, "number of b, column: It has to be less than 12."),
            ({"x_b": "11"}, "it ends in column 14 of 12."),
            ({"w_b": "wide"}, "number of b, width: It has to be a whole number."),
            ({"x_b": ""}, "x and y are given together, or neither of them."),
        ],
    )
    def test_what_does_not_fit_is_refused(self, editor: Client, changes: dict[str, str], said: str) -> None:
        response = editor.post(self.PLACES, self.sent(editor, **changes), follow=True)
        assert said in text(response)
        assert self.places() == {"a": (0, 0, 3, 1), "b": (3, 0, 3, 1)}

    def test_a_tab_that_is_behind_moves_nothing(self, editor: Client) -> None:
        sent = self.sent(editor, x_b="6")
        editor.post("/d/shop/arrange/", {**filled(editor, EDIT, PUBLISH), "how": "fit"})
        response = editor.post(self.PLACES, sent, follow=True)
        assert "You changed this draft in another tab meanwhile" in text(response)
        assert self.places() == {"a": (0, 0, 3, 1), "b": (3, 0, 9, 1)}

    def test_there_is_no_other_way_to_arrange(self, editor: Client) -> None:
        assert editor.post("/d/shop/arrange/", {"how": "shuffle"}).status_code == 404


class TestPhone:
    PHONE = "/d/shop/phone/"

    @pytest.fixture(autouse=True)
    def _two(self) -> None:
        make.dashboard(widgets=[make.widget("a"), make.widget("b")])

    def column(self) -> list[tuple[str, dict[str, Any]]]:
        spec = drafts.current(of_user(User.objects.get(username="grace")), "shop").spec
        return [(one.key[-1], dict(one.phone)) for one in in_column(spec.widgets)]

    def sent(self, editor: Client, **fields: str) -> dict[str, Any]:
        sent = filled(editor, f"{EDIT}?view=phone", self.PHONE, **fields)
        return {**sent, "key": ["number-of-a", "number-of-b"]}

    def test_tiles_are_put_in_order_made_higher_hidden_and_published(self, editor: Client) -> None:
        sent = self.sent(editor, **{"up": "number-of-b", "h-number-of-b": "3", "hidden-number-of-a": "true"})
        response = editor.post(self.PHONE, sent)
        assert (response.status_code, response["Location"]) == (302, f"{EDIT}?view=phone")
        assert self.column() == [("b", {"h": 3}), ("a", {"order": 1, "hidden": True})]
        page = editor.get(f"{EDIT}?view=phone").content.decode()
        assert page.index('id="tile-number-of-b"') < page.index('id="tile-number-of-a"')
        assert "Changed on phones number of a, number of b." in text(editor.get(EDIT))
        editor.post(PUBLISH, filled(editor, EDIT, PUBLISH))
        drawn = editor.get("/d/shop/").content.decode()
        assert re.search(r'id="w-number-of-a" class="[^"]* phone-hidden"', drawn)
        assert re.search(r'id="w-number-of-b" class="[^"]* ph-3"', drawn)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"h-number-of-a": "13"}, "number of a, on phones: It has to be 12 or less."),
            ({"h-number-of-a": "x"}, "number of a, on phones: It has to be a whole number."),
        ],
    )
    def test_nonsense_gets_a_sentence(self, editor: Client, fields: dict[str, str], said: str) -> None:
        assert said in text(editor.post(self.PHONE, self.sent(editor, **fields), follow=True))
        assert self.column() == [("a", {}), ("b", {})]

    def test_a_widget_that_there_is_not_is_not_found(self, editor: Client) -> None:
        assert editor.post(self.PHONE, {**self.sent(editor), "key": ["other"]}).status_code == 404


class TestPublish:
    def test_two_publish_and_the_slower_merges(self, editor: Client) -> None:
        make.dashboard(widgets=[make.widget("a"), make.widget("b")])
        widget = "/d/shop/widgets/number-of-a/edit/"
        editor.post(widget, filled(editor, widget, widget, **{"widget-title": "Mine"}))
        editor.post(SETTINGS, filled(editor, SETTINGS, SETTINGS, **{"dashboard-title": "My shop"}))
        dashboards.change_widget(SYSTEM, "shop", "number-of-a", {"title": "Theirs"}, None)
        assert "Somebody published revision 2 since you began." in text(editor.get(EDIT))
        assert editor.post(PUBLISH, filled(editor, EDIT, PUBLISH))["Location"] == MERGE

        page = editor.get(MERGE)
        assert "Revision 2 by watchfloor" in text(page)
        sent = filled(editor, MERGE, MERGE)
        assert sent["field:title"] == "mine"
        assert "number-of-a" not in sent
        refused = editor.post(MERGE, sent)
        assert refused.status_code == 422
        assert "Mine: both of you changed it; choose a side." in text(refused)

        assert editor.post(MERGE, {**sent, "number-of-a": "theirs"})["Location"] == EDIT
        assert editor.post(PUBLISH, filled(editor, EDIT, PUBLISH)).status_code == 302
        made = Dashboard.objects.get()
        assert (made.title, made.revision) == ("My shop", 3)
        assert {one.title for one in made.widgets.all()} == {"Theirs", "number of b"}
        assert editor.get(MERGE)["Location"] == EDIT  # nothing to merge any more

    def test_undo_redo_and_discard(self, editor: Client) -> None:
        make.dashboard()
        editor.post(SETTINGS, filled(editor, SETTINGS, SETTINGS, **{"dashboard-title": "Store"}))
        for what, title in (
            ("undo", "Shop"),
            ("undo", "Shop"),
            ("redo", "Store"),
            ("redo", "Store"),
            ("discard", "Shop"),
        ):
            response = editor.post(f"/d/shop/{what}/", filled(editor, EDIT, PUBLISH), follow=True)
            assert f"<h1>{title}</h1>" in response.content.decode()
        assert Dashboard.objects.get().revision == 1


class TestRestoreAndDelete:
    def test_an_earlier_revision_comes_into_the_draft(self, editor: Client) -> None:
        make.dashboard()
        dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
        sent = filled(editor, "/d/shop/revisions/", "/d/shop/restore/")
        assert sent["number"] == "1"
        response = editor.post("/d/shop/restore/", sent, follow=True)
        assert "This is revision 1. Publish it to have it everywhere, or undo." in text(response)
        assert Dashboard.objects.get().title == "Store"
        editor.post(PUBLISH, filled(editor, EDIT, PUBLISH))
        assert (made := Dashboard.objects.get()).title == "Shop"
        assert made.revision == 3

    @pytest.mark.parametrize("number", ["", "9", "x"])
    def test_a_revision_that_there_is_not_is_not_found(self, editor: Client, number: str) -> None:
        make.dashboard()
        sent = {**filled(editor, EDIT, PUBLISH), "number": number}
        assert editor.post("/d/shop/restore/", sent).status_code == 404

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
