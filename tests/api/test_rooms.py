"""Rooms and notifications over the API."""

from typing import Any

import pytest
from redis import Redis

from metrics.models import AuditEntry, Message, Notification
from tests import make
from tests.api.client import Program, body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ROOMS = "/api/v1/rooms"


@pytest.fixture
def program() -> Program:
    return Program("edit")


def opened(program: Program, **fields: Any) -> int:
    answer = program.post(ROOMS, {"title": "War room", **fields})
    assert answer.status_code == 201, answer.content
    return int(body(answer)["id"])


def test_a_room_is_opened_renamed_and_removed(program: Program) -> None:
    path = f"{ROOMS}/{opened(program)}"
    assert body(program.get(path))["access"] == {"everyone": True, "teams": []}
    assert body(program.patch(path, {"title": "Calm room"}))["title"] == "Calm room"
    assert [one["title"] for one in body(program.get(ROOMS))["rooms"]] == ["Calm room"]
    assert program.delete(path).status_code == 204
    assert program.get(path).status_code == 404
    assert [f"{one.verb} {one.noun}" for one in AuditEntry.objects.filter(noun="room").order_by("pk")] == [
        "create room",
        "change room",
        "delete room",
    ]


def test_what_is_said_is_read_back_in_order_and_once(program: Program) -> None:
    path = f"{ROOMS}/{opened(program)}/messages"
    for text, client_id in (("one", "a"), ("two", "b"), ("again", "a")):
        assert program.post(path, {"text": text, "client_id": client_id}).status_code == 201
    assert body(program.post(path, {"text": "again", "client_id": "a"})) == {"id": 1}
    found = body(program.get(path))["messages"]
    assert [(one["id"], one["text"], one["by"]) for one in found] == [(1, "one", "token job"), (2, "two", "token job")]
    assert [one["id"] for one in body(program.get(path, before=2, limit=1))["messages"]] == [1]


def test_messages_are_changed_answered_reacted_to_and_taken_back(program: Program) -> None:
    path = f"{ROOMS}/{opened(program)}/messages"
    assert body(program.post(path, {"text": "one"})) == {"id": 1}
    assert body(program.post(path, {"text": "two", "reply_to": 1})) == {"id": 2}
    changed = body(program.patch(f"{path}/1", {"text": "**one**"}))
    assert (changed["id"], changed["text"], "edited_at" in changed) == (1, "**one**", True)
    assert body(program.put(f"{path}/2/reactions/👍"))["reactions"] == {"👍": ["token job"]}
    found = body(program.get(f"{path}/2"))
    assert (found["reply_to"], found["reactions"]) == (1, {"👍": ["token job"]})
    assert program.delete(f"{path}/2/reactions/👍").status_code == 204
    assert "reactions" not in body(program.get(f"{path}/2"))
    assert program.delete(f"{path}/2").status_code == 204
    assert [program.get(f"{path}/2").status_code, program.delete(f"{path}/2").status_code] == [404, 404]
    newer = body(program.get(path, after=1))["messages"]
    assert [(one["id"], one["text"], one.get("deleted")) for one in newer] == [(2, "", True)]
    assert program.put(f"{path}/1/reactions/x").status_code == 422
    assert Program("read", "reader").patch(f"{path}/1", {"text": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("said", "field"),
    [({"text": ""}, "text"), ({"text": " "}, "text"), ({"text": "x", "colour": 1}, "colour"), ({}, "text")],
)
def test_what_can_not_be_is_refused(program: Program, said: dict[str, Any], field: str) -> None:
    answer = program.post(f"{ROOMS}/{opened(program)}/messages", said)
    assert answer.status_code == 422
    assert body(answer)["errors"][0]["field"] == field
    assert not Message.objects.exists()


def test_a_room_of_a_team_is_not_there_for_others() -> None:
    ops = make.team("ops")
    make.team("night")
    theirs = Program("edit", "theirs", [ops])
    others = Program("edit", "others", [make.team("day")])
    path = f"{ROOMS}/{opened(theirs, access={'everyone': False, 'teams': ['ops']})}"
    assert theirs.get(path).status_code == 200
    assert others.get(path).status_code == 404
    assert others.post(f"{path}/messages", {"text": "x"}).status_code == 404
    assert body(others.get(ROOMS)) == {"rooms": []}
    refused = others.post(ROOMS, {"title": "x", "access": {"teams": ["night"]}})
    assert refused.status_code == 422


def test_people_are_told(program: Program) -> None:
    make.user("ada")
    told = {"to": "user:ada", "text": "Shop 1.2 is out", "about": "/d/shop/", "key": "shop-1.2"}
    for _ in range(2):
        answer = program.post("/api/v1/notifications", told)
        assert (answer.status_code, body(answer)) == (202, {"notified": 1})
    assert [(one.user.username, one.text, one.by) for one in Notification.objects.all()] == [
        ("ada", "Shop 1.2 is out", "token job")
    ]
    refused = program.post("/api/v1/notifications", {**told, "to": "everybody"})
    assert (refused.status_code, body(refused)["errors"][0]["field"]) == (422, "to")


def test_a_token_that_writes_too_often_is_told_when_it_may_again(program: Program, settings: Any) -> None:
    make.user("ada")
    settings.MESSAGES_PER_MINUTE = 2
    path, told = f"{ROOMS}/{opened(program)}/messages", {"to": "user:ada", "text": "x"}
    assert program.post(path, {"text": "x"}).status_code == 201
    assert program.post("/api/v1/notifications", told).status_code == 202
    refused = [
        program.post(path, {"text": "x"}),
        program.patch(f"{path}/1", {"text": "y"}),
        program.put(f"{path}/1/reactions/👍"),
        program.delete(f"{path}/1/reactions/👍"),
        program.delete(f"{path}/1"),
        program.post("/api/v1/notifications", told),
    ]
    for answer in refused:
        assert answer.status_code == 429
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert body(answer)["detail"].startswith("A token may send 2 messages and notifications a minute; wait ")
    assert (Message.objects.get().text, Notification.objects.count()) == ("x", 1)
    assert Program("edit", "other").post(path, {"text": "x"}).status_code == 201
    assert program.get(f"{path}/1").status_code == 200


def test_a_ticket_is_made_for_the_path_of_a_socket(redis: Redis) -> None:
    reader = Program("read", "reader")
    answer = reader.post("/api/v1/ws-ticket", {"path": "/ws/rooms/1/"})
    assert answer.status_code == 201
    ticket = body(answer)["ticket"]
    (key,) = redis.keys("wf:ticket:*")
    assert ticket not in str(key)
    assert 0 < redis.ttl(key) <= 30
    refused = reader.post("/api/v1/ws-ticket", {"path": "https://elsewhere.example/ws/"})
    assert (refused.status_code, body(refused)["errors"][0]["field"]) == (422, "path")
