"""How much is down, in the menu of every page."""

import re

import pytest
from django.test import Client
from redis import RedisError

from metrics.health import store as health
from metrics.health.store import Down
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PAGES = ["/", "/d/shop/", "/sources/", "/heartbeats/", "/account/", "/watching/", "/series/", "/audit/"]
LISTS = ["/sources/", "/heartbeats/", "/watching/"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada(client: Client) -> Client:
    make.dashboard()
    client.force_login(make.admin())
    return client


def said(html: str) -> dict[str, str]:
    """Return what the menu says, by the link that it is in; what is hidden is not said."""
    links = re.findall(r'<a class="quiet" href="/(\w+)/"[^>]*>(.*?)</a>', html, re.S)
    shown = {page: re.search(r'class="down"[^>]* data-down="\w+">(.*?)</span>', text) for page, text in links}
    return {page: found[1] for page, found in shown.items() if found}


@pytest.mark.parametrize("path", PAGES)
def test_it_is_said_on_every_page(ada: Client, path: str) -> None:
    assert said(ada.get(path).content.decode()) == {}
    health.record_down(Down(sources=2, heartbeats=13, alerts=3))
    assert said(ada.get(path).content.decode()) == {"sources": "2 down", "heartbeats": "13 down", "alerts": "3 bad"}


@pytest.mark.parametrize("path", LISTS)
def test_what_a_page_fetches_anew_says_it_too_and_once(ada: Client, path: str) -> None:
    health.record_down(Down(sources=1))
    part = ada.get(path, headers=HTMX).content.decode()
    assert re.findall(r'hx-target="#down-(\w+)"', part) == ["sources", "heartbeats", "alerts"]
    assert re.findall(r'data-down="(\w+)">(.*?)</span></hx-partial>', part) == [("sources", "1 down")]
    assert "hx-partial" not in ada.get(path).content.decode()


def test_a_live_page_is_told_what_it_shows(ada: Client) -> None:
    health.record_down(Down(heartbeats=1))
    page = ada.get("/d/shop/").content.decode()
    assert 'data-heartbeats-down="1"></i>' in page
    assert "data-sources-down" not in page


def test_without_redis_nothing_is_said(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise RedisError("away")

    health.record_down(Down(sources=2))
    monkeypatch.setattr(health, "noted", unreachable)
    response = ada.get("/sources/")
    assert (response.status_code, said(response.content.decode())) == (200, {})
