"""The page of a dashboard's links: making one, seeing its address once, revoking it."""

import html
import re

import pytest
from django.test import Client
from pytest_django import Settings

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, links
from metrics.models import Dashboard, Link
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/d/shop/links/"


@pytest.fixture
def eve(client: Client) -> Client:
    """An editor, in front of a dashboard with a variable."""
    make.dashboard("shop")
    variables = [{"name": "host", "values": ["a", "b"], "several": True}, {"name": "disk", "values": ["sda"]}]
    dashboards.change(SYSTEM, "shop", {"variables": variables}, None)
    client.force_login(make.user("eve", is_staff=True))
    return client


def test_its_address_is_shown_once_and_a_frame_for_sites_that_may_show_it(eve: Client, settings: Settings) -> None:
    Dashboard.objects.update(title='a" onload="x')
    for sites, count in (([], 1), (["https://portal.example.com"], 2)):
        settings.EMBED_SITES = sites
        given = {"name": f"lobby {count}", "days": "7", "range": "6h", "var-host": ["a", "b"], "var-disk": ""}
        page = eve.post(f"{PATH}new/", given).content.decode()
        addresses = re.findall(r"http://testserver/link/#(wl_[\w-]+)", page)
        link = Link.objects.get(name=f"lobby {count}")
        assert [Link.digest_of(one) for one in addresses] == [link.digest] * count
        assert ("&lt;iframe src=" in page) is bool(sites)
        assert (link.range, link.variables, link.by) == ("6h", {"host": ["a", "b"]}, "user eve")
        assert link.expires_at is not None
        if sites:  # a title is part of the frame's text, and escaped there once more
            assert 'title="a&quot; onload=&quot;x"' in html.unescape(page)
    listed = eve.get(PATH).content.decode()
    assert "wl_" not in listed
    assert "6h, host a, b" in listed


def test_what_makes_no_sense_is_said_beside_its_field(eve: Client) -> None:
    for given, said in (
        ({"name": ""}, "This field is required."),
        ({"name": "x", "range": "2h"}, "Select a valid choice"),
        ({"name": "x", "var-host": ["c"]}, "Select a valid choice"),
    ):
        answer = eve.post(f"{PATH}new/", given)
        assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert not Link.objects.exists()


def test_one_is_revoked_there(eve: Client) -> None:
    link, _ = links.create(SYSTEM, "shop", "lobby")
    page = eve.post(f"{PATH}{link.pk}/revoke/", follow=True).content.decode()
    assert "The link lobby is revoked, also where it is open." in page
    assert eve.post(f"{PATH}{link.pk}/revoke/").status_code == 404


def test_it_is_for_those_who_may_change_the_dashboard(client: Client) -> None:
    make.dashboard("shop")
    client.force_login(make.user("vera"))
    for answer in (client.get(PATH), client.post(f"{PATH}new/", {"name": "x"}), client.post(f"{PATH}1/revoke/")):
        assert answer.status_code == 403
