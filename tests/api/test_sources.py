"""Managing sources through the API."""

from typing import Any

import pytest

from metrics.models import Source
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/sources"
GOOD: dict[str, Any] = {"kind": "http_check", "name": "shop", "every": 30, "config": {"url": "https://shop.example/"}}


@pytest.fixture
def program() -> Program:
    return Program("admin")


def test_a_source_is_made_and_listed(program: Program) -> None:
    response = program.post(PATH, GOOD)
    made = body(response)
    assert response.status_code == 201
    rest = {"cron": "", "time_zone": "", "enabled": True, "last_error": "", "id": Source.objects.get(name="shop").pk}
    assert {**GOOD, **rest} == made
    assert made in body(program.get(PATH))["sources"]


def test_a_source_may_run_by_cron(program: Program) -> None:
    when = {"every": None, "cron": "30 6 * * MON-FRI", "time_zone": "Europe/Zurich"}
    made = body(program.post(PATH, {**GOOD, **when}))
    assert {name: made[name] for name in when} == when
    assert body(program.post(PATH, {**GOOD, **when, "name": "other", "time_zone": ""}))["time_zone"] == "UTC"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cron": "* * * * *"}, "every"),
        ({"every": None, "cron": "* * * *"}, "cron"),
        ({"every": None, "cron": "*" * 101}, "cron"),
        ({"every": None, "cron": "* * * * *", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "UTC"}, "time_zone"),
        ({"kind": "carrier_pigeon"}, "kind"),
        ({"kind": "push"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"every": 0}, "every"),
        ({"every": 86_401}, "every"),
        ({"every": None}, "every"),
        ({"config": {}}, "config.url"),
        ({"config": {"url": "ftp://x"}}, "config.url"),
        ({"config": {"url": "http://x:port/"}}, "config.url"),
        ({"config": {"url": "http://x/", "colour": 1}}, "config.colour"),
        ({"config": {"url": "http://x/", "name": "a\x00b"}}, "config.name"),
        ({"config": []}, "config"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_bad_is_422_by_field_and_makes_nothing(program: Program, changes: dict[str, Any], field: str) -> None:
    response = program.post(PATH, {**GOOD, **changes})
    assert response.status_code == 422
    assert field in ".".join(name for _, name in fields(response))
    assert not Source.objects.exclude(kind="push").exists()


def test_a_name_in_use_is_422(program: Program) -> None:
    program.post(PATH, GOOD)
    response = program.post(PATH, GOOD)
    assert (response.status_code, fields(response)) == (422, [(None, "name")])


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"["])
def test_what_is_not_json_is_400(program: Program, raw: bytes) -> None:
    assert program.post(PATH, raw).status_code == 400


@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("push", 403), ("read", 403)])
def test_others_may_not(scope: str | None, status: int) -> None:
    program = Program(scope)
    assert program.post(PATH, GOOD).status_code == status
    assert program.get(PATH).status_code == status
