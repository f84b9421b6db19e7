"""The pages on which widgets are made and changed: every kind, lists in their configs, previews, refusals."""

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.principal import of_user
from metrics.actions import drafts
from metrics.models import Dashboard, Draft, Widget
from metrics.series.write import write
from metrics.widgets.registry import kinds
from tests import make
from tests.html_form import chosen_from, form
from tests.upgrade.test_configs import STORED
from tests.views.test_dashboard_edit import filled, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

HTMX = {"HX-Request": "true"}
PATH = "/d/shop/widgets/number-of-orders-open/edit/"
NEW = "/d/shop/widgets/new/?kind=number"
EDIT, PUBLISH = "/d/shop/edit/", "/d/shop/publish/"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("grace", is_staff=True))
    return client


def drafted() -> dict[str, Any]:
    """Return the widgets of the only draft as it is shown, by key."""
    spec = drafts.current(of_user(User.objects.get(username="grace")), "shop").spec
    return {one["key"]: one for one in spec.model_dump()["widgets"]}


def config(key: str = "number-of-orders-open") -> Any:
    return drafted()[key]["config"]


def steps() -> int:
    """Return how many steps there are to undo in the only draft."""
    return sum(draft.position for draft in Draft.objects.all())


def beside(page: str, name: str) -> str:
    """Return what stands in `page` as the error of the field `name`."""
    found = re.search(rf'id="{re.escape(name)}-error" class="field-error[^"]*">([^<]*)', page)
    return found[1] if found else ""


class TestNew:
    def test_a_kind_is_chosen_first(self, editor: Client) -> None:
        make.dashboard()
        response = editor.get("/d/shop/widgets/new/?kind=pie")
        assert "The newest value, large, with the change" in text(response)
        page = response.content.decode()
        assert all(
            f'href="/d/shop/widgets/new/?kind={kind}"' in page and f'id="example-{kind}"' in page for kind in kinds()
        )
        assert chosen_from(page)[:6] == ["Most used", "number", "line", "gauge", "status", "table"]

    @pytest.mark.parametrize("kind", sorted(kinds()))
    def test_of_every_kind_one_is_made_with_what_it_needs(self, editor: Client, kind: str) -> None:
        make.dashboard(widgets=[make.widget("a")])
        path = f"/d/shop/widgets/new/?kind={kind}"
        queries = {"queries": [{"metric": "orders_open"}]}
        needed: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
            "text": ({"config-text": "Call *Ada*."}, {"text": "Call *Ada*."}),
            "section": ({}, {}),
            "alerts": ({"config-team": "ops"}, {"team": "ops"}),
            "on_call": ({"config-team": "ops"}, {"team": "ops"}),
            "untold": ({"config-rows": "5"}, {"rows": 5}),
            "late": ({}, {}),
            "list": ({"config-annotations": "deploy"}, {"annotations": ["deploy"]}),
            "image": ({"config-picture": "0" * 64}, {"picture": "0" * 64}),
            "clock": ({"config-places-0-zone": "UTC"}, {"places": [{"zone": "UTC"}]}),
            "countdown": ({"config-until": "2026-12-24T18:00:00Z"}, {"until": "2026-12-24T18:00:00Z"}),
            "progress": ({"config-queries-0-metric": "orders_open", "config-goal": "7"}, {**queries, "goal": 7.0}),
        }
        typed, config = needed.get(kind, ({"config-queries-0-metric": "orders_open"}, queries))
        fields = {"widget-title": "New", **typed}
        response = editor.post(path, filled(editor, path, path, **fields))
        assert (response.status_code, response["Location"]) == (302, "/d/shop/edit/")
        made = drafted()["new"]
        assert (made["kind"], made["title"], made["config"]) == (kind, "New", config)
        w, h = kinds()[kind].size
        place = (3, 0) if w <= 9 else (0, 1)
        assert (made["x"], made["y"], made["w"], made["h"]) == (*place, w, h)
        assert Widget.objects.count() == 1

    def test_one_that_is_not_filled_in_says_what_is_missing(self, editor: Client) -> None:
        make.dashboard()
        response = editor.post(NEW, filled(editor, NEW, NEW))
        page = response.content.decode()
        assert response.status_code == 422
        assert beside(page, "config-queries-0-metric") == "It has to be given."
        assert beside(page, "widget-title") == "It may not be empty."
        assert Widget.objects.count() == 1

    def test_a_dashboard_without_room_says_so(self, editor: Client) -> None:
        tall = [{**make.widget(str(n)), "w": 12, "h": 12} for n in "abcdefghijklm"]
        make.dashboard(widgets=[*tall, {**make.widget("n"), "w": 12, "h": 4}])
        fields = {"widget-title": "New", "config-queries-0-metric": "m"}
        response = editor.post(NEW, filled(editor, NEW, NEW, **fields))
        assert response.status_code == 422
        assert "There is no room for 'New' in 160 rows." in text(response)


class TestEdit:
    @pytest.mark.parametrize("kind", sorted(kinds()))
    def test_a_form_that_is_left_alone_makes_no_revision(self, editor: Client, kind: str) -> None:
        stored = STORED[kind][str(kinds()[kind].config_class.version)]
        size = {"w": 12} if kind == "section" else {"w": 5, "h": 2}
        make.dashboard(widgets=[{"kind": kind, "title": "one", "config": stored, **size}])
        path = "/d/shop/widgets/one/edit/"
        assert editor.post(path, filled(editor, path, path)).status_code == 302
        assert steps() == 0

    def test_nested_and_repeated_fields_are_saved(self, editor: Client) -> None:
        make.dashboard()
        fields = {
            "widget-title": "Orders",
            "config-thresholds-warn": "80",
            "config-thresholds-direction": "below",
            "config-queries-0-labels": "dc: 1\r\nshop: a=b",
            "config-queries-0-group_by": "dc",
            "config-decimals": "0",
        }
        assert editor.post(PATH, filled(editor, PATH, PATH, **fields)).status_code == 302
        assert config() == {
            "queries": [{"metric": "orders_open", "labels": {"dc": "1", "shop": "a=b"}, "group_by": ["dc"]}],
            "thresholds": {"warn": 80.0, "direction": "below"},
            "decimals": 0,
        }
        assert drafted()["number-of-orders-open"]["title"] == "Orders"
        assert Widget.objects.get().title == "number of orders_open"

    @pytest.mark.parametrize(
        ("fields", "name", "said"),
        [
            ({"config-queries-0-metric": "2xx"}, "config-queries-0-metric", "It may have letters without accents"),
            ({"config-queries-0-labels": "dc"}, "config-queries-0-labels", "Line 1 is not a name, a colon and a"),
            ({"config-queries-0-labels": "dc: a\x00"}, "config-queries-0-labels", "dc: it has a character"),
            ({"config-queries-0-over": "5m", "config-queries-0-function": "avg"}, "config-queries-0", ""),
            ({"config-queries-0-top": "0"}, "config-queries-0-top", "It has to be 1 or more."),
            ({"config-thresholds-warn": "high"}, "config-thresholds-warn", "It has to be a number."),
            ({"config-decimals": "7"}, "config-decimals", "It has to be 6 or less."),
            ({"widget-title": ""}, "widget-title", "It may not be empty."),
            ({"widget-w": "13"}, "widget-w", "It has to be 12 or less."),
        ],
    )
    def test_nonsense_gets_a_sentence_beside_its_field(
        self, editor: Client, fields: dict[str, str], name: str, said: str
    ) -> None:
        make.dashboard()
        response = editor.post(PATH, filled(editor, PATH, PATH, **fields))
        page = response.content.decode()
        assert response.status_code == 422
        assert beside(page, name).replace("&#x27;", "'").startswith(said)
        assert beside(page, name)
        kept = form(page, PATH)
        assert {one: kept[one] for one in fields} == fields
        assert Dashboard.objects.get().revision == 1

    def test_an_option_that_there_is_not_is_refused(self, editor: Client) -> None:
        make.dashboard()
        response = editor.post(PATH, filled(editor, PATH, PATH, **{"config-better": "worse"}))
        assert beside(response.content.decode(), "config-better").startswith("It has to be &#x27;lower&#x27; or")

    def test_what_is_wrong_with_all_of_it_is_said_above(self, editor: Client) -> None:
        make.dashboard()
        for fields, said in (
            ({"config-queries-0-hidden": "on"}, "All queries are hidden, so there is nothing to show."),
            ({"widget-x": "11"}, "It ends in column 14 of 12."),
        ):
            assert said in text(editor.post(PATH, filled(editor, PATH, PATH, **fields)))

    def test_a_tab_that_is_behind_keeps_what_was_typed_and_may_save_anyway(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, PATH, PATH, **{"config-unit": "count"})
        editor.post(PATH, filled(editor, PATH, PATH, **{"widget-title": "Orders"}))
        response = editor.post(PATH, sent)
        assert response.status_code == 409
        assert "You changed this draft in another tab meanwhile" in text(response)
        kept = form(response.content.decode(), PATH)
        assert (kept["config-unit"], kept["seen"]) == ("count", sent["seen"])
        newest = re.search(r'name="anyway" value="(\d+)"', response.content.decode())
        assert newest is not None
        assert editor.post(PATH, {**kept, "anyway": newest[1]}).status_code == 302
        assert config()["unit"] == "count"
        assert steps() == 2

    def test_a_kind_that_is_gone_and_a_widget_that_is_not_there_are_not_found(self, editor: Client) -> None:
        make.dashboard()
        Widget.objects.update(kind="pie")
        assert editor.get(PATH).status_code == 404
        assert editor.get("/d/shop/widgets/other/edit/").status_code == 404
        assert "pie" in text(editor.get("/d/shop/edit/"))

    def test_a_widget_is_copied(self, editor: Client) -> None:
        make.dashboard(widgets=[make.widget("a")])
        editor.post("/d/shop/widgets/number-of-a/duplicate/", filled(editor, EDIT, PUBLISH))
        copy = drafted()["number-of-a-2"]
        assert (copy["title"], copy["x"], copy["y"]) == ("number of a", 3, 0)

    def test_a_widget_is_removed(self, editor: Client) -> None:
        make.dashboard(widgets=[make.widget("a"), make.widget("b")])
        editor.post("/d/shop/widgets/number-of-a/delete/", filled(editor, EDIT, PUBLISH))
        assert set(drafted()) == {"number-of-b"}
        assert Widget.objects.count() == 2

    @pytest.mark.parametrize("what", ["edit", "delete", "duplicate"])
    def test_a_widget_that_there_is_not_is_not_found(self, editor: Client, what: str) -> None:
        make.dashboard()
        sent = filled(editor, EDIT, PUBLISH)
        assert editor.post(f"/d/shop/widgets/other/{what}/", sent).status_code == 404


class TestList:
    def test_an_item_is_added_and_has_the_focus(self, editor: Client) -> None:
        make.dashboard()
        response = editor.post(PATH, filled(editor, PATH, PATH, add="config-queries"))
        page = response.content.decode()
        assert response.status_code == 200
        assert form(page, PATH)["config-queries-1-quantile"] == "0.95"
        assert re.findall(r'name="([\w-]+)"[^>]* autofocus', page) == ["config-queries-1-metric"]
        assert Dashboard.objects.get().revision == 1

    def test_an_item_is_removed_and_the_others_stay(self, editor: Client) -> None:
        queries = [{"metric": "a"}, {"metric": "b", "legend": "", "top": 3}, {"metric": "c"}]
        make.dashboard(widgets=[{"kind": "line", "title": "one", "config": {"queries": queries}}])
        path = "/d/shop/widgets/one/edit/"
        page = editor.post(path, filled(editor, path, path, drop="config-queries-0")).content.decode()
        assert re.findall(r'name="add" value="([\w-]+)" autofocus', page) == ["config-queries"]
        editor.post(path, form(page, path))
        assert config("one") == {"queries": queries[1:]}

    def test_htmx_gets_the_form_alone(self, editor: Client) -> None:
        make.dashboard()
        sent = filled(editor, PATH, PATH, add="config-expressions")
        page = editor.post(PATH, sent, headers=HTMX).content.decode()
        assert page.startswith("<form")
        assert 'name="config-expressions-0-expression"' in page

    @pytest.mark.parametrize("name", ["config-nothing", "config-queries-x", "nothing", "config-unit", "-", "config"])
    def test_a_list_that_there_is_not_changes_nothing(self, editor: Client, name: str) -> None:
        make.dashboard()
        for button in ("add", "drop"):
            response = editor.post(PATH, filled(editor, PATH, PATH, **{button: name}))
            assert response.status_code == 200
        assert steps() == 0

    def test_enter_saves_whatever_button_comes_first(self, editor: Client) -> None:
        """A browser presses the first button of a form when somebody types Enter."""
        make.dashboard()
        page = editor.get(PATH).content.decode()
        first = re.findall(r"<button[^>]*>", page[page.index('id="form"') :])[0]
        assert "name=" not in first


class TestPreview:
    @pytest.fixture(autouse=True)
    def _values(self) -> None:
        make.dashboard()
        write([make.sample("orders_open", 42.0, time.time())], None, time.time())

    def test_it_is_drawn_as_the_page_would_and_nothing_is_saved(self, editor: Client) -> None:
        sent = filled(editor, PATH, PATH, **{"widget-title": "Orders", "config-unit": "parcels"})
        response = editor.post(f"{PATH}?do=preview", sent)
        page = response.content.decode()
        assert response.status_code == 200
        assert 'class="widget widget-number' in page
        assert "parcels" in page[page.index('id="preview"') :]
        assert form(page, PATH)["widget-title"] == "Orders"
        assert Dashboard.objects.get().revision == 1

    def test_htmx_gets_the_widget_alone(self, editor: Client) -> None:
        page = editor.post(f"{NEW}&do=preview", filled(editor, NEW, NEW), headers=HTMX)
        assert page.status_code == 200
        assert "Query 1, Metric: It has to be given." in text(page)
        sent = filled(editor, PATH, PATH)
        drawn = editor.post(f"{PATH}?do=preview", sent, headers=HTMX).content.decode()
        assert "42" in drawn
        assert "<form" not in drawn

    @pytest.mark.parametrize(
        ("metric", "labels", "doubt"),
        [
            ("orders_open", "", ""),
            ("orders_opne", "", "There is no series of orders_opne yet: the widget waits for it."),
            (
                "orders_open",
                "shop: north",
                "There is no series of orders_open with these labels yet: the widget waits for it.",
            ),
            ("orders_open", "shop: $shop", "The dashboard has no variable shop, so $shop is taken as it stands."),
        ],
    )
    def test_what_may_be_mistyped_is_said(self, editor: Client, metric: str, labels: str, doubt: str) -> None:
        fields = {"config-queries-0-metric": metric, "config-queries-0-labels": labels}
        drawn = text(editor.post(f"{NEW}&do=preview", filled(editor, NEW, NEW, **fields), headers=HTMX))
        assert drawn.partition("It is not saved. ")[2].strip() == doubt

    def test_a_source_of_a_team_is_not_drawn_for_others(self, editor: Client) -> None:
        source = make.source()
        source.for_everyone = False
        source.save()
        now = time.time()
        write([make.sample("secret", 7.0, now)], source, now)
        fields = {"widget-title": "New", "config-queries-0-metric": "secret"}
        drawn = editor.post(f"{NEW}&do=preview", filled(editor, NEW, NEW, **fields), headers=HTMX)
        assert "No data yet" in text(drawn)


def test_a_password_of_a_picture_is_never_shown_and_stays(editor: Client) -> None:
    image = {"url": "https://example.org/yard.jpg", "username": "ada", "password": "open sesame"}
    make.dashboard(widgets=[{"kind": "image", "title": "Yard", "config": image}])
    sealed = Widget.objects.get().config["password"]
    path = "/d/shop/widgets/yard/edit/"
    page = editor.get(path).content.decode()
    assert sealed not in page
    assert 'placeholder="set, and not shown"' in page
    editor.post(path, filled(editor, path, path, **{"config-alt": "The yard"}))
    assert drafted()["yard"]["config"] == {**image, "alt": "The yard", "password": sealed}
    other = filled(editor, path, path, **{"config-url": "https://evil.example.org/"})
    refused = editor.post(path, other)
    assert (refused.status_code, sealed in refused.content.decode()) == (422, False)
    assert beside(refused.content.decode(), "config-password").startswith("It was given for another address")
    editor.post(path, {**filled(editor, path, path), "remove-password": "on"})
    assert "password" not in drafted()["yard"]["config"]
