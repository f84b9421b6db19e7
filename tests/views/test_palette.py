"""Finding anything by its name: which groups, for whom, and how much of it."""

import re
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, rooms
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/search/"
OPTION = re.compile(r'<(?:a href|button [^>]*value)="([^"]*)"[^>]*role="option"[^>]*><b>([^<]*)</b>')


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(make.user())
    return client


def found(client: Client, text: str) -> list[tuple[str, str]]:
    """Return where each option leads, or the person that it is, and its title."""
    page = client.get(PATH, {"q": text}, headers={"HX-Request": "true"}).content.decode()
    return [(unescape(path), unescape(title)) for path, title in OPTION.findall(page)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop", [("/d/shop/", "Shop <1>"), ("/rooms/{room}/", "Shop <1>")]),
        ("SHOP berlin", [("/d/shop/", "Shop <1>")]),
        ("machine", [("/sources/{source}/", "Our machine")]),
        ("stand", [("/rooms/{other}/", "Standup")]),
        ("grace", [("grace", "grace")]),
        ("orders_o", [("/explore/?metric=orders_open", "orders_open")]),
        ("explo", [("/explore/", "Explore")]),
        ("secret", []),
        ("audit", []),
        ("\x00", []),
        ("%", []),
    ],
)
def test_everything_that_one_may_see_is_found_by_its_name(
    ada: Client, text: str, expected: list[tuple[str, str]]
) -> None:
    shop = dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop <1>", "tags": ["Berlin"]})
    ops = make.team("ops")
    make.dashboard("secret", teams=[ops])
    source = make.source(name="Our machine")
    other = rooms.create(SYSTEM, "Standup", {"everyone": True, "teams": []}, [])
    rooms.create(SYSTEM, "Secret talk", {"everyone": False, "teams": ["ops"]}, [])
    make.user("grace")
    make.accepted([make.sample()])
    ids = {"room": str(shop.room.pk), "source": str(source.pk), "other": str(other.pk)}
    assert found(ada, text) == [(path.format(**ids), title) for path, title in expected]


def test_without_words_it_shows_the_pages_and_favourites_first(ada: Client) -> None:
    for slug in "abcdefgh":
        make.dashboard(slug)
    ada.post("/dashboards/favourite/", {"on": "h"})
    titles = [title for _, title in found(ada, " ")]
    assert titles[:6] == ["H", "A", "B", "C", "D", "E"]
    assert titles[6:10] == ["Dashboards", "Alerts", "On call", "Sources"]
    assert "Admin" not in titles
    assert "There are more" in ada.get(PATH, {"q": ""}, headers={"HX-Request": "true"}).content.decode()


def test_it_is_a_page_without_scripts_and_on_every_page_but_walls(ada: Client) -> None:
    make.dashboard()
    page = ada.get(PATH, {"q": "no such <thing>"}).content.decode()
    assert "Nothing has “no such &lt;thing&gt;” in its name." in page
    for path, count in (("/dashboards/", 1), ("/d/shop/", 1), ("/account/", 1), ("/wall/shop/", 0)):
        text = ada.get(path).content.decode()
        assert (text.count('id="palette"'), text.count("js/palette")) == (count, count), path


def test_what_is_typed_costs_a_fixed_number_of_queries(
    ada: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for slug in "abcdefgh":
        make.dashboard(slug)
        make.source(name=f"source {slug}")
    found(ada, "a")
    with django_assert_max_num_queries(16):
        found(ada, "a")


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get(PATH).status_code == 302
