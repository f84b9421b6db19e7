"""The page of a screen: the code that it shows, the wall once it is paired, and what keeps its cookie."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from redis import RedisError

from metrics.access.principal import SYSTEM
from metrics.access.screens import COOKIE
from metrics.actions import dashboards, screens
from metrics.models import Screen
from metrics.redis_state import pairing
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "one_minute")]

PATH = "/screen/"


def code_on(page: Any) -> str:
    found = re.search(r'class="pairing-code"><bdi>([A-Z]{4}-[A-Z]{4})</bdi>', page.content.decode())
    assert found
    return found[1]


def state(client: Client, page: Any) -> Any:
    """Ask as the page does every few seconds."""
    found = re.search(r'hx-get="(/screen/state/[^"]+)"', page.content.decode())
    assert found
    return client.get(found[1])


def paired(client: Client, name: str = "Lobby", dashboard: str = "", **given: Any) -> Screen:
    """Pair the browser as an editor does."""
    return screens.pair(SYSTEM, code_on(client.get(PATH)), name, dashboard, **given)


class TestCode:
    def test_it_stays_while_it_holds_and_the_secret_is_out_of_reach(self, client: Client) -> None:
        page = client.get(PATH)
        code, cookie = code_on(page), client.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["max-age"] == 400 * 24 * 3600
        assert pairing.shows(pairing.tidy(code)) == (Screen.digest_of(cookie.value), "127.0.0.1")
        assert cookie.value not in page.content.decode()
        assert code_on(client.get(PATH)) == code
        assert code_on(Client().get(PATH)) != code
        assert "HX-Refresh" not in state(client, page)
        assert f"http://testserver/screens/?code={code}" in page.content.decode()  # what the QR code says

    def test_when_it_is_over_there_is_another_and_another_secret(self, client: Client, redis: Any) -> None:
        page = client.get(PATH)
        secret = client.cookies[COOKIE].value
        redis.flushall()
        assert state(client, page)["HX-Refresh"] == "true"
        assert code_on(client.get(PATH)) != code_on(page)
        assert client.cookies[COOKIE].value != secret

    def test_a_cookie_that_somebody_made_up_is_not_taken(self, client: Client) -> None:
        client.cookies[COOKIE] = "ws_mine"
        client.get(PATH)
        assert client.cookies[COOKIE].value != "ws_mine"

    def test_a_head_makes_none(self, client: Client, redis: Any) -> None:
        assert client.head(PATH).status_code == 200
        assert redis.keys("wf:pairing:*") == []

    def test_a_browser_without_cookies_is_told_so(self) -> None:
        page = Client().get(PATH)
        answer = state(Client(), page)
        assert "keeps no cookies" in answer.content.decode()
        assert "HX-Refresh" not in answer

    def test_one_that_came_without_tls_is_told_where_its_cookie_is_kept(self, settings: Settings) -> None:
        settings.SESSION_COOKIE_SECURE, settings.PUBLIC_URL = True, "https://watch.example"
        client = Client()
        page = client.get(PATH)
        client.cookies.clear()  # a browser sends it over TLS alone
        assert "Open https://watch.example/screen/ instead" in state(client, page).content.decode()
        secure = client.get(f"{PATH}state/", {"shows": "x"}, secure=True)
        assert "keeps no cookies" in secure.content.decode()

    def test_without_redis_the_page_says_so_and_tries_again(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown = client.get(PATH)

        def fail(*_: Any, **__: Any) -> None:
            raise RedisError

        for name in ("begin", "code_of"):
            monkeypatch.setattr(pairing, name, fail)
        for page in (client.get(PATH), Client().get(PATH)):
            assert page.status_code == 503
            assert "Redis does not answer" in page.content.decode()
            assert '<meta http-equiv="refresh" content="20">' in page.content.decode()
        assert state(client, shown).status_code == 503

    def test_too_many_from_one_address_wait(self) -> None:
        for _ in range(screens.CODES_PER_MINUTE):
            assert Client().get(PATH).status_code == 200
        page = Client().get(PATH)
        assert page.status_code == 429
        assert re.search(r'<meta http-equiv="refresh" content="\d+">', page.content.decode())

    def test_over_https_the_cookie_is_sent_over_that_alone(self, settings: Settings, client: Client) -> None:
        for secure in (False, True):
            settings.SESSION_COOKIE_SECURE = secure
            client.get(PATH)
            assert bool(client.cookies[COOKIE]["secure"]) is secure


class TestPaired:
    def test_it_is_the_wall_of_its_dashboard_whoever_is_signed_in(self, client: Client) -> None:
        shop = make.dashboard("shop")
        client.force_login(make.user("ada-lovelace", is_superuser=True))
        waiting = client.get(PATH)
        paired(client, dashboard="shop", range="6h")
        assert state(client, waiting)["HX-Refresh"] == "true"
        page = client.get(PATH).content.decode()
        assert f'"/ws/screen/?range=6h&amp;dashboard={shop.pk}"' in page
        assert f'data-shows="{shop.pk} 6h"' in page
        for name in ("ada-lovelace", "/edit/", "/rooms/", "/ws/notifications/", 'id="bell"', "linked.js", "personal=1"):
            assert name not in page, name

    def test_an_address_with_more_is_the_same_page_and_keeps_its_theme(self, client: Client) -> None:
        shop = make.dashboard("shop")
        paired(client, dashboard="shop")
        for query in ("range=7d", "range=nonsense", "var-host=a", "at=1795176000", "theme=dark"):
            answer = client.get(f"{PATH}?{query}")
            assert answer.status_code == 200, query
            assert f'"/ws/screen/?range=1h&amp;dashboard={shop.pk}"' in answer.content.decode(), query

    def test_an_open_page_keeps_the_cookie_for_longer(self, client: Client) -> None:
        make.dashboard("shop")
        paired(client, dashboard="shop")
        assert client.head(PATH).cookies[COOKIE]["max-age"] == 400 * 24 * 3600

    def test_a_page_that_is_loaded_does_not_since_the_clock_of_a_display_may_be_wrong_then(
        self, client: Client
    ) -> None:
        make.dashboard("shop")
        screen = paired(client)
        for dashboard in ("", "shop"):
            screens.change(SYSTEM, screen.pk, {"dashboard": dashboard})
            assert client.get(PATH).cookies == {}

    def test_one_that_shows_nothing_says_why_and_follows(self, client: Client) -> None:
        make.dashboard("shop")
        screen = paired(client, "<Lobby>")
        page = client.get(PATH)
        assert "&lt;Lobby&gt;" in page.content.decode()
        assert "Nothing is chosen" in page.content.decode()
        assert "HX-Refresh" not in state(client, page)
        screens.change(SYSTEM, screen.pk, {"name": "Hall & co"})
        assert state(client, page)["HX-Refresh"] == "true"
        page = client.get(PATH)
        assert "HX-Refresh" not in state(client, page)
        screens.change(SYSTEM, screen.pk, {"dashboard": "shop"})
        assert state(client, page)["HX-Refresh"] == "true"
        assert 'id="widgets"' in client.get(PATH).content.decode()
        dashboards.delete(SYSTEM, "shop", None)
        assert "was deleted" in client.get(PATH).content.decode()
        dashboards.restore(SYSTEM, Screen.objects.get().dashboard_id or 0)
        assert 'id="widgets"' in client.get(PATH).content.decode()

    def test_one_that_is_revoked_asks_to_be_paired_again(self, client: Client) -> None:
        make.dashboard("shop")
        screen = paired(client, dashboard="shop")
        secret = client.cookies[COOKIE].value
        screens.revoke(SYSTEM, screen.pk)
        assert "Shop" not in client.get(PATH).content.decode()
        assert client.cookies[COOKIE].value != secret
        paired(client)
        assert "Lobby" in client.get(PATH).content.decode()

    def test_its_cookie_opens_nothing_else(self, client: Client) -> None:
        shop = make.dashboard("shop")
        key = make.widgets_of(shop)[0].key
        paired(client, dashboard="shop")
        for path in ("/d/shop/", "/wall/shop/", f"/d/shop/w/{key}/", "/screens/", "/dashboards/"):
            answer = client.get(path)
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in/"), path
        assert client.get("/api/v1/dashboards").status_code == 401
