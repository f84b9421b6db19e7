"""The page that makes a dashboard: a copy, or one out of a file."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from metrics.actions import dashboards
from metrics.actions.grafana_import import SIZE_MOST_BYTES
from metrics.models import Dashboard
from tests import make
from tests.html_form import form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEW = "/dashboards/new/"
YAML = "title: Our Store\nwidgets:\n  - kind: text\n    title: Note\n    config: {text: Hello}\n"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("grace", is_staff=True))
    return client


def sent(client: Client, way: str, **fields: Any) -> Any:
    path = f"{NEW}?from={way}"
    typed = form(client.get(path).content.decode(), "")
    return client.post(
        path,
        {
            **typed,
            **{f"dashboard-{name}": one for name, one in fields.items() if name != "file"},
            **{name: one for name, one in fields.items() if name == "file"},
        },
    )


def said(response: Any) -> list[str]:
    """Return the sentences beside fields."""
    return [unescape(one) for one in re.findall(r'class="field-error">([^<]*)', response.content.decode())]


def widgets(slug: str) -> list[tuple[str, str]]:
    return [(one.kind, one.title) for one in Dashboard.objects.get(slug=slug).widgets.all()]


def test_every_way_is_offered_and_an_unknown_one_is_the_first(editor: Client) -> None:
    text = editor.get(f"{NEW}?from=nothing").content.decode()
    assert re.findall(r'href="\?from=(\w+)"( aria-current)?', text)[0] == ("empty", " aria-current")
    assert {"empty", "file", "copy"} <= set(re.findall(r'href="\?from=(\w+)"', text))


@pytest.mark.parametrize(
    ("fields", "slug", "title"),
    [({}, "shop-copy", "Shop, copy"), ({"title": "Store"}, "store", "Store"), ({"slug": "s"}, "s", "Shop, copy")],
)
def test_a_copy_has_the_same_widgets(editor: Client, fields: dict[str, str], slug: str, title: str) -> None:
    make.dashboard()
    response = sent(editor, "copy", of="Shop (shop)", **fields)
    assert (response.status_code, response["Location"]) == (302, f"/d/{slug}/")
    assert (Dashboard.objects.get(slug=slug).title, widgets(slug)) == (title, widgets("shop"))


def test_nobody_copies_what_they_may_not_see(editor: Client) -> None:
    make.dashboard("hidden", teams=[make.team("ops")])
    assert "(hidden)" not in editor.get(f"{NEW}?from=copy").content.decode()
    for of in ("Hidden (hidden)", "hidden", ""):
        response = sent(editor, "copy", of=of)
        assert response.status_code == 422
        assert len(said(response)) == 1
    assert Dashboard.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"text": YAML}, "our-store"),
        ({"text": f"slug: store\n{YAML}"}, "store"),
        ({"file": SimpleUploadedFile("a.yaml", b"\xef\xbb\xbf" + YAML.encode())}, "our-store"),
        ({"text": "title: Another", "file": SimpleUploadedFile("a.yaml", YAML.encode())}, "our-store"),
    ],
)
def test_a_file_is_uploaded_or_pasted(editor: Client, fields: dict[str, Any], slug: str) -> None:
    assert sent(editor, "file", **fields)["Location"] == f"/d/{slug}/"
    assert widgets(slug) == [("text", "Note")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "There is neither a file nor a text."),
        ({"text": YAML.replace("text: Hello", "tekst: Hello")}, "Line 5: widgets.0.config.text: It has to be given."),
        ({"text": f"slug: shop\n{YAML}"}, "There is a dashboard 'shop' already."),
        ({"text": "title: [1"}, "Line 1: It is no YAML: "),
        ({"file": SimpleUploadedFile("a.yaml", b"\xff")}, "The file a.yaml is not UTF-8."),
        ({"file": SimpleUploadedFile("a.yaml", b"#" * (SIZE_MOST_BYTES + 1))}, "The file a.yaml has"),
    ],
)
def test_what_is_refused_is_said_beside_the_text_which_stays(
    editor: Client, fields: dict[str, Any], sentence: str
) -> None:
    make.dashboard()
    response = sent(editor, "file", **fields)
    assert (response.status_code, [one[: len(sentence)] for one in said(response)]) == (422, [sentence])
    assert form(response.content.decode(), "")["dashboard-text"].strip() == fields.get("text", "").strip()
    assert [one.slug for one in Dashboard.objects.all()] == ["shop"]


def test_a_dashboard_of_grafana_is_looked_at_before_it_is_made(editor: Client) -> None:
    panels = [{"type": "stat", "title": "Open", "targets": [{"expr": "orders_open"}]}, {"type": "logs", "title": "Log"}]
    grafanas = json.dumps({"title": "Store", "panels": panels})
    response = sent(editor, "file", file=SimpleUploadedFile("store.json", grafanas.encode()))
    page = response.content.decode()
    assert (response.status_code, Dashboard.objects.count()) == (200, 0)
    assert "no kind of widget for panels of the type" in page
    assert editor.post(f"{NEW}?from=file", form(page, ""))["Location"] == "/d/store/"
    assert widgets("store") == [("number", "Open")]
    assert said(sent(editor, "file", text='{"panels": []}')) == ["It has no panels."]


def test_a_file_for_a_team_of_others_is_refused(editor: Client) -> None:
    make.team("ops")
    response = sent(editor, "file", text=f"access: {{everyone: false, teams: [ops]}}\n{YAML}")
    assert response.status_code == 422
    assert "only a member, or an administrator, may give things to ops" in said(response)[0]
    assert dashboards.slug_for("Our store") == "our-store"
