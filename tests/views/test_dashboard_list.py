"""The list of dashboards: how each stands, searching, favourites, the start page, and deleted ones."""

import re
import time
from dataclasses import replace
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis import RedisError

from metrics.access.principal import SYSTEM
from metrics.actions import dashboard_list, dashboards
from metrics.actions import render as rendering
from metrics.actions.errors import Invalid
from metrics.live import marks, states, watchers
from metrics.live.states import WidgetState
from metrics.live.topic import Topic
from metrics.live.watchers import ViewerStatus
from metrics.models import Dashboard, Favourite, StartPage
from metrics.redis_state.round_trip import ask
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

LIST = "/dashboards/"
NOW = make.AT
FRESH = WidgetState("ok", "fresh", NOW + 10, NOW + 20)


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(make.user(is_staff=True))
    return client


def words(client: Client, path: str = LIST) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", client.get(path).content.decode())).split())


def titles(client: Client, path: str = LIST) -> list[str]:
    return re.findall(r'<h2><a href="/d/[^"]+">([^<]+)</a>', client.get(path).content.decode())


@pytest.mark.parametrize(
    ("widgets", "state", "said"),
    [
        ([], "not looked at", "Not drawn yet"),
        ([FRESH, WidgetState("", "still", None, None)], "ok", "OK"),
        ([FRESH, FRESH._replace(late_at=NOW)], "late", "1 late"),
        ([FRESH._replace(level="warn"), FRESH._replace(level="warn")], "warning", "2 warning"),
        ([FRESH._replace(level="critical", late_at=NOW), FRESH._replace(level="warn")], "critical", None),
        ([FRESH._replace(level="critical", stale_at=NOW)], "stale", "1 stale"),
        ([FRESH, WidgetState("", "nodata", None, None)], "no data", "1 without data"),
        ([WidgetState("broken", "nodata", None, None), FRESH], "broken", "1 broken"),
    ],
)
def test_a_dashboard_stands_as_its_worst_widget(widgets: list[WidgetState], state: str, said: str | None) -> None:
    made = make.dashboard()
    make.watch(make.variant(), now=NOW)
    states.store(make.variant(), {str(number): one for number, one in enumerate(widgets)}, True)
    (card,) = dashboard_list.listed(SYSTEM, NOW).cards
    assert card.dashboard == made
    assert card.status.state == state
    assert card.status.words == (said or "1 critical, 1 warning")


def test_a_widget_that_is_open_in_several_ranges_counts_once_as_it_is_worst() -> None:
    make.dashboard()
    for range, level in (("1h", "critical"), ("6h", "critical"), ("24h", "warn")):
        make.watch(make.variant(range=range), now=NOW)
        states.store(make.variant(range=range), {"a": FRESH._replace(level=level)}, True)
    (card,) = dashboard_list.listed(SYSTEM, NOW).cards
    assert card.status.words == "1 critical"


def test_what_nobody_looks_at_is_not_said_to_be_well() -> None:
    make.dashboard()
    states.store(make.variant(), {"a": FRESH}, True)
    (card,) = dashboard_list.listed(SYSTEM, NOW).cards
    assert (card.status.state, card.status.mark) == ("not looked at", "")


def test_a_render_keeps_the_state_of_each_widget() -> None:
    down = make.widget("up", "status")
    number = make.widget("orders_open", thresholds={"warn": 5})
    table = make.widget("orders_open", "table", thresholds=[{"critical": 5}])
    broken = {**make.widget("other"), "title": "Other"}
    make.dashboard(widgets=[down, number, make.widget("none"), table, make.widget("orders_open", "bars"), broken])
    now = time.time()
    make.accepted([make.sample("up", 0, now), make.sample("orders_open", 7, now)], now=now)
    marks.mark(make.variant(), [marks.ALL])
    rendering.render(make.variant())
    (of_all,) = ask(states.read([make.variant()]))
    found = [of_all[widget.key] for widget in Dashboard.objects.get().widgets.all()]
    assert [one.level for one in found] == ["critical", "warn", "", "critical", "", ""]
    assert [one.freshness for one in found] == ["fresh", "fresh", "nodata", "fresh", "fresh", "nodata"]


def test_tabs_and_walls_are_counted(ada: Client) -> None:
    make.dashboard()
    viewer = ViewerStatus("ada", str(make.variant()), 1, 1, 0, 0, 0, 0, NOW)
    program = replace(viewer, topic=f"values.{make.variant().id}.1h")
    wall = replace(viewer, wall=True)
    ask(watchers.renew("web", [make.variant()], [viewer, viewer, wall, program], 4, time.time()))
    assert "Open in 2 tabs and on 1 wall" in words(ada)
    assert re.search(r"Edited \d+ s ago by watchfloor", words(ada))


def test_without_redis_it_says_that_it_does_not_know(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make.dashboard()

    def fails(now: float) -> list[Topic]:
        raise RedisError

    monkeypatch.setattr(watchers, "watched", fails)
    assert "State not known: Redis does not answer" in words(ada)


class TestSearching:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("", ["Alpha", "Beta"]),
            ("?q=ALP", ["Alpha"]),
            ("?q=shop+eu", ["Alpha"]),
            ("?q=%25", []),
            ("?tag=EU", ["Alpha"]),
            ("?tag=Shop", ["Alpha", "Beta"]),
            ("?tag=Shop&q=beta", ["Beta"]),
            ("?tag=none", []),
        ],
    )
    def test_titles_and_tags_are_searched(self, ada: Client, asked: str, found: list[str]) -> None:
        for slug, tags in (("beta", ["Shop"]), ("alpha", ["Shop", "EU"])):
            dashboards.create(SYSTEM, {"slug": slug, "title": slug.title(), "tags": tags})
        make.dashboard("secret", teams=[make.team("ops")])
        assert titles(ada, LIST + asked) == found
        part = ada.get(LIST + asked, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part

    def test_tags_are_words(self) -> None:
        made = dashboards.create(SYSTEM, {"slug": "a", "title": "A", "tags": [" EU  west ", "shop", "Shop"]})
        assert dashboards.spec_of(made).tags == ["EU west", "shop"]
        dashboards.change(SYSTEM, "a", {"tags": []}, 1)
        assert made.revisions.first().summary == "Removed all tags."  # type: ignore[union-attr]
        for wrong in ("", "x" * 31, "a,b", "a\x00"):
            with pytest.raises(Invalid, match=r"tags"):
                dashboards.change(SYSTEM, "a", {"tags": [wrong]}, 2)


class TestFavourites:
    def test_they_come_first(self, ada: Client) -> None:
        for slug in ("alpha", "beta"):
            make.dashboard(slug)
        answer = ada.post("/dashboards/favourite/", {"on": "beta", "q": "a b", "tag": ""})
        assert answer["Location"] == "/dashboards/?q=a+b"
        assert titles(ada) == ["Beta", "Alpha"]
        part = ada.post("/dashboards/favourite/", {"off": "beta", "q": "alp"}, headers={"HX-Request": "true"})
        assert 'aria-pressed="true"' not in part.content.decode()
        assert "Beta" not in part.content.decode()
        assert not Favourite.objects.exists()

    def test_what_is_not_to_be_seen_is_no_favourite(self, ada: Client) -> None:
        make.dashboard(teams=[make.team("ops")])
        assert ada.post("/dashboards/favourite/", {"on": "shop"}).status_code == 404
        assert ada.post("/account/start-page/", {"slug": "shop"}, follow=True).status_code == 200
        assert not Favourite.objects.exists()
        assert not StartPage.objects.exists()


def test_a_person_sees_their_start_page_first(ada: Client) -> None:
    make.dashboard()
    assert ada.post("/account/start-page/", {"slug": "shop"})["Location"] == "/account/"
    assert ada.get("/")["Location"] == "/d/shop/"
    assert titles(ada) == ["Shop"]
    dashboards.change(SYSTEM, "shop", {"slug": "store", "access": {"everyone": False}}, None)
    assert ada.get("/").status_code == 200
    dashboards.change(SYSTEM, "store", {"access": {"everyone": True}}, None)
    assert ada.get("/")["Location"] == "/d/store/"
    ada.post("/account/start-page/", {"slug": ""})
    assert ada.get("/").status_code == 200


class TestDeleted:
    def test_it_is_brought_back(self, ada: Client) -> None:
        made = make.dashboard()
        dashboards.delete(SYSTEM, "shop", None)
        assert "Bring back Shop" in words(ada)
        path = f"/dashboards/deleted/{made.pk}/restore/"
        assert ada.post(path)["Location"] == "/d/shop/"
        assert ada.post(path).status_code == 404
        dashboards.delete(SYSTEM, "shop", None)
        make.dashboard()
        assert "There is a dashboard 'shop' already." in unescape(ada.post(path, follow=True).content.decode())

    def test_only_those_who_may_change_it_are_offered_it(self, client: Client) -> None:
        make.dashboard()
        dashboards.delete(SYSTEM, "shop", None)
        client.force_login(make.user())
        assert "Bring back" not in words(client)


def test_many_dashboards_take_no_more_queries(
    ada: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        dashboards.create(SYSTEM, {"slug": f"d{number}", "title": f"D {number}", "tags": ["x"]})
    with django_assert_max_num_queries(14):
        assert len(titles(ada)) == 12
