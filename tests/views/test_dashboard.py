"""The list, the tab and the wall: who sees them, and what they carry."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from redis import Redis, RedisError

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards
from metrics.health import store as health
from metrics.live import snapshot
from metrics.models import Widget
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PAGES = ["/d/shop/", "/wall/shop/"]
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


@pytest.fixture
def ada(client: Client) -> Client:
    """A client that is signed in."""
    client.force_login(make.user())
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def served(client: Client, path: str) -> bool:
    response = client.get(path)
    content = response.getvalue()  # reads a file to its end
    response.close()
    return response.status_code == 200 and bool(content)


class TestWhoMaySee:
    @pytest.mark.parametrize("path", ["/", *PAGES, "/d/nothing/"])
    def test_nobody_without_signing_in(self, client: Client, path: str) -> None:
        make.dashboard()
        response = client.get(path)
        assert (response.status_code, response["Location"]) == (302, f"/sign-in/?next={path}")

    @pytest.mark.parametrize("path", PAGES)
    def test_everyone_signed_in(self, ada: Client, path: str) -> None:
        make.dashboard()
        assert ada.get(path).status_code == 200

    @pytest.mark.parametrize("path", PAGES)
    def test_only_the_groups_where_there_are_any(self, client: Client, path: str) -> None:
        group = Group.objects.create(name="ops")
        make.dashboard(teams=[group])
        user = make.user()
        client.force_login(user)
        assert client.get(path).status_code == 404
        user.groups.add(group)
        assert client.get(path).status_code == 200

    def test_what_is_hidden_and_what_is_not_there_look_the_same(self, ada: Client) -> None:
        make.dashboard(teams=[Group.objects.create(name="ops")])
        hidden, missing = ada.get("/d/shop/"), ada.get("/d/other/")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content


@pytest.mark.parametrize("kind", ["d", "wall"])
def test_a_former_slug_leads_to_the_dashboard(ada: Client, kind: str) -> None:
    make.dashboard()
    dashboards.change(SYSTEM, "shop", {"slug": "store"}, None)
    response = ada.get(f"/{kind}/shop/?range=6h")
    assert (response.status_code, response["Location"]) == (302, f"/{kind}/store/?range=6h")
    dashboards.change(SYSTEM, "store", {"access": {"everyone": False}}, None)
    assert ada.get(f"/{kind}/shop/").status_code == 404


def test_widgets_say_where_they_stand(ada: Client) -> None:
    make.dashboard(widgets=[make.widget(), {**make.widget("other"), "x": 6, "y": 2, "w": 4, "h": 5}])
    assert re.findall(r"x-\d+ y-\d+ w-\d+ h-\d+", text(ada, "/d/shop/")) == ["x-0 y-0 w-3 h-1", "x-6 y-2 w-4 h-5"]


class TestList:
    def test_it_links_to_the_tab_and_the_wall_of_what_may_be_seen(self, ada: Client) -> None:
        make.dashboard("shop")
        make.dashboard("secret", teams=[Group.objects.create(name="ops")])
        page = text(ada, "/")
        assert 'href="/d/shop/"' in page
        assert 'href="/wall/shop/"' in page
        assert "secret" not in page

    def test_without_any_it_says_so(self, ada: Client) -> None:
        assert "There is no dashboard that you may see yet." in text(ada, "/")


class TestPage:
    @pytest.mark.parametrize("path", PAGES)
    def test_it_has_every_widget_in_order_and_the_pulse(self, ada: Client, path: str) -> None:
        made = make.dashboard(widgets=[make.widget("a"), make.widget("b", "line"), make.widget("c", "bars")])
        page = text(ada, path)
        assert re.findall(r'<article id="w-([\w-]+)"', page) == [one.key for one in make.widgets_of(made)]
        assert len(re.findall(r'<i id="pulse"[^>]* data-version="0" data-time="\d+\.\d{3}"', page)) == 1

    @pytest.mark.parametrize("path", PAGES)
    def test_its_socket_asks_for_the_range_that_is_shown(self, ada: Client, path: str) -> None:
        make.dashboard()
        for asked, range in (("", "1h"), ("?range=6h", "6h")):
            socket = f"/ws/dashboards/shop/?range={range}&amp;dashboard={make.variant().id}"
            socket += "" if path.startswith("/wall/") else "&amp;personal=1"  # a wall shows nothing of a person's
            assert f'hx-ws:connect="{socket}"' in text(ada, path + asked)

    @pytest.mark.parametrize("range", ["2h", "", "1H", "1h ", "\x00", "'><script>"])
    def test_a_range_that_there_is_not_leads_to_the_usual_one(self, ada: Client, range: str) -> None:
        make.dashboard()
        response = ada.get("/d/shop/", {"range": range})
        assert (response.status_code, response["Location"]) == (302, "/d/shop/")

    def test_a_dashboard_whose_own_range_is_bad_does_not_redirect_for_ever(self, ada: Client) -> None:
        made = make.dashboard()
        made.range = "2h"
        made.save()
        response = ada.get("/d/shop/")
        assert response.status_code == 200 or response["Location"] != "/d/shop/"

    def test_the_range_that_is_shown_is_marked(self, ada: Client) -> None:
        make.dashboard()
        assert re.findall(r'<a href="\?range=(\w+)" aria-current="true">', text(ada, "/d/shop/?range=24h")) == ["24h"]

    def test_links_between_tab_and_wall_keep_the_range(self, ada: Client) -> None:
        make.dashboard()
        assert 'href="/wall/shop/?range=6h"' in text(ada, "/d/shop/?range=6h")
        assert 'href="/d/shop/?range=6h"' in text(ada, "/wall/shop/?range=6h")

    @pytest.mark.parametrize("path", ["/", *PAGES])
    def test_it_tells_its_scripts_the_time_zone_of_the_server(self, ada: Client, settings: Settings, path: str) -> None:
        make.dashboard()
        assert re.findall(r'<html[^>]* data-time-zone="([^"]*)"', text(ada, path)) == ["UTC"]
        settings.TIME_ZONE = "Asia/Kathmandu"
        assert re.findall(r'<html[^>]* data-time-zone="([^"]*)"', text(ada, path)) == ["Asia/Kathmandu"]

    def test_titles_are_escaped(self, ada: Client) -> None:
        made = make.dashboard()
        made.title = "<script>alert(1)</script>"
        made.save()
        Widget.objects.update(title="<img src=x>")
        page = text(ada, "/d/shop/")
        assert "<script>alert" not in page
        assert "<img src=x>" not in page

    def test_without_redis_it_is_shown_all_the_same(self, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        make.dashboard()

        def unreachable(_: object) -> None:
            raise RedisError("away")

        monkeypatch.setattr(snapshot, "version", unreachable)
        assert "number of orders_open" in text(ada, "/d/shop/")

    @pytest.mark.parametrize("path", PAGES)
    def test_the_system_is_looked_at_once(self, ada: Client, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
        make.dashboard()
        reads, noted = list[str](), health.noted

        def read() -> object:
            reads.append(path)
            return noted()

        monkeypatch.setattr(health, "noted", read)
        assert 'id="notice"' in text(ada, path)
        assert reads == [path]

    def test_a_dashboard_without_widgets_says_so(self, ada: Client) -> None:
        make.dashboard().widgets.all().delete()
        assert "This dashboard has no widgets yet." in text(ada, "/d/shop/")


class TestHeaders:
    @pytest.mark.parametrize("path", PAGES)
    def test_no_cache_keeps_a_page_of_values(self, ada: Client, path: str) -> None:
        make.dashboard()
        assert ada.get(path)["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("path", ["/", *PAGES, "/sign-in/", "/nothing/", "/healthz"])
    def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline(self, ada: Client, path: str) -> None:
        make.dashboard()
        policy = ada.get(path)["Content-Security-Policy"]
        assert dict(part.strip().split(" ", 1) for part in policy.split(";")) == POLICY

    @pytest.mark.parametrize("path", ["/", *PAGES, "/sign-in/", "/nothing/"])
    def test_pages_obey_the_policy(self, ada: Client, path: str) -> None:
        make.dashboard()
        page = ada.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|javascript:", page)
        assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page)

    @pytest.mark.parametrize("path", ["/", *PAGES, "/nothing/"])
    def test_everything_a_page_loads_is_served_here(self, ada: Client, path: str) -> None:
        make.dashboard()
        links = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', ada.get(path).content.decode())
        assert links
        assert [link for link in links if not link.startswith("/static/") or not served(ada, link)] == []

    def test_nobody_may_frame_it(self, ada: Client) -> None:
        assert ada.get("/")["X-Frame-Options"] == "DENY"


def test_the_number_of_queries_does_not_depend_on_the_number_of_samples(
    ada: Client, redis: Redis, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make.dashboard(widgets=[make.widget("m", "line")])
    for host in range(20):
        make.stored("m", dict.fromkeys(range(0, 300, 10), 1.0), host=str(host))
    with django_assert_max_num_queries(22):  # three are remembered for a minute: maintenance, annotations, incidents
        ada.get("/d/shop/")
