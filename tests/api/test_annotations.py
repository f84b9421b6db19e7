"""Annotations over HTTP, as a deploy script sends them."""

import time
from typing import Any

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import annotations
from metrics.api import annotations as api
from metrics.models import Annotation
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/annotations"
DEPLOY = {"text": "Shop 4.2 deployed", "tags": ["shop", "deploy"]}


@pytest.fixture
def editor() -> Program:
    return Program("edit")


def test_one_is_made_listed_changed_and_deleted(editor: Program) -> None:
    made = editor.post(PATH, DEPLOY)
    assert made.status_code == 201, made.content
    row: Any = body(made)
    assert (row["text"], row["until"], row["tags"], row["by"]) == (
        DEPLOY["text"],
        None,
        ["deploy", "shop"],
        "token job",
    )
    assert abs(row["at"] - time.time()) < 600
    assert body(editor.get(PATH))["annotations"] == [row] == [body(editor.get(f"{PATH}/{row['id']}"))]
    until = row["at"] + 90
    assert body(editor.patch(f"{PATH}/{row['id']}", {"until": until})) == {**row, "until": until}
    assert body(editor.patch(f"{PATH}/{row['id']}", {"text": "Rolled back", "tags": None}))["until"] == until
    moment: Any = body(editor.patch(f"{PATH}/{row['id']}", {"until": None, "at": "2026-11-20T12:00:00+01:00"}))
    assert (moment["at"], moment["until"], moment["text"]) == (1_795_172_400, None, "Rolled back")
    assert editor.delete(f"{PATH}/{row['id']}").status_code == 204
    assert editor.get(f"{PATH}/{row['id']}").status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"at": "2026-11-20T12:00:00"}, "at"),
        ({"at": 0}, "at"),
        ({"at": "soon"}, "at"),
        ({"until": "2026-11-01T12:00:00Z"}, "until"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": "deploy"}, "tags"),
        ({"access": {"teams": ["nobody"]}}, "access.teams"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_one_that_can_not_be_is_refused_by_its_field(editor: Program, given: dict[str, Any], field: str) -> None:
    response = editor.post(PATH, {**DEPLOY, **given})
    assert (response.status_code, fields(response)) == (422, [(None, field)])
    assert not Annotation.objects.exists()


def test_they_are_listed_by_tags_and_time_page_by_page(editor: Program) -> None:
    now = time.time()
    ids = [body(editor.post(PATH, {"text": f"{n}", "at": now - n, "tags": [f"t{n}"]}))["id"] for n in range(5)]

    def listed(**query: Any) -> list[int]:
        return [one["id"] for one in body(editor.get(PATH, **query))["annotations"]]

    assert listed() == ids
    assert listed(limit=2) == ids[:2]
    assert listed(limit=2, before=ids[1]) == ids[2:4]
    assert listed(start=now - 2.5, end=now - 0.5) == ids[1:3]
    assert listed(tags="t1") == [ids[1]]
    assert listed(tags=["t1", "t3"]) == [ids[1], ids[3]]
    assert [editor.get(PATH, **query).status_code for query in ({"limit": 501}, {"start": -1}, {"before": 0})] == [
        422
    ] * 3
    assert editor.get(PATH, before=10**12).status_code == 404


def test_sent_again_with_its_key_it_is_made_once(editor: Program) -> None:
    first = editor.post(PATH, DEPLOY, **{"Idempotency-Key": "build-7"})
    again = editor.post(PATH, DEPLOY, **{"Idempotency-Key": "build-7"})
    assert (first.status_code, again.status_code, body(again)) == (201, 201, body(first))
    other = editor.post(PATH, {**DEPLOY, "text": "x"}, **{"Idempotency-Key": "build-7"})
    assert (other.status_code, fields(other)) == (422, [(None, "Idempotency-Key")])
    assert editor.post(PATH, DEPLOY, **{"Idempotency-Key": ""}).status_code == 400
    assert Annotation.objects.count() == 1
    editor.patch(f"{PATH}/{body(first)['id']}", {"text": "Secret"})
    editor.delete(f"{PATH}/{body(first)['id']}")
    again = editor.post(PATH, DEPLOY, **{"Idempotency-Key": "build-7"})
    assert (again.status_code, body(again)) == (201, body(first)), "it was made, whatever became of it"
    bad = {**DEPLOY, "tags": ["a,b"]}
    assert [editor.post(PATH, one, **{"Idempotency-Key": "build-8"}).status_code for one in (bad, DEPLOY)] == [422, 201]


def test_one_that_its_maker_may_not_see_is_made_and_answered() -> None:
    of_ops = Program("edit", "ops job", [make.team("ops")])
    hidden = {**DEPLOY, "access": {"everyone": False, "teams": []}}
    made, again = (of_ops.post(PATH, hidden, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert (made.status_code, body(made)["access"]) == (201, {"everyone": False, "teams": []})
    assert (again.status_code, body(again)) == (201, body(made))
    assert of_ops.get(f"{PATH}/{body(made)['id']}").status_code == 404


def test_a_token_makes_so_many_a_minute(editor: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    row = annotations.create(SYSTEM, "x")
    monkeypatch.setattr(api, "PER_MINUTE", 0)
    for refused in (editor.post(PATH, DEPLOY), editor.patch(f"{PATH}/{row.pk}", {"text": "y"})):
        assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert [one.text for one in Annotation.objects.all()] == ["x"]


def test_a_token_of_a_team_writes_and_sees_for_it(editor: Program) -> None:
    ops, shop = make.team("ops"), make.team("shop")
    of_ops, of_shop = Program("edit", "ops job", [ops]), Program("edit", "shop job", [shop])
    row: Any = body(of_ops.post(PATH, DEPLOY))
    assert row["access"] == {"everyone": False, "teams": ["ops"]}
    assert body(of_shop.get(PATH)) == {"annotations": []}
    assert of_shop.patch(f"{PATH}/{row['id']}", {"text": "x"}).status_code == 404
    assert Program("read", "reader", [ops]).get(f"{PATH}/{row['id']}").status_code == 200
    assert Program("read", "other reader").post(PATH, DEPLOY).status_code == 403
