"""The page of those who are watching: for staff, and current by itself."""

import asyncio
import time

import pytest
from django.test import Client
from redis import RedisError

from metrics.live import watchers
from metrics.live.watchers import ViewerStatus
from metrics.redis_state.round_trip import gather
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/watching/"


def test_anonymous_people_sign_in_first(client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/sign-in/?next={PATH}"


def test_it_is_for_staff(client: Client) -> None:
    client.force_login(make.user())
    response = client.get(PATH)
    assert response.status_code == 403
    assert "You are a viewer: only editors and administrators may see open pages." in response.content.decode()


class TestStaff:
    @pytest.fixture(autouse=True)
    def _staff(self, client: Client) -> None:
        client.force_login(make.user(is_staff=True))

    def show(self, *viewers: ViewerStatus) -> None:
        variants = [make.variant("shop", "1h")]
        asyncio.run(gather(watchers.renew("web-1", variants, viewers, len(viewers), time.time())))

    def test_nobody_watches(self, client: Client) -> None:
        assert "Nobody has a dashboard open right now." in client.get(PATH).content.decode()

    def test_everyone_who_watches_is_named(self, client: Client) -> None:
        make.dashboard("shop")
        self.show(ViewerStatus("grace", str(make.variant()), 7, 9, 0, 12.34, 20, 3, time.time()))
        page = client.get(PATH).content.decode()
        assert "1 open page," in page
        assert "grace" in page
        assert "7 of 9" in page
        assert "behind for 12.3 s" in page

    def test_htmx_gets_the_table_alone(self, client: Client) -> None:
        part = client.get(PATH, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part
        assert "Nobody has a dashboard open" in part

    def test_without_redis_it_says_so(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def unreachable(_: float) -> None:
            raise RedisError("away")

        monkeypatch.setattr(watchers, "viewers", unreachable)
        response = client.get(PATH)
        assert response.status_code == 200
        assert "Redis does not answer" in response.content.decode()
