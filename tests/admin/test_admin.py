"""Django's admin: every page opens, and what is wrong is refused in a sentence."""

import json
import time
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from metrics.access.bearer import bearer
from metrics.live import marks
from metrics.models import Dashboard, Series, Token, Widget
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

MODELS = sorted((model._meta.app_label, model._meta.model_name or "") for model in admin.site._registry)
OURS = [("metrics", name) for name in ("dashboard", "series", "token")]


@pytest.fixture(autouse=True)
def _one_of_each(client: Client) -> None:
    make.dashboard()
    make.stored("orders_open", {0: 1}, source=make.source(), dc="1")
    make.token("job", "push")
    client.force_login(make.admin())


def url(app: str, model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{app}_{model}_{page}", args=args)


def test_the_index_is_ours(client: Client) -> None:
    page = client.get("/admin/").content.decode()
    assert "Watchfloor" in page
    assert "favicon" in page
    assert "Django administration" not in page


@pytest.mark.parametrize(("app", "model"), MODELS)
def test_every_list_opens(client: Client, app: str, model: str) -> None:
    assert client.get(url(app, model, "changelist")).status_code == 200


@pytest.mark.parametrize(("app", "model"), MODELS)
def test_every_form_to_add_opens_where_adding_is_allowed(client: Client, app: str, model: str) -> None:
    by_hand = (app, model) not in [("metrics", "series"), ("metrics", "token")] and app != "axes"
    assert client.get(url(app, model, "add")).status_code == (200 if by_hand else 403)


@pytest.mark.parametrize("model", [Dashboard, Series, Token])
def test_every_form_to_change_opens(client: Client, model: Any) -> None:
    found = model.objects.first()
    assert client.get(url("metrics", model._meta.model_name, "change", found.pk)).status_code == 200


@pytest.mark.parametrize(("app", "model"), OURS)
def test_searching_nonsense_is_no_error(client: Client, app: str, model: str) -> None:
    assert client.get(url(app, model, "changelist"), {"q": "'\"<%"}).status_code in (200, 302)


class TestDashboard:
    def form(self, dashboard: Dashboard, **changes: Any) -> dict[str, Any]:
        widget = dashboard.widgets.get()
        fields = {
            "title": dashboard.title,
            "slug": dashboard.slug,
            "description": "",
            "range": dashboard.range,
            "widgets-TOTAL_FORMS": 1,
            "widgets-INITIAL_FORMS": 1,
            "widgets-0-id": widget.pk,
            "widgets-0-dashboard": dashboard.pk,
            "widgets-0-kind": widget.kind,
            "widgets-0-title": widget.title,
            "widgets-0-config": json.dumps(widget.config),
            "widgets-0-x": 0,
            "widgets-0-y": 0,
            "widgets-0-w": 3,
            "widgets-0-h": 1,
        }
        return {**fields, **changes}

    def save(self, client: Client, **changes: Any) -> Any:
        dashboard = Dashboard.objects.get()
        return client.post(url("metrics", "dashboard", "change", dashboard.pk), self.form(dashboard, **changes))

    def test_an_edit_is_saved_and_open_pages_notice(self, client: Client) -> None:
        make.watch(make.variant("shop", "1h"), now=time.time())
        assert self.save(client, title="Store").status_code == 302
        dashboard = Dashboard.objects.get()
        assert (dashboard.title, dashboard.revision) == ("Store", 2)
        assert marks.is_marked(make.variant("shop", "1h"))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"widgets-0-config": "{}"}, "This field is required."),
            ({"widgets-0-config": '{"queries": []}'}, "widgets.0.config.queries: "),
            ({"widgets-0-config": '{"queries": [{"metric": "2xx"}]}'}, "widgets.0.config.queries.0.metric: "),
            ({"widgets-0-config": "[]"}, "config"),
            ({"widgets-0-config": "{"}, "Enter a valid JSON."),
            ({"widgets-0-kind": "pie"}, "There is no widget kind &#x27;pie&#x27;; there are bars, "),
            ({"widgets-0-w": "13"}, "less than or equal to 12"),
            ({"range": "2h"}, "It is one of 15m, "),
        ],
    )
    def test_what_is_wrong_is_refused_in_a_sentence(self, client: Client, changes: dict[str, Any], said: str) -> None:
        response = self.save(client, **changes)
        assert response.status_code == 200
        assert said in response.content.decode()
        assert Dashboard.objects.get().range == "1h"
        assert Widget.objects.get().config == make.widget()["config"]

    def test_deleting_it_asks_first_and_works(self, client: Client) -> None:
        path = url("metrics", "dashboard", "delete", Dashboard.objects.get().pk)
        assert client.get(path).status_code == 200
        client.post(path, {"post": "yes"})
        assert not Dashboard.objects.exists()


class TestToken:
    def test_it_is_revoked_from_the_list(self, client: Client) -> None:
        secret = make.token("other", "read")
        token = Token.objects.get(name="other")
        client.post(url("metrics", "token", "changelist"), {"action": "revoke", "_selected_action": [token.pk]})
        assert bearer(secret) is None
        assert Token.objects.filter(name="job", revoked_at=None).exists()

    def test_its_digest_is_not_shown(self, client: Client) -> None:
        token = Token.objects.get()
        page = client.get(url("metrics", "token", "change", token.pk)).content.decode()
        assert token.digest not in page
