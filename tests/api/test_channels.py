"""Channels over the API: made, listed, changed, tested and removed, and never a credential."""

import json
from typing import Any

import pytest
from django.test import Client

from metrics.models import AuditEntry, Channel, Delivery
from metrics.redis_state import delivering
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SECRET = "correct horse battery"
HOOK = {"url": "https://hook.example.com/in", "secret": SECRET}


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "ask", lambda ids: None)


class Api:
    def __init__(self, token: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self._client.generic(method, f"/api/v1/{path}", *(() if body is None else (json.dumps(body),)))
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


def test_a_channel_from_its_making_to_its_end() -> None:
    api = Api(make.token("setup", "admin"))
    made = api("POST", "channels", {"kind": "webhook", "name": "chat", "config": HOOK}, 201)
    assert made == {
        "id": made["id"],
        "kind": "webhook",
        "name": "chat",
        "team": "",
        "config": {"url": "https://hook.example.com/in"},
        "credentials": ["secret"],
        "enabled": True,
        "fallback": False,
        "position": 0,
        "digest": None,
    }
    path = f"channels/{made['id']}"
    assert api("GET", "channels")["channels"] == [made]
    changed = api("PATCH", path, {"name": "chat room", "config": {"url": "https://hook.example.com/2"}})
    assert (changed["name"], changed["credentials"]) == ("chat room", ["secret"])
    assert api("GET", path) == changed
    tested = api("POST", f"{path}/test", status=202)
    assert (tested["state"], tested["message"]["state"], tested["channel"]) == ("waiting", "test", made["id"])
    assert api("GET", f"deliveries/{tested['id']}") == tested
    assert api("GET", f"deliveries?channel={made['id']}")["deliveries"] == [tested]
    assert api("GET", f"deliveries?before={tested['id']}")["deliveries"] == []
    digest = {"every": "1h", "time_zone": "Asia/Kathmandu"}
    assert api("PATCH", path, {"digest": digest})["digest"] == digest
    assert api("PATCH", path, {"name": "chat"})["digest"] == digest
    assert api("PATCH", path, {"digest": {"every": "1m"}}, 422)
    assert api("PATCH", path, {"digest": {}})["digest"] is None
    api("DELETE", path, status=204)
    api("GET", path, status=404)
    assert not Delivery.objects.exists()
    entries = AuditEntry.objects.filter(noun="channel").order_by("pk")
    assert [entry.verb for entry in entries] == ["create", "change", "test", *3 * ["change"], "delete"]
    assert SECRET not in str([(entry.before, entry.after) for entry in entries])
    assert SECRET not in str(changed)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": " "}, "name"),
        ({"config": {"url": "ftp://x", "secret": SECRET}}, "config.url"),
        ({"config": {"url": "https://x"}}, "config.secret"),
        ({"team": "nobody"}, "team"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    api = Api(make.token("setup", "admin"))
    refused = api("POST", "channels", {"kind": "webhook", "name": "chat", "config": HOOK, **change}, 422)
    assert refused["errors"][0]["field"] == field
    assert SECRET not in str(refused)


def test_a_name_is_used_once_in_a_team() -> None:
    make.team("ops")
    api = Api(make.token("setup", "admin"))
    for team in ("", "ops"):
        body = {"kind": "webhook", "name": "chat", "team": team, "config": HOOK}
        api("POST", "channels", body, 201)
        assert api("POST", "channels", body, 422)["errors"][0]["field"] == "name"


def test_those_of_a_team_are_for_its_editors_and_are_watched_where_they_connect_to() -> None:
    ops, night = make.team("ops"), make.team("night")
    api, other = Api(make.token("ops", "edit", [ops])), Api(make.token("night", "edit", [night]))
    api("POST", "channels", {"kind": "webhook", "name": "chat", "config": HOOK}, 403)
    made = api("POST", "channels", {"kind": "webhook", "name": "chat", "team": "ops", "config": HOOK}, 201)
    assert not Channel.objects.get().trusted
    path = f"channels/{made['id']}"
    other("GET", path, status=404)
    assert other("GET", "channels")["channels"] == []
    other("POST", "channels", {"kind": "webhook", "name": "chat", "team": "ops", "config": HOOK}, 403)
    # a credential is not sent somewhere else by who did not give it
    moved = api("PATCH", path, {"config": {"url": "https://elsewhere.example.com"}}, 422)
    assert moved["errors"][0]["field"] == "config.secret"
    api("PATCH", path, {"config": {"url": "https://elsewhere.example.com", "secret": SECRET}})
    tested = api("POST", f"{path}/test", status=202)
    other("GET", f"deliveries/{tested['id']}", status=404)
    assert other("GET", "deliveries")["deliveries"] == []


def test_one_that_is_off_is_not_tested_and_nobody_tests_all_the_time() -> None:
    api = Api(make.token("setup", "admin"))
    made = api("POST", "channels", {"kind": "webhook", "name": "chat", "config": HOOK, "enabled": False}, 201)
    assert api("POST", f"channels/{made['id']}/test", status=422)["errors"][0]["field"] == "enabled"
    api("PATCH", f"channels/{made['id']}", {"enabled": True})
    for _ in range(10):
        api("POST", f"channels/{made['id']}/test", status=202)
    api("POST", f"channels/{made['id']}/test", status=429)


def test_the_kinds_are_described() -> None:
    kinds = {one["kind"]: one for one in Api(make.token("setup", "admin"))("GET", "channel-kinds")["kinds"]}
    assert set(kinds) == {"apprise", "mail", "webhook"}
    assert set(kinds["mail"]["schema"]["properties"]) >= {"to", "host", "password"}
    assert all(one["about"].endswith(".") for one in kinds.values())
