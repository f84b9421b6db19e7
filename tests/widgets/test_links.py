"""Links of widgets and rows: which are taken, what stands in the place of names, and what they carry along."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from metrics.models import Widget
from metrics.widgets import links
from metrics.widgets.bars import Bars, BarsConfig
from metrics.widgets.filled import with_values
from metrics.widgets.late import Late, LateConfig
from metrics.widgets.links import Href, Link
from metrics.widgets.list import ListConfig, ListKind
from metrics.widgets.render import widget_views
from metrics.widgets.status import Status, StatusConfig
from metrics.widgets.table import Table, TableConfig
from metrics.widgets.variables import Choice
from tests.widgets.make import AT, config, named, window

HREF: TypeAdapter[str] = TypeAdapter(Href)


@pytest.mark.parametrize("url", ["/d/shop/", "https://example.org/a?b=${host}#c", "http://${host}:8080/", "/#top", ""])
def test_addresses_that_a_browser_may_follow_are_taken(url: str) -> None:
    assert HREF.validate_python(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)", "begins with http://, https:// or /"),
        (" javascript:alert(1)", "has no ' ' in it"),
        ("java\tscript:alert(1)", r"has no '\\t' in it"),
        ("data:text/html,x", "begins with"),
        ("ftp://example.org/", "begins with"),
        ("d/shop/", "begins with"),
        ("https://", "begins with"),
        ("//example.org/", "begins with one /"),
        ("/\\example.org/", r"has no '\\\\' in it"),
        ("https://ada:secret@example.org/", "names no user and no password"),
        ("http://[", "can be read"),
        ('https://example.org/"><script>', "has no '\"' in it"),
    ],
)
def test_others_are_refused(url: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        HREF.validate_python(url)


CHOSEN = {"host": ["web 1"], "zone": ["*"], "disk": ["a", "b"]}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/$host/${range}?all=$zone&x=$none", "https://example.org/web%201/6h?all=%2A&x=$none"),
        ("/runbooks/${disk}", "/runbooks/a%2Cb"),
        ("/d/shop/", "/d/shop/?var-host=web+1&var-zone=%2A&var-disk=a&var-disk=b&range=6h"),
        ("/d/shop/?range=7d&var-host=x#now", "/d/shop/?range=7d&var-host=x&var-zone=%2A&var-disk=a&var-disk=b#now"),
        ("/wall/shop/?from=1&to=2&var-zone=&var-disk=", "/wall/shop/?from=1&to=2&var-zone=&var-disk=&var-host=web+1"),
        ("/dashboards/?q=$host", "/dashboards/?q=web%201"),
    ],
)
def test_a_link_carries_the_range_and_what_is_chosen(url: str, shown: str) -> None:
    made = Link(title="There", url=links.with_values(url, CHOSEN))
    assert links.over(made, "6h") == links.ShownLink("There", shown, not url.startswith("/"))


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("", ""),
        ("/d/host/?var-host=${host}", "/d/host/?var-host=web%2F1%26%22&range=1h"),
        ("https://$host.example.org/$range?q=$none", "https://web%2F1%26%22.example.org/1h?q="),
        ("https://example.org/$none$range", ""),
        ("/${none}/runbook/", ""),
        ("/d/${empty}/", ""),
        ("/${slash}", "/%2F%2Fevil.example.org"),
    ],
)
def test_the_link_of_a_row_has_the_values_of_its_labels(template: str, shown: str) -> None:
    labels = {"host": 'web/1&"', "slash": "//evil.example.org", "empty": ""}
    assert links.of_row(template, labels, "1h") == shown


def test_what_would_be_too_long_is_left_out() -> None:
    assert links.with_values("/d/shop/", {"host": ["x" * links.URL_MOST]}) == "/d/shop/"


def test_variables_are_filled_in_where_links_stand_but_names_of_rows_are_left() -> None:
    before = config(links=[{"title": "$host", "url": "/a/$host"}], row_link="/d/host/?var-host=${host}")
    made = with_values(Widget(title="t", config=before), {"host": Choice(("web-1",)), "zone": Choice(("z",), True)})
    assert made.config["links"] == [{"title": "$host", "url": "/a/web-1"}]
    assert made.config["row_link"] == "/d/host/?var-host=${host}&var-zone=%2A"


def test_rows_of_every_kind_that_has_some_lead_where_they_say() -> None:
    one = named("web-1", 1.0, {60: 1.0}, age_s=900)
    one = replace(one, track=replace(one.track, labels={"host": "web 1"}))
    fields = config(row_link="/d/host/?var-host=${host}")
    views: list[Any] = [
        Bars().view(BarsConfig.model_validate(fields), [one], window()).bars,
        Status().view(StatusConfig.model_validate(fields), [one], window()).cells,
        Late().view(LateConfig.model_validate(fields), [one], window()).rows,
        Table().view(TableConfig.model_validate(fields), [one], window()).rows,
        ListKind().view(ListConfig.model_validate(fields), [one], window()).changes,
    ]
    assert [row.link for rows in views for row in rows] == ["/d/host/?var-host=web%201&range=1h"] * 5


@pytest.mark.django_db
def test_a_tile_has_its_links_over_its_range() -> None:
    text = {"text": "x", "links": [{"title": "Runbook", "url": "https://example.org/$range"}]}
    (view,) = widget_views([Widget(key="k", kind="text", title="t", config=text)], "6h", AT, ())
    assert view.links == (links.ShownLink("Runbook", "https://example.org/6h", True),)
