"""Dashboards as YAML over the API, and from a page."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from metrics.models import Dashboard
from metrics.yaml import SIZE_MOST_BYTES
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SHOP = "/api/v1/dashboards/shop.yaml"


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {make.token('code', 'edit')}"})


def put(client: Client, text: str | bytes, path: str = SHOP, **headers: str) -> HttpResponse:
    response: Any = client.put(path, text, content_type="application/yaml", headers=headers)
    return response  # type: ignore[no-any-return]


def test_what_is_read_can_be_put_elsewhere(client: Client) -> None:
    make.dashboard()
    read = client.get(SHOP)
    text = read.content.decode()
    assert (read.status_code, read["ETag"], read["Content-Type"]) == (200, '"1"', "application/yaml; charset=utf-8")
    assert text.startswith("slug: shop\ntitle: Shop\nwidgets:\n  - key: ")
    same = put(client, text, **{"If-Match": '"1"'})
    assert (same.status_code, same["ETag"]) == (200, '"1"')
    store = put(client, text.replace("slug: shop\n", ""), "/api/v1/dashboards/store.yaml")
    assert (store.status_code, store["ETag"]) == (201, '"1"')
    assert client.get("/api/v1/dashboards/store.yaml").content.decode() == text.replace("shop", "store", 1)


@pytest.mark.parametrize(
    ("text", "headers", "status", "said"),
    [
        ("title: Shop\n", {}, 428, "The header If-Match is missing"),
        ("title: Store\n", {"If-Match": '"7"'}, 412, "The dashboard 'shop' is at revision 1, not 7"),
        ("title: [\n", {"If-Match": "*"}, 422, "Line 2: It is no YAML"),
        ("- a\n", {"If-Match": "*"}, 422, "Line 1: It is no dashboard"),
        ("title: Shop\nslug: store\n", {"If-Match": "*"}, 422, "Line 2: slug: it is 'store'"),
        (b"\xff", {"If-Match": "*"}, 400, "The body is not UTF-8."),
        ("#" * (SIZE_MOST_BYTES + 1), {"If-Match": "*"}, 413, "The body is larger than"),
    ],
)
def test_nonsense_changes_nothing(
    client: Client, text: str | bytes, headers: dict[str, str], status: int, said: str
) -> None:
    make.dashboard()
    response: Any = put(client, text, **headers)
    assert (response.status_code, response.json()["detail"][: len(said)]) == (status, said)
    assert Dashboard.objects.get().revision == 1


def test_a_dashboard_of_grafana_is_made_and_tells_what_was_left_out(client: Client) -> None:
    sent = {
        "title": "Shop",
        "panels": [{"type": "stat", "title": "Open", "targets": [{"expr": "orders_open"}]}, {"type": "x"}],
    }
    response: Any = client.post("/api/v1/grafana-dashboards", sent, content_type="application/json")
    answer = response.json()
    assert (response.status_code, answer["dashboard"]["slug"], len(answer["dashboard"]["widgets"])) == (201, "shop", 1)
    assert answer["left_out"] == [{"title": "", "reason": "There is no kind of widget for panels of the type 'x'."}]
    response = client.post("/api/v1/grafana-dashboards", {"panels": []}, content_type="application/json")
    assert (response.status_code, response.json()["detail"]) == (422, "It has no panels.")


def test_anybody_may_read_the_schema() -> None:
    found = Client().get("/api/v1/dashboards/schema.json").json()
    assert (found["required"], found["properties"]["range"]["default"]) == (["title"], "1h")
    found = Client().get("/api/v1/schedules/schema.json").json()
    assert (found["title"], found["required"]) == ("Schedule of Watchfloor", ["name"])


def test_the_page_gives_the_same_file_to_those_who_may_see_it(client: Client) -> None:
    make.dashboard(teams=[make.team("ops")])
    page = Client()
    page.force_login(make.user("root", is_superuser=True))
    response = page.get("/d/shop/export/")
    assert response["Content-Disposition"] == 'attachment; filename="shop.yaml"'
    assert response.content == client.get(SHOP).content
    page.force_login(make.user())
    assert page.get("/d/shop/export/").status_code == 404
