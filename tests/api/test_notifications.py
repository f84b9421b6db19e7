"""Notifications over the API: to people who are signed in, and by tokens."""

import json
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import notifications
from metrics.models import Notification
from tests import make
from tests.api.client import Program, body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/notifications"


@pytest.fixture
def ada() -> Client:
    """A browser of somebody who was told two things, and whose forms have their token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.user("ada"))
    client.get("/account/")
    for kind, text in (("deploy", "1.2 is out"), ("message", "lunch")):
        notifications.notify(SYSTEM, "user:ada", kind, text, "/d/shop/")
    return client


def listed(client: Client, query: str = "") -> Any:
    return json.loads(client.get(PATH + query).content)["notifications"]


def post(client: Client, token: str = "", **what: object) -> int:
    headers = {"X-CSRFToken": token} if token else {}
    answer = client.post(f"{PATH}/read", json.dumps(what), content_type="application/json", headers=headers)
    return answer.status_code


def test_who_is_signed_in_lists_and_reads_their_own(ada: Client) -> None:
    make.user("bob")
    notifications.notify(SYSTEM, "user:bob", "deploy", "not for ada")
    (newest, oldest) = listed(ada)
    assert oldest | {"at": 0} == {
        "id": 1, "to": "ada", "kind": "deploy", "text": "1.2 is out", "about": "/d/shop/", "by": "watchfloor",
        "at": 0, "read": False,
    }  # fmt: skip
    assert newest["text"] == "lunch"
    for query, ids in (("limit=1", [2]), ("before=2", [1]), ("kind=deploy", [1]), ("kind=none", [])):
        assert [one["id"] for one in listed(ada, f"?{query}")] == ids
    assert ada.get(f"{PATH}?limit=0").status_code == 422
    token = ada.cookies["csrftoken"].value
    assert post(ada, id=1) == 403, "another site has no token of our forms"
    assert post(ada, token, id="x") == 422
    assert Notification.objects.filter(read_at=None).count() == 3
    assert post(ada, token, id=1) == 204
    assert [one["read"] for one in listed(ada)] == [False, True]
    assert post(ada, token) == 204
    assert [one.user.username for one in Notification.objects.filter(read_at=None)] == ["bob"]


def test_a_token_lists_what_it_sent_and_reads_nothing(ada: Client) -> None:
    make.user("bob")
    program = Program("edit", "job")
    program.post(PATH, {"to": "everyone", "text": "4.2 is out"})
    notifications.mark_read(Notification.objects.filter(user__username="bob").get().user_id)
    found = body(program.get(PATH))["notifications"]
    assert [(one["to"], one["text"], one["by"], one["read"]) for one in found] == [
        ("bob", "4.2 is out", "token job", True),
        ("ada", "4.2 is out", "token job", False),
    ]
    assert [one["to"] for one in body(program.get(f"{PATH}?before={found[0]['id']}"))["notifications"]] == ["ada"]
    refused = program.post(f"{PATH}/read", {})
    assert (refused.status_code, body(refused)["detail"][-1]) == (422, ".")
    assert Notification.objects.filter(read_at=None).count() == 3
    refused = program.post(PATH, {"to": "watchers:room:1", "text": "x"})
    assert (refused.status_code, body(refused)["errors"][0]["field"]) == (422, "to")
