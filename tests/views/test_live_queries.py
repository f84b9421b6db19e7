"""The form of a widget whose query is PromQL for a server: what it offers, its preview, its errors."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards
from metrics.models import Source
from tests import make
from tests.promql_server import PromqlServer, answer_at_once, promql_server
from tests.views.test_dashboard_edit import filled, text
from tests.views.test_widgets import HTMX, NEW, PATH, beside, config

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def html(response: Any) -> str:
    return str(response.content.decode())


QUERY = "config-queries-0"
TYPED = {f"{QUERY}-metric": "", f"{QUERY}-source": "prom", f"{QUERY}-promql": "sum(up)"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PromqlServer]:
    with promql_server() as server:
        answer_at_once(monkeypatch)
        make.source("promql", "prom", 60, url=server.url, live=True)
        yield server


@pytest.fixture
def editor(client: Client) -> Client:
    make.dashboard()
    client.force_login(make.user("grace", is_staff=True))
    return client


def test_without_a_server_nothing_is_offered(editor: Client) -> None:
    page = html(editor.get(NEW))
    assert f'name="{QUERY}-metric"' in page
    assert f'name="{QUERY}-source"' not in page
    assert f'name="{QUERY}-promql"' not in page


def test_a_server_is_chosen_drawn_and_saved(editor: Client, server: PromqlServer) -> None:
    server.value = lambda labels, at: 7321.0
    make.source("promql", "stores", 60, url=server.url, queries={"a": "b"})
    page = editor.get(PATH)
    assert re.findall('<option[^>]* value="(.*?)">', html(page).partition(f'id="{QUERY}-source"')[2])[:3] == [
        "",
        "prom",
        "",
    ]
    typed = filled(editor, PATH, PATH, **TYPED)
    preview = text(editor.post(f"{PATH}?do=preview", typed, headers=HTMX))
    assert "7 321" in preview
    editor.post(PATH, typed)
    assert config()["queries"] == [{"source": "prom", "promql": "sum(up)"}]
    again = html(editor.get(PATH))
    assert "sum(up)</textarea>" in again
    assert "7" in text(editor.get("/d/shop/edit/"))


def test_what_the_server_refuses_is_said_of_the_field(editor: Client, server: PromqlServer) -> None:
    server.refuses = (400, {"status": "error", "errorType": "bad_data", "error": "1:1: parse error: no"})
    typed = filled(editor, PATH, PATH, **TYPED)
    said = "The source prom refuses the query: 1:1: parse error: no."
    page = editor.post(f"{PATH}?do=preview", typed)
    assert (page.status_code, beside(html(page), f"{QUERY}-promql")) == (422, said)
    assert f"Query 1, PromQL: {said}" in text(editor.post(f"{PATH}?do=preview", typed, headers=HTMX))


def test_one_without_the_other_is_said_of_the_field(editor: Client, server: PromqlServer) -> None:
    typed = filled(editor, PATH, PATH, **{**TYPED, f"{QUERY}-source": ""})
    assert beside(html(editor.post(PATH, typed)), f"{QUERY}-source") == "It has to be given."
    typed |= {f"{QUERY}-source": "prom", f"{QUERY}-metric": "up"}
    assert beside(html(editor.post(PATH, typed)), f"{QUERY}-metric").startswith("It belongs to stored series")


def test_a_server_that_is_gone_stays_in_the_widget_until_it_is_changed(editor: Client, server: PromqlServer) -> None:
    editor.post(PATH, filled(editor, PATH, PATH, **TYPED))
    Source.objects.all().delete()
    page = editor.get(PATH)
    assert '<option selected value="prom">prom</option>' in html(page)
    editor.post(PATH, filled(editor, PATH, PATH, **{"config-hint": "later"}))
    assert config()["queries"] == [{"source": "prom", "promql": "sum(up)"}]


def test_a_kind_of_stored_samples_does_not_offer_it(editor: Client, server: PromqlServer) -> None:
    assert f"{QUERY}-promql" not in html(editor.get(NEW.replace("number", "slo")))


def test_the_page_of_a_widget_has_its_numbers_and_points(editor: Client, server: PromqlServer) -> None:
    queries = [{"source": "prom", "promql": "up", "legend": "{host}"}]
    make.dashboard("live", [{"kind": "number", "title": "Up", "config": {"queries": queries}}])
    server.value = lambda labels, at: 5.0
    page = text(editor.get("/d/live/w/up/"))
    assert "prom: up" in page
    assert "Waiting" not in page
    lines = html(editor.get("/d/live/w/up/csv?range=1h")).splitlines()
    assert lines[0] == "time,a"
    assert len(lines) > 350
    assert "5" in text(editor.get("/d/live/w/up/?at=1700000000"))


def test_a_dashboard_of_grafana_asks_the_server_that_is_chosen(editor: Client, server: PromqlServer) -> None:
    panels = [{"type": "stat", "title": "Slow", "targets": [{"expr": "histogram_quantile(0.9, a)", "refId": "A"}]}]
    grafanas = json.dumps({"title": "Store", "panels": panels})
    path = "/dashboards/new/?from=file"
    assert "histogram_quantile has no counterpart" in text(editor.post(path, {"dashboard-text": grafanas}))
    page = html(editor.post(path, {"dashboard-text": grafanas, "dashboard-source": "prom"}))
    assert "promql: histogram_quantile(0.9, a)" in page
    assert "no counterpart" not in page
    refused = editor.post(path, {"dashboard-text": grafanas, "dashboard-source": "other"})
    assert (refused.status_code, "there is no source &#x27;other&#x27;" in html(refused).lower()) == (422, True)


def test_a_variable_has_the_values_that_the_server_knows(editor: Client, server: PromqlServer) -> None:
    server.labels = [{"__name__": "up", "host": host} for host in ("web-10", "web-2")]
    queries = [{"source": "prom", "promql": 'up{host="$host"}'}]
    widget = {"kind": "number", "title": "Up of $host", "config": {"queries": queries}}
    variables = [{"name": "host", "label": "host", "metric": "up", "source": "prom", "several": True}]
    document = {"slug": "live", "title": "Live", "variables": variables, "widgets": [widget]}
    dashboards.create(SYSTEM, document)
    page = text(editor.get("/d/live/?var-host=web-2&var-host=web-10"))
    assert "Up of web-2, web-10" in page
    assert [asked for _, asked in server.asked if "match[]" in asked] == [{"match[]": "up"}]
    assert server.asked[-1][1]["query"] == 'up{host=~"(web-2|web-10)"}'
    server.refuses = (503, "no")
    assert "web-10" in text(editor.get("/d/live/"))
