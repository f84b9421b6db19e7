"""The notice on pages: above what they show, on those that are live and those that are not."""

import time
from unittest.mock import Mock

import pytest
from django.test import Client
from redis import RedisError

from metrics.health import store as health
from metrics.health.store import Arriving
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PAGES = ["/", "/d/shop/", "/wall/shop/", "/sources/", "/heartbeats/"]
EMPTY = '<div id="notice" role="alert"></div>'


@pytest.fixture
def ada(client: Client) -> Client:
    """A client that is signed in, where there is a dashboard."""
    make.dashboard()
    client.force_login(make.user())
    return client


def stop() -> None:
    now = time.time()
    health.record_arriving([Arriving("collected", 9, 9, now, now - 60)])


@pytest.mark.parametrize("path", PAGES)
def test_it_is_said_once_and_without_one_nothing_is(ada: Client, path: str) -> None:
    assert ada.get(path).content.decode().count(EMPTY) == 1
    stop()
    page = ada.get(path).content.decode()
    assert page.count("Collecting stopped ") == page.count('id="notice"') == 1
    assert page.index('id="notice"') < page.index("<main")


@pytest.mark.parametrize("path", PAGES)
def test_without_redis_the_page_is_drawn_and_says_so(ada: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(health, "noted", unreachable)
    response = ada.get(path)
    assert response.status_code == 200
    assert "<strong>Redis does not answer.</strong>" in response.content.decode()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_notice_and_what_is_down_are_read_together(
    ada: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(side_effect=health.noted)
    monkeypatch.setattr(health, "noted", read)
    assert ada.get("/sources/", headers=headers).status_code == 200
    assert read.call_count == 1


def test_who_is_not_signed_in_is_told_nothing(client: Client) -> None:
    stop()
    assert 'id="notice"' not in client.get("/sign-in/").content.decode()
