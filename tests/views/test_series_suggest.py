"""Suggestions of series while somebody types: what is shown of each, and to whom."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from metrics.models import Series
from metrics.sample import Sample
from metrics.series.write import write
from tests import make
from tests.make import AT, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "_now")]

PATH = "/series/suggest/"


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: AT)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.user())
    return client


def asked(client: Client, **query: str) -> str:
    response = client.get(PATH, query)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def metrics(page: str) -> list[tuple[str, str]]:
    return re.findall(r'data-metric="([^"]*)" data-labels="([^"]*)"', page)


def test_it_is_for_everyone_who_is_signed_in(client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/sign-in/?next={PATH}"


def test_each_has_its_labels_value_source_and_curve(viewer: Client) -> None:
    source = make.source(name="checkout")
    for host, value in (("web-1", 40.0), ("web-2", 60.0)):
        labels = {"host": host, "core": "0"}
        write([Sample("cpu_percent", value + n, labels, AT - 60 * n, "percent") for n in range(4)], source, AT)
    page = asked(viewer, q="cpu web-1")
    assert metrics(page) == [("cpu_percent", "host: web-1")]
    assert 'data-title="Cpu, web-1"' in page
    assert "by core · checkout" in page
    assert "40" in page
    assert re.search(r'<path class="curve" d="M\d', page)
    whole = asked(viewer, q="CPU")
    assert metrics(whole) == [("cpu_percent", "")]
    assert "2 series by core, host · checkout" in whole
    assert "e.g." in whole


def test_series_of_a_source_of_others_are_not_named(viewer: Client) -> None:
    secret = make.source(name="secret feed")
    secret.for_everyone = False
    secret.save()
    write([sample("orders_secret", 1, shop="a")], secret, AT)
    write([sample("orders_open", 1, shop="b")], None, AT)
    for typed in ("orders", "shop=a", "secret", "a", ""):
        page = asked(viewer, q=typed)
        assert "orders_secret" not in page, typed
        assert "secret feed" not in page, typed
    assert metrics(asked(viewer, q="orders")) == [("orders_open", "")]
    assert "shop" not in asked(viewer, metric="orders_secret", q="")


def test_a_removed_series_is_not_suggested_any_more(viewer: Client) -> None:
    write([sample("orders_open", 1)], None, AT)
    assert metrics(asked(viewer, q="orders"))
    Series.objects.all().delete()
    assert "No series has these words." in asked(viewer, q="orders")


def test_names_are_escaped(viewer: Client) -> None:
    write([sample("orders_open", 1, shop='"><script>alert(1)</script>')], None, AT)
    page = asked(viewer, q="script")
    assert metrics(page)[0][0] == "orders_open"
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("", ["host: ", "shop: "]),
        ("hos", ["host: "]),
        ("o", ["host: ", "shop: "]),
        ("host: ", ["host: web-1", "host: web-2"]),
        ("host: 2", ["host: web-2"]),
        ("nothing", []),
        ("nothing: ", []),
    ],
)
def test_labels_and_their_values(viewer: Client, typed: str, lines: list[str]) -> None:
    write([sample("orders_open", 1, host=f"web-{n}", shop="a") for n in (1, 2)], None, AT)
    page = asked(viewer, metric="orders_open", q=typed)
    assert re.findall(r'data-line="([^"]*)"', page) == lines


@pytest.mark.parametrize(
    ("metric", "typed", "names"),
    [
        ("", "", ["core", "host", "shop"]),
        ("", "HO", ["host", "shop"]),
        ("orders_open", "", ["host", "shop"]),
        ("orders_open", "core", []),
        ("nothing", "", []),
    ],
)
def test_names_of_labels_of_a_metric_or_of_all(viewer: Client, metric: str, typed: str, names: list[str]) -> None:
    write([sample("orders_open", 1, host="web-1", shop="a"), sample("cpu_percent", 1, core="0")], None, AT)
    page = asked(viewer, metric=metric, q=typed, names="")
    assert re.findall(r'data-line="([^"]*)"', page) == names


def test_names_of_labels_of_others_are_not_suggested(viewer: Client) -> None:
    secret = make.source(name="secret feed")
    secret.for_everyone = False
    secret.save()
    write([sample("orders_secret", 1, vault="a")], secret, AT)
    assert "vault" not in asked(viewer, metric="", q="", names="")


def test_a_key_asks_for_no_notifications(viewer: Client, django_assert_max_num_queries: Any) -> None:
    write([sample("cpu_percent", 1.0)], None, AT)
    viewer.get(PATH, {"q": "cpu"})
    with django_assert_max_num_queries(12) as asked_of:  # who asks, sources, and of the series found: how they stand
        viewer.get(PATH, {"q": "cpu"}, headers={"HX-Request": "true"})
    assert not [one["sql"] for one in asked_of.captured_queries if "notification" in one["sql"]]
    script = (Path(settings.BASE_DIR) / "static/js/suggest.js").read_text()
    assert 'fetch(url, { headers: { "HX-Request": "true" } })' in script, "as the page asks"
