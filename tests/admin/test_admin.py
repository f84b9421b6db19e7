"""Django's admin: every page opens, and what is wrong is refused in a sentence."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from metrics.access.bearer import bearer
from metrics.models import Series, Source, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

MODELS = sorted((model._meta.app_label, model._meta.model_name or "") for model in admin.site._registry)
OURS = [("metrics", name) for name in ("series", "token")]


@pytest.fixture(autouse=True)
def _one_of_each(client: Client) -> None:
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


@pytest.mark.parametrize("model", [Series, Token])
def test_every_form_to_change_opens(client: Client, model: Any) -> None:
    found = model.objects.first()
    assert client.get(url("metrics", model._meta.model_name, "change", found.pk)).status_code == 200


@pytest.mark.parametrize(("app", "model"), OURS)
def test_searching_nonsense_is_no_error(client: Client, app: str, model: str) -> None:
    assert client.get(url(app, model, "changelist"), {"q": "'\"<%"}).status_code in (200, 302)


def test_series_are_filtered_by_the_sources_that_one_sees(client: Client) -> None:
    for name in ("payroll", "shop"):
        make.stored(name, {0: 1}, source=make.source(name=f"the {name}"))
    Source.objects.filter(name="the payroll").update(for_everyone=False)
    client.force_login(make.user("eve", is_staff=True))
    page = client.get(url("metrics", "series", "changelist")).content.decode()
    assert "the shop" in page
    assert "payroll" not in page


class TestToken:
    def test_it_is_revoked_from_the_list(self, client: Client) -> None:
        secret = make.token("other", "read")
        token = Token.objects.get(name="other")
        client.post(url("metrics", "token", "changelist"), {"action": "revoke", "_selected_action": [token.pk]})
        assert bearer(secret) is None
        assert Token.objects.filter(name="job", revoked_at=None).exists()

    def test_it_is_neither_changed_nor_deleted_here(self, client: Client) -> None:
        eve = make.user("eve", is_staff=True)
        make.token("ops", "edit", [make.team("ops", eve)])
        token, before = Token.objects.get(name="ops"), list(Token.objects.values("teams", "face", "expires_at"))
        chosen = {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"}
        for who in (eve, User.objects.get(username="root")):
            client.force_login(who)
            page = client.get(url("metrics", "token", "change", token.pk)).content.decode()
            assert "ops" in page
            assert "<select" not in page
            changed = client.post(url("metrics", "token", "change", token.pk), {"teams": [], "face": "🦉"})
            deleted = client.post(url("metrics", "token", "delete", token.pk), {"post": "yes"})
            assert (changed.status_code, deleted.status_code) == (403, 403)
            client.post(url("metrics", "token", "changelist"), chosen)
            assert list(Token.objects.values("teams", "face", "expires_at")) == before

    def test_its_digest_is_not_shown(self, client: Client) -> None:
        token = Token.objects.get()
        page = client.get(url("metrics", "token", "change", token.pk)).content.decode()
        assert token.digest not in page
