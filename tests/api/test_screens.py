"""Screens through the API."""

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, screens
from metrics.models import Screen
from metrics.redis_state import pairing
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis", "one_minute")]

PATH = "/api/v1/screens"


def test_one_is_paired_listed_changed_named_and_revoked() -> None:
    make.dashboard("shop")
    program = Program("edit")
    given = {"code": pairing.begin("0" * 64), "name": "Lobby", "dashboard": "shop", "range": "6h"}
    made = program.post(PATH, given)
    assert made.status_code == 201
    out = body(made)
    assert {name: out[name] for name in ("name", "dashboard", "range", "by", "is_open", "is_revoked")} == {
        **{"name": "Lobby", "dashboard": "shop", "range": "6h", "by": "token job"},
        **{"is_open": False, "is_revoked": False},
    }
    one = f"{PATH}/{out['id']}"
    assert body(program.get(PATH)) == {"screens": [out]}
    assert body(program.get(one)) == out
    assert body(program.patch(one, {"dashboard": "", "name": "Hall"})) == {**out, "dashboard": None, "name": "Hall"}
    assert program.post(f"{one}/show-name", {}).status_code == 202
    assert program.delete(one).status_code == 204
    for answer in (program.delete(one), program.get(one), program.patch(one, {"name": "x"})):
        assert answer.status_code == 404
    assert [found["is_revoked"] for found in body(program.get(PATH))["screens"]] == [True]


def test_what_makes_no_sense_is_refused_by_its_field() -> None:
    program = Program("edit")
    code = pairing.begin("0" * 64)
    for given, field in (
        ({"code": "BCDF-GHJK", "name": "Lobby"}, "code"),
        ({"code": code, "name": ""}, "name"),
        ({"code": code, "name": "x", "dashboard": "nothing"}, "dashboard"),
        ({"code": code, "name": "x", "range": "2h"}, "range"),
        ({"code": code, "name": "x", "secret": "mine"}, "secret"),
    ):
        answer = program.post(PATH, given)
        assert (answer.status_code, fields(answer)[0][1]) == (422, field)
    assert not Screen.objects.exists()


def test_who_tries_too_many_codes_waits() -> None:
    program = Program("edit")
    for _ in range(screens.CODES_PER_MINUTE):
        assert program.post(PATH, {"code": "BCDF-GHJK", "name": "Lobby"}).status_code == 422
    answer = program.post(PATH, {"code": "BCDF-GHJK", "name": "Lobby"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_the_name_of_a_hidden_dashboard_is_not_said() -> None:
    dashboards.create(SYSTEM, {"slug": "ops", "title": "Ops", "access": {"everyone": False}, "widgets": []})
    make.screen("Lobby", "ops")
    team = make.team("night")
    program = Program("edit", teams=[team])
    assert [one["dashboard"] for one in body(program.get(PATH))["screens"]] == [None]
