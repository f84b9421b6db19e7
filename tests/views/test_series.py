"""The page of stored series: for staff."""

import pytest
from django.test import Client
from pytest_django import Settings

from metrics.series import rollup
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/series/"


def test_it_is_for_everyone_who_is_signed_in(client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/sign-in/?next={PATH}"


class TestViewer:
    @pytest.fixture(autouse=True)
    def _signed_in(self, client: Client) -> None:
        client.force_login(make.user())

    def test_nothing_is_stored_yet(self, client: Client) -> None:
        page = client.get(PATH).content.decode()
        assert "There are no series yet." in page
        assert "0 of 200\N{NARROW NO-BREAK SPACE}000" in page

    def test_the_largest_are_named(self, client: Client, settings: Settings) -> None:
        settings.SERIES_PER_SOURCE = 12
        write([sample("requests", 1, id=f"<{n}>", host="a") for n in range(11)], make.source(name="checkout"), AT)
        rollup.roll(AT)
        page = client.get(PATH).content.decode()
        assert "11 of 12" in page
        assert "level-warn" in page
        assert "checkout" in page
        assert "id <b>11</b>" in page

    def test_it_is_found_from_every_page(self, client: Client) -> None:
        assert f'href="{PATH}"' in client.get("/").content.decode()
