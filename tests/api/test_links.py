"""Links through the API."""

import time

import pytest

from metrics.models import Link
from tests import make
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

PATH = "/api/v1/dashboards/shop/links"


def test_one_is_made_listed_and_revoked() -> None:
    make.dashboard("shop")
    program, until = Program("edit"), round(time.time()) + 60
    made = program.post(PATH, {"name": "lobby", "expires_at": until, "range": "6h"})
    assert made.status_code == 201
    out = body(made)
    address = out.pop("address")
    assert address.startswith("http://testserver/link/#wl_")
    assert Link.objects.get().digest == Link.digest_of(address.partition("#")[2])
    assert (out["name"], out["range"], out["expires_at"], out["by"]) == ("lobby", "6h", until, "token job")
    assert body(program.get(PATH)) == {"links": [out]}
    assert program.delete(f"{PATH}/{out['id']}").status_code == 204
    assert program.delete(f"{PATH}/{out['id']}").status_code == 404
    assert body(program.get(PATH)) == {"links": [{**out, "is_over": True}]}


def test_what_makes_no_sense_is_refused_by_its_field() -> None:
    make.dashboard("shop")
    program = Program("edit")
    for given, field in (
        ({"name": ""}, "name"),
        ({"name": "x", "expires_at": 1}, "expires_at"),
        ({"name": "x", "expires_at": 1e300}, "expires_at"),
        ({"name": "x", "variables": {"host": ["a"]}}, "var-host"),
        ({"name": "x", "secret": "mine"}, "secret"),
    ):
        answer = program.post(PATH, given)
        assert (answer.status_code, fields(answer)[0][1]) == (422, field)
    assert not Link.objects.exists()
