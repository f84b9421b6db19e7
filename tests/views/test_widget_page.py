"""A widget alone: who may see it, what is said, every kind, the past, and its numbers as CSV."""

import csv
import html
import io
import re
import time

import pytest
from django.test import Client

from metrics.sample import Sample
from metrics.series.write import write
from metrics.widgets.registry import kinds
from tests import make

pytestmark = pytest.mark.django_db

LOAD = {"kind": "line", "title": "Load", "config": {"queries": [{"metric": "load", "legend": "{host}"}]}}


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(make.user("ada"))
    return client


def load() -> list[str]:
    """Store four samples of two hosts in the last two minutes; return the key of the widget that shows them."""
    now = time.time() // 60 * 60
    for host, values in (("=cmd()", (1.5, 2.5)), ("b", (-7.0, 8.0))):
        samples = [
            Sample("load", value, {"host": host}, now - 120 + 60 * i, "percent") for i, value in enumerate(values)
        ]
        write(samples, None, now)
    return [one.key for one in make.widgets_of(make.dashboard("shop", [LOAD, make.widget("other")]))]


def test_it_has_the_widget_its_queries_and_its_numbers(ada: Client) -> None:
    load_key, other_key = load()
    page = ada.get(f"/d/shop/w/{load_key}/?range=15m").content.decode()
    assert f'id="w-{load_key}"' in page
    assert f'id="w-{other_key}"' not in page
    assert "<code>load</code>" in page
    for text in ("−7.0", "8.0", "Numbers over 15m", "csv?range=15m", "/ws/dashboards/shop/?range=15m"):  # noqa: RUF001
        assert text in page


def test_editors_come_from_it_to_a_rule_of_what_it_shows(ada: Client) -> None:
    load_key, _ = load()
    path = f"/d/shop/w/{load_key}/"
    assert "/rules/new/" not in ada.get(path).content.decode(), "a viewer makes none"
    ada.force_login(make.user("eve", is_staff=True))
    found = re.search(r'href="(/rules/new/[^"]*)"', ada.get(path).content.decode())
    assert found
    form = ada.get(f"{html.unescape(found[1])}&kind=threshold").content.decode()
    assert 'value="load"' in form


def test_titles_of_the_dashboard_lead_to_it(ada: Client) -> None:
    load_key, _ = load()
    assert f'<h2><a href="/d/shop/w/{load_key}/">Load</a></h2>' in ada.get("/d/shop/").content.decode()


def test_its_numbers_as_csv(ada: Client) -> None:
    load_key, _ = load()
    answer = ada.get(f"/d/shop/w/{load_key}/csv?range=1h")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(answer.content.decode()))
    assert head == ["time", "'=cmd() (percent)", "b (percent)"]
    assert [row[1:] for row in rows] == [["1.5", "-7.0"], ["2.5", "8.0"]]
    assert all(len(row[0]) == len("2026-11-20T12:00:00Z") and row[0].endswith("Z") for row in rows)


def test_the_past_has_what_was_there_then(ada: Client) -> None:
    load_key, _ = load()
    at = time.time() // 60 * 60 - 90  # between the two samples of a host
    page = ada.get(f"/d/shop/w/{load_key}/?range=15m&at={at}").content.decode()
    assert "As it was at" in page
    assert "hx-ws:connect" not in page
    rows = ada.get(f"/d/shop/w/{load_key}/csv?range=15m&at={at}").content.decode().splitlines()
    assert [row.partition(",")[2] for row in rows[1:]] == ["1.5,-7.0"]


def test_who_may_not_see_the_dashboard_sees_no_widget_of_it(client: Client) -> None:
    """Nobody, and somebody of another team; nor is there a widget that there is not, or a moment of the future."""
    (key,) = [one.key for one in make.widgets_of(make.dashboard("closed", [LOAD], teams=[make.team("ops")]))]
    for end in ("", "csv"):
        assert client.get(f"/d/closed/w/{key}/{end}").status_code == 302
    client.force_login(make.user("ada"))
    make.dashboard("shop", [LOAD])
    wrong = [
        f"closed/w/{key}/",
        f"closed/w/{key}/csv",
        "shop/w/none/",
        f"shop/w/{key}/?at=9e12",
        f"shop/w/{key}/csv?at=x",
    ]
    assert [client.get(f"/d/{path}").status_code for path in wrong] == [404] * 5


def test_every_kind_has_one(ada: Client) -> None:
    widgets = [
        {"kind": name, "title": name, "config": dict(kind.example)}
        for name, kind in kinds().items()
        if name != "section"
    ]
    for one in make.widgets_of(make.dashboard("shop", widgets)):
        for end in ("", "csv"):
            answer = ada.get(f"/d/shop/w/{one.key}/{end}")
            assert (answer.status_code, b"be drawn" in answer.content) == (200, False), one.kind
