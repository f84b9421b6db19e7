"""Any series as a chart: its address, its numbers, who sees it, and the way into a dashboard."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from metrics.models import Dashboard, Draft, Source
from metrics.sample import Sample
from metrics.series.write import write
from tests import make
from tests.html_form import form
from tests.make import AT
from tests.promql_server import PromqlServer, answer_at_once, promql_server
from tests.views.test_dashboard_edit import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "_now")]

PATH, ADD = "/explore/", "/explore/add/"
WEB_1 = "/explore/?metric=cpu_percent&label=host%3Dweb-1"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: AT)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make.user())
    return client


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("grace", is_staff=True))
    return client


@pytest.fixture(autouse=True)
def _stored() -> None:
    for host, values in (("web-1", (10.0, 40.0, 25.0)), ("web-2", (90.0,))):
        labels = {"host": host}
        write([Sample("cpu_percent", one, labels, AT - 60 * n, "percent") for n, one in enumerate(values)], None, AT)


def test_it_is_for_everyone_who_is_signed_in(client: Client) -> None:
    assert client.get(PATH)["Location"] == f"/sign-in/?next={PATH}"


def test_without_a_metric_it_asks_for_one(viewer: Client) -> None:
    page = viewer.get(PATH)
    assert "Type a word of a metric" in text(page)
    assert 'data-suggest="metric"' in page.content.decode()
    assert re.search(r'src="[^"]*js/hover[^"]*\.js"', page.content.decode())
    assert f'href="{PATH}"' in viewer.get("/series/").content.decode()


def test_a_series_is_drawn_with_its_numbers(viewer: Client) -> None:
    page = viewer.get(f"{WEB_1}&range=15m")
    assert 'class="widget widget-line' in page.content.decode()
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", page.content.decode())
    cells = [re.sub(r"<[^>]+>|\s", " ", row).split() for row in rows]
    assert cells == [["cpu_percent", "10.0", "%", "25.0", "%", "10.0", "%", "40.0", "%"]]
    assert "query-labels" in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ({"query-metric": "cpu_percent", "query-labels": "host: web-1", "range": "1h", "kind": "line"}, WEB_1),
        (
            {"query-metric": " cpu_percent ", "kind": "bars", "range": "7d"},
            f"{PATH}?metric=cpu_percent&range=7d&kind=bars",
        ),
        (
            {"query-metric": "cpu_percent", "query-group_by": "host", "query-aggregate": "max", "query-top": "3"},
            f"{PATH}?metric=cpu_percent&group_by=host&aggregate=max&top=3",
        ),
    ],
)
def test_the_form_leads_to_an_address_that_holds_still(viewer: Client, typed: dict[str, str], address: str) -> None:
    answer = viewer.get(PATH, typed)
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer["Location"]).query) == parse_qs(urlsplit(address).query)
    shown = viewer.get(answer["Location"], headers=HTMX)
    assert (shown.status_code, shown.templates[0].name) == (200, "explore/_explored.html")
    assert f'data-address="{answer["Location"]}"'.replace("&", "&amp;") in shown.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("query-metric=no+metric&query-labels=", "Metric: It may have letters"),
        ("metric=cpu_percent&top=many", "Only the largest: It has to be a whole number"),
        ("metric=cpu_percent&function=guess", "Function:"),
        ("label=host%3Dweb-1", "Metric: It has to be given."),
        ("query-metric=cpu_percent&query-labels=nonsense", "Labels: Line 1 is not a name, a colon and a value."),
    ],
)
def test_what_is_wrong_is_said(viewer: Client, query: str, said: str) -> None:
    page = viewer.get(f"{PATH}?{query}")
    assert page.status_code == 422
    assert said in text(page)


def test_series_of_a_source_of_others_are_not_drawn(viewer: Client) -> None:
    secret = make.source(name="secret feed")
    secret.for_everyone = False
    secret.save()
    write([Sample("salaries", 77.0, {"who": "hidden"}, AT)], secret, AT)
    page = text(viewer.get(f"{PATH}?metric=salaries"))
    assert "No data yet" in page
    assert "hidden" not in page


def test_it_is_added_to_a_dashboard_in_the_draft(editor: Client) -> None:
    make.dashboard()
    answer = editor.post(ADD, {**form(editor.get(WEB_1).content.decode(), ADD), "title": "Web", "dashboard": "shop"})
    assert (answer.status_code, answer["Location"]) == (302, "/d/shop/edit/")
    draft = Draft.objects.get()
    made = draft.steps.get(number=draft.position).spec["widgets"][-1]
    query = {"metric": "cpu_percent", "labels": {"host": "web-1"}}
    assert (made["title"], made["kind"], made["config"]) == ("Web", "line", {"queries": [query]})
    assert Dashboard.objects.get().widgets.count() == 1


def test_it_is_added_to_a_new_dashboard(editor: Client) -> None:
    answer = editor.post(ADD, {"asked": WEB_1, "title": "", "dashboard": ""})
    assert answer["Location"] == "/d/cpu-web-1/edit/"
    assert "Cpu, web-1 is in your draft." in text(editor.get(answer["Location"]))


def test_viewers_add_nothing(viewer: Client) -> None:
    make.dashboard()
    assert ADD not in viewer.get(WEB_1).content.decode()
    assert viewer.post(ADD, {"asked": WEB_1, "dashboard": "shop"}).status_code == 403
    assert viewer.post(ADD, {"asked": WEB_1, "dashboard": ""}).status_code == 403
    assert not Draft.objects.exists()
    assert Dashboard.objects.count() == 1


def test_what_can_not_be_drawn_is_not_added(editor: Client) -> None:
    answer = editor.post(ADD, {"asked": "/explore/?metric=a+b", "dashboard": ""})
    assert answer["Location"].startswith(PATH)
    assert not Dashboard.objects.exists()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PromqlServer]:
    with promql_server() as server:
        answer_at_once(monkeypatch)
        make.source("promql", "prom", 60, url=server.url, live=True)
        yield server


LIVE = f"{PATH}?source=prom&promql=sum%28up%29&unit=percent"


def test_a_server_is_asked_live_and_the_query_is_added(editor: Client, server: PromqlServer) -> None:
    server.value = lambda labels, at: 73.0
    make.dashboard()
    typed = {"query-metric": "", "query-source": "prom", "query-promql": "sum(up)", "query-unit": "percent"}
    answer = editor.get(PATH, typed)
    assert answer["Location"] == LIVE
    page = editor.get(LIVE)
    assert '<option selected value="prom">prom</option>' in page.content.decode()
    assert "sum(up) · Explore" in page.content.decode()
    cells = re.findall(r'<td class="figure">(.*?)</td>', page.content.decode())
    assert [re.sub(r"\s", " ", cell) for cell in cells[:4]] == ["73.0 %"] * 4
    assert "Alert on this" not in page.content.decode()  # a rule looks at stored series
    editor.post(ADD, {**form(page.content.decode(), ADD), "title": "", "dashboard": "shop"})
    draft = Draft.objects.get()
    made = draft.steps.get(number=draft.position).spec["widgets"][-1]
    query = {"source": "prom", "promql": "sum(up)", "unit": "percent"}
    assert (made["title"], made["config"]) == ("sum(up)", {"queries": [query]})


def test_what_a_server_refuses_is_said(editor: Client, server: PromqlServer) -> None:
    server.refuses = (400, {"status": "error", "errorType": "bad_data", "error": "1:1: parse error: no"})
    assert "The source prom refuses the query: 1:1: parse error: no." in text(editor.get(LIVE))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("query-metric=&query-source=prom&query-promql=", "PromQL: It has to be given."),
        ("query-metric=up&query-source=prom&query-promql=up", "Metric: It belongs to stored series"),
    ],
)
def test_half_of_a_live_query_is_refused(editor: Client, server: PromqlServer, query: str, said: str) -> None:
    assert said in text(editor.get(f"{PATH}?{query}"))


def test_viewers_ask_no_server(viewer: Client, server: PromqlServer) -> None:
    assert "query-promql" not in viewer.get(PATH).content.decode()
    page = viewer.get(LIVE)
    assert (page.status_code, server.asked) == (422, [])
    assert "Those who may change a dashboard may ask a server live." in text(page)


def test_a_server_of_others_is_not_asked(editor: Client, server: PromqlServer) -> None:
    Source.objects.update(for_everyone=False)
    assert "There is no source &#x27;prom&#x27;" in editor.get(LIVE).content.decode()
    assert server.asked == []
