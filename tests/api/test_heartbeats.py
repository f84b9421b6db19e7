"""Heartbeats over HTTP: made with a token, pinged with curl."""

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from metrics.actions import heartbeats
from metrics.models import Heartbeat, Ping
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/heartbeats"


@pytest.fixture
def admin() -> Program:
    return Program("admin")


@pytest.fixture
def job(admin: Program) -> Any:
    return body(admin.post(PATH, {"name": "backup", "every": 3600}))


def request(method: str, url: str, data: bytes = b"") -> HttpResponse:
    return Client(enforce_csrf_checks=True).generic(method, url, data)  # type: ignore[return-value]


class TestManaging:
    def test_what_is_made_is_listed_changed_and_deleted(self, admin: Program) -> None:
        made = admin.post(PATH, {"name": "report", "cron": "0 6 * * MON", "time_zone": "Europe/Zurich", "grace": 60})
        assert made.status_code == 201
        one = f"{PATH}/{body(made)['id']}"
        assert body(admin.get(PATH))["heartbeats"] == [body(made)] == [body(admin.get(one))]
        headers = {"Authorization": f"Bearer {admin.token}"}
        changed: Any = admin.http.patch(one, {"every": 60}, content_type="application/json", headers=headers)
        assert (body(changed)["every"], body(changed)["cron"], body(changed)["grace"]) == (60, "", 60)
        assert admin.http.delete(one, headers=headers).status_code == 204
        assert admin.get(one).status_code == 404
        assert body(admin.get(one))["detail"].endswith(".")

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({}, "every"),
            ({"every": 60, "cron": "* * * * *"}, "every"),
            ({"cron": "tomorrow"}, "cron"),
            ({"every": 0}, "every"),
            ({"every": 60, "grace": -1}, "grace"),
            ({"every": 60, "color": "red"}, "color"),
        ],
    )
    def test_what_can_not_be_is_refused_by_its_field(self, admin: Program, given: dict[str, Any], field: str) -> None:
        response = admin.post(PATH, {"name": "x", **given})
        assert (response.status_code, fields(response)) == (422, [(None, field)])
        assert not Heartbeat.objects.exists()

    @pytest.mark.parametrize("scope", ["push", "read"])
    def test_it_takes_an_administrator(self, scope: str) -> None:
        assert Program(scope).post(PATH, {"name": "x", "every": 60}).status_code == 403

    def test_its_address_is_replaced(self, admin: Program, job: Any) -> None:
        replaced = body(admin.post(f"{PATH}/{job['id']}/rotate", {}))
        assert {**replaced, "ping_url": ""} == {**job, "ping_url": ""}
        assert request("GET", job["ping_url"]).status_code == 404
        assert request("GET", replaced["ping_url"]).status_code == 200
        assert admin.post(f"{PATH}/987654321/rotate", {}).status_code == 404


class TestPing:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_a_ping_is_up(self, job: Any, method: str) -> None:
        response = request(method, job["ping_url"])
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert Heartbeat.objects.get().state == "up"

    @pytest.mark.parametrize(
        ("word", "signal", "state"), [("start", "start", "new"), ("fail", "fail", "down"), ("7", "fail", "down")]
    )
    def test_it_says_how_it_went(self, job: Any, word: str, signal: str, state: str) -> None:
        assert request("GET", f"{job['ping_url']}/{word}").status_code == 200
        assert (Ping.objects.get().signal, Heartbeat.objects.get().state) == (signal, state)

    def test_the_body_is_kept_up_to_its_limit(self, job: Any, settings: Settings, admin: Program) -> None:
        settings.PING_BODY_LIMIT_BYTES = 10
        request("POST", f"{job['ping_url']}?rid=a", b"0123456789abc\x00\xff")
        request("POST", job["ping_url"], b"a\x00\xff")
        pings = body(admin.get(f"{PATH}/{job['id']}/pings"))["pings"]
        assert [(one["body"], one["run"]) for one in pings] == [("a\ufffd\ufffd", ""), ("0123456789", "a")]

    @pytest.mark.parametrize(
        ("path", "status"),
        [("{key}/256", 400), ("{key}/stop", 400), ("{key}?rid=" + "x" * 101, 400), ("unknown", 404), ("%00", 404)],
    )
    def test_nonsense_gets_a_sentence_and_changes_nothing(self, job: Any, path: str, status: int) -> None:
        response = request("GET", "/ping/" + path.format(key=job["ping_url"].rpartition("/")[2]))
        assert response.status_code == status
        assert response.content.endswith(b".\n")
        assert not Ping.objects.exists()

    def test_without_a_database_it_is_to_be_sent_again(self, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def unreachable(*_: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(heartbeats, "record", unreachable)
        response = request("GET", job["ping_url"])
        assert (response.status_code, response["Retry-After"]) == (503, "5")
