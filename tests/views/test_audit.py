"""The page /audit/: for administrators, filtered, and exported whole."""

import json
from datetime import UTC, datetime

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from metrics.access.principal import Principal, Role
from metrics.actions import heartbeats, sources
from metrics.models import AuditEntry
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ADA = Principal("user", "user ada", Role.ADMIN, address="192.0.2.1")
BEN = Principal("user", "user ben", Role.ADMIN, address="2001:db8::1")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make.admin())
    return client


@pytest.fixture(autouse=True)
def _entries() -> None:
    source = sources.create(ADA, "host", "machine", 10, {})
    sources.change(BEN, source.pk, {"every": 30})
    heartbeats.create(BEN, "<b>nightly</b>", every_s=60)


def rows(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/audit/{query}")
    assert response.status_code == 200
    return [f"{row.entry.verb} {row.entry.noun}" for row in response.context["rows"]]


def exported(client: Client, query: str = "") -> list[dict[str, object]]:
    response = client.get(f"/audit/export/{query}")
    assert isinstance(response, StreamingHttpResponse)
    return [json.loads(line) for line in response.getvalue().decode().splitlines()]


@pytest.mark.parametrize("path", ["/audit/", "/audit/export/"])
@pytest.mark.parametrize(("staff", "status"), [(True, 403), (False, 403), (None, 302)])
def test_it_is_for_administrators(path: str, staff: bool | None, status: int) -> None:
    client = Client()
    if staff is not None:
        client.force_login(make.user("ada", is_staff=staff))
    assert client.get(path).status_code == status


def test_the_newest_is_first_with_what_it_changed(client: Client) -> None:
    assert rows(client) == ["create heartbeat", "change source", "create source"]
    text = client.get("/audit/").content.decode()
    assert '<span class="label-name">every_s</span><del>10</del> → <ins>30</ins>' in text
    assert "&lt;b&gt;nightly&lt;/b&gt;" in text
    assert "<b>nightly</b>" not in text
    assert "192.0.2.1" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?by=ADA", ["create source"]),
        ("?by=user", ["create heartbeat", "change source", "create source"]),
        ("?thing=machine", ["change source", "create source"]),
        ("?thing=source", ["change source", "create source"]),
        ("?thing=machine&by=ben", ["change source"]),
        ("?since=2026-11-21", ["create heartbeat", "change source"]),
        ("?until=2026-11-20", ["create source"]),
        ("?since=2026-11-20&until=2026-11-20", ["create source"]),
        ("?by=nobody", []),
        ("?before=nonsense", ["create heartbeat", "change source", "create source"]),
    ],
)
def test_it_is_filtered(client: Client, query: str, found: list[str]) -> None:
    AuditEntry.objects.filter(by="user ada").update(at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC))
    assert rows(client, query) == found
    if "before" not in query:
        assert [f"{one['verb']} {one['noun']}" for one in exported(client, query)] == found[::-1]


def test_a_day_that_is_none_is_said(client: Client) -> None:
    for path in ("/audit/", "/audit/export/"):
        response = client.get(f"{path}?since=yesterday")
        assert response.status_code == 422
        assert "Enter a valid date." in response.content.decode()


def test_a_long_log_has_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.views.audit.LISTED", 2)
    assert rows(client) == ["create heartbeat", "change source"]
    older = client.get("/audit/").context["older"]
    assert rows(client, f"?before={older}") == ["create source"]
    assert client.get(f"/audit/?before={older}").context["older"] is None


def test_a_line_of_the_export_has_everything(client: Client) -> None:
    one = exported(client)[1]
    assert one.pop("id")
    assert datetime.fromisoformat(str(one.pop("at"))).tzinfo
    assert one.pop("thing")
    assert one == {
        "by": "user ben",
        "address": "2001:db8::1",
        "verb": "change",
        "noun": "source",
        "name": "machine",
        "before": {"every_s": 10},
        "after": {"every_s": 30},
    }
