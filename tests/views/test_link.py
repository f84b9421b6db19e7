"""Pages opened by a link: the way in, what they show, and that no other address answers a link."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import Settings

from metrics.access.links import COOKIES_MOST, cookie_of
from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, links
from metrics.models import Dashboard, Link
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SITES = ["https://portal.example.com", "http://localhost:9000"]
GRANTED = {"link-dashboard", "link-wall", "link-widget", "link-widget-csv"}
ANYBODYS = {
    *("link", "screen", "screen-state", "sign-in", "join", "service-worker", "metrics", "admin:login", "admin:jsi18n"),
    *("api:openapi-json", "api:openapi-view", "api:asyncapi-json"),
    *(f"api:{folder}-schema" for folder in ("dashboards", "rules", "channels", "schedules", "escalations")),
    *("influxdb:ping", "influxdb:health", "influxdb:ready", "alertmanager:healthy", "alertmanager:ready"),
}
"""Names of addresses that answer everybody, and show no dashboard."""


@pytest.fixture
def shop() -> Dashboard:
    """A dashboard with a variable, and a second one."""
    for host in ("web-1", "web-2"):
        make.stored("load", {5: 1.0}, host=host)
    widget = make.widget("load", labels={"host": "$host"})
    widget["config"] = {"queries": [{"metric": "load", "labels": {"host": "$host"}}]}
    make.dashboard("secret")
    variables = [
        {"name": "host", "values": ["web-1", "web-2"], "several": True, "all": True},
        {"name": "disk", "values": ["sda", "sdb"]},
    ]
    return dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop", "variables": variables, "widgets": [widget]})


def opened(shop: Dashboard, client: Client | None = None, **given: Any) -> tuple[Client, Link, str]:
    """Make a link and enter by it; return the browser, the link, and the path that it leads to."""
    client = client or Client()
    link, secret = links.create(SYSTEM, shop.slug, given.pop("name", "lobby"), **given)
    answer = client.post("/link/", {"secret": secret, "framed": ""})
    assert answer.status_code == 200
    path = answer.json()["path"]
    assert isinstance(path, str)
    return client, link, path


def routes() -> Iterator[tuple[str, str]]:
    """Yield the name and the pattern of every address of the project."""
    waiting: list[tuple[str, str, URLPattern | URLResolver]] = [("", "/", one) for one in get_resolver().url_patterns]
    while waiting:
        names, before, one = waiting.pop()
        if isinstance(one, URLResolver):
            inside = f"{names}{one.namespace}:" if one.namespace else names
            waiting += [(inside, before + str(one.pattern), inner) for inner in one.url_patterns]
        else:
            yield f"{names}{one.name or one.pattern}", before + str(one.pattern)


def test_it_opens_the_dashboard_and_its_widgets_and_nothing_else_of_the_project(shop: Dashboard) -> None:
    """All that is not named here is refused: also an address that is new."""
    client, link, _ = opened(shop)
    key = make.widgets_of(shop)[0].key
    answers: dict[str, set[str]] = {"shown": set(), "public": set(), "refused": set()}
    for name, pattern in routes():
        filled = re.sub(r"<(?:\w+:)?slug>", "shop", pattern)
        filled = re.sub(r"<(?:\w+:)?key>", key, filled)
        filled = re.sub(r"<(?:int:)?id>", str(link.pk), filled)
        filled = re.sub(r"<[^>]+>|\(\?P.*|[$^]", "1", filled)
        response = client.get(filled)
        is_shown = response.status_code == 200 and (
            b"w-" + key.encode() in response.content or b"time" in response.content[:4]
        )
        answers["shown" if is_shown else "public" if response.status_code == 200 else "refused"].add(name)
    assert answers["shown"] == GRANTED
    assert answers["public"] <= ANYBODYS
    assert len(answers["refused"]) > 150


def test_the_secret_is_exchanged_for_a_cookie_that_scripts_and_other_sites_do_not_get(shop: Dashboard) -> None:
    client, link, path = opened(shop, expires_at=timezone.now() + timedelta(hours=1))
    assert path == f"/link/{link.pk}/"
    cookie = client.cookies[cookie_of(link.pk)]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert 3500 < int(cookie["max-age"]) <= 3600
    link.refresh_from_db()
    assert link.last_used_at is not None
    assert Link.digest_of(cookie.value) == link.digest


@pytest.mark.parametrize(
    ("sites", "framed", "host", "partitioned"),
    [
        (SITES, "1", "localhost:8000", True),
        (SITES, "", "localhost:8000", False),
        ([], "1", "localhost:8000", False),
        (SITES, "1", "ops.example", False),
    ],
)
def test_in_a_frame_the_cookie_is_for_pages_of_that_site_alone(
    shop: Dashboard, settings: Settings, sites: list[str], framed: str, host: str, partitioned: bool
) -> None:
    settings.EMBED_SITES, settings.ALLOWED_HOSTS = sites, ["*"]
    link, secret = links.create(SYSTEM, "shop", "portal")
    client = Client()
    known = [cookie_of(link.pk + number) for number in range(1, COOKIES_MOST + 1)]
    for name in known:
        client.cookies[name] = "x"
    answer = client.post("/link/", {"secret": secret, "framed": framed}, headers={"host": host})
    assert set(answer.cookies) == {cookie_of(link.pk), known[0]}  # that of the oldest is removed, as it was kept
    for cookie in answer.cookies.values():
        attributes = set(cookie.OutputString().split("; "))
        assert ("Partitioned" in attributes) is partitioned
        assert not partitioned or {"Secure", "HttpOnly", "SameSite=None", "Path=/"} < attributes


def test_a_browser_keeps_so_many_cookies_of_links(shop: Dashboard) -> None:
    client = Client()
    for number in range(COOKIES_MOST + 2):
        opened(shop, client, name=f"{number}")
    kept = [one for one in client.cookies.values() if one.value]
    assert len(kept) == COOKIES_MOST


class TestOver:
    def test_a_secret_that_is_none_is_refused(self, shop: Dashboard) -> None:
        for wrong in ("", "wl_", "x" * 10_000, "\x00", "größe", make.token("job", "admin")):
            answer = Client().post("/link/", {"secret": wrong})
            assert (answer.status_code, answer.json()["detail"][:21]) == (404, "There is no such link")
            assert not answer.cookies

    def test_a_page_without_its_cookie_is_refused(self, shop: Dashboard) -> None:
        client, link, path = opened(shop)
        other, _ = links.create(SYSTEM, "secret", "other")
        client.cookies[cookie_of(other.pk)] = client.cookies[cookie_of(link.pk)].value
        for refused, who in ((path, Client()), (f"/link/{other.pk}/", client)):
            answer = who.get(refused)
            assert answer.status_code == 403
            assert b"Shop" not in answer.content

    @pytest.mark.parametrize("how", ["revoked", "expired", "deleted"])
    def test_a_link_that_is_over_says_so_on_its_page_and_on_the_way_in(self, shop: Dashboard, how: str) -> None:
        client, link, path = opened(shop)
        if how == "revoked":
            links.revoke(SYSTEM, "shop", link.pk)
        elif how == "expired":
            Link.objects.update(expires_at=timezone.now())
        else:
            dashboards.delete(SYSTEM, "shop", None)
        page, head, entered = (
            client.get(path),
            client.head(path),
            client.post("/link/", {"secret": client.cookies[cookie_of(link.pk)].value}),
        )
        assert {page.status_code, head.status_code, entered.status_code} == {410}
        assert "This link is over" in page.content.decode()
        assert "This link is over" in entered.json()["detail"]
        assert "Shop" not in page.content.decode()


class TestPage:
    def test_it_is_that_of_nobody_whoever_else_is_signed_in(self, shop: Dashboard) -> None:
        client = Client()
        client.force_login(make.user("ada-lovelace", is_superuser=True))
        _, link, path = opened(shop, client)
        for shown in ("", "wall/", f"w/{make.widgets_of(shop)[0].key}/"):
            page = client.get(path + shown).content.decode()
            says = "" if shown == "wall/" else "&amp;tab=1"
            assert f'/ws/dashboards/shop/?range=1h&amp;dashboard={shop.pk}&amp;link={link.pk}{says}"' in page
            for name in ("ada-lovelace", "/edit/", "/rooms/", "/ws/notifications/", 'id="bell"', "palette"):
                assert name not in page, (shown, name)

    def test_a_range_and_values_that_are_fixed_are_the_only_ones(self, shop: Dashboard) -> None:
        client, link, path = opened(shop, range="6h", values={"host": ["web-2"]})
        key = f"w/{make.widgets_of(shop)[0].key}/"
        page = client.get(path).content.decode()
        assert f"/ws/dashboards/shop/?range=6h&amp;dashboard={shop.pk}&amp;var-host=web-2&amp;link={link.pk}" in page
        assert "web-1" not in page
        assert "?range=7d" not in page
        assert "var-disk" in page
        for shown in ("", "?range=6h&var-host=web-2", "?var-disk=sdb", key, f"{key}csv", f"{key}?range=6h"):
            assert client.get(path + shown).status_code == 200, shown
        for part in ("", "wall/", key, f"{key}csv"):
            for other in ("range=7d", "var-host=web-1", "var-host=*", "var-host=", "at=1795176000"):
                assert client.get(f"{path}{part}?{other}").status_code == 404, (part, other)

    def test_values_that_are_gone_show_nothing_else_in_their_place(self, shop: Dashboard) -> None:
        client, _, path = opened(shop, values={"host": ["web-2"]})
        for variables in ([{"name": "host", "values": ["web-1"]}], [{"name": "machine", "values": ["web-2"]}], []):
            dashboards.change(SYSTEM, "shop", {"variables": variables}, None)
            assert client.get(path).status_code == 404


class TestFrames:
    def test_other_sites_show_what_a_link_opens_and_nothing_else(self, shop: Dashboard, settings: Settings) -> None:
        client, _, path = opened(shop)
        paths = (path, f"{path}wall/", "/link/", f"{path}?at=1", "/link/0/", "/sign-in/", "/d/shop/", "/join/")
        for sites in ([], SITES):
            settings.EMBED_SITES = sites
            for one in paths:
                headers = client.get(one).headers
                ancestors = re.findall("frame-ancestors ([^;]*)", headers["Content-Security-Policy"])
                may_be_framed = bool(sites) and one.startswith("/link/")
                assert ancestors == [" ".join(SITES) if may_be_framed else "'none'"], one
                assert headers.get("X-Frame-Options") == (None if may_be_framed else "DENY")
                assert "no-store" in headers["Cache-Control"]
