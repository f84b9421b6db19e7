"""Silences and maintenance over HTTP."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from metrics.models import Maintenance, Silence
from tests.api.client import Program, body, fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SILENCES, MAINTENANCE = "/api/v1/silences", "/api/v1/maintenance"
LATER, LATEST = "2998-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
MATCHER = {"name": "host", "value": "a", "isRegex": False, "isEqual": True}
SILENCE = {"matchers": [MATCHER], "ends_at": LATER, "comment": "Disks are swapped."}
PATCHES = {"matchers": 'host="a"', "comment": "Patches", "start": "2998-01-01T22:00", "lasts": "4h"}


@pytest.fixture
def editor() -> Program:
    return Program("edit")


def test_a_silence_is_made_listed_changed_and_ended(editor: Program) -> None:
    made = editor.post(SILENCES, SILENCE)
    assert made.status_code == 201, made.content
    silence: Any = body(made)
    assert (silence["state"], silence["withheld"], silence["by"][:5]) == ("active", 0, "token")
    assert abs(silence["starts_at"] - time.time()) < 600
    assert body(editor.get(SILENCES))["silences"] == [silence] == [body(editor.get(f"{SILENCES}/{silence['id']}"))]
    longer: Any = body(editor.patch(f"{SILENCES}/{silence['id']}", {"ends_at": LATEST}))
    assert (longer["id"], longer["comment"]) == (silence["id"], "Disks are swapped.")
    other: Any = body(editor.patch(f"{SILENCES}/{silence['id']}", {"matchers": "host=~a|b"}))
    assert other["id"] != silence["id"]
    assert other["matchers"] == [{**MATCHER, "value": "a|b", "isRegex": True}]
    assert editor.delete(f"{SILENCES}/{other['id']}").status_code == 204
    assert {one["state"] for one in body(editor.get(SILENCES))["silences"]} == {"expired"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": "host"}, "matchers"),
        ({"matchers": [{**MATCHER, "value": "(", "isRegex": True}]}, "matchers"),
        ({"comment": ""}, "comment"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2998-01-01T00:00:00"}, "ends_at"),
        ({"starts_at": LATEST}, "ends_at"),
        ({"ends_at": "9999-12-31T23:59:59-12:00"}, "ends_at"),
        ({"access": {"teams": ["nobody"]}}, "access.teams"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_silence_that_can_not_be_is_refused_by_its_field(editor: Program, given: dict[str, Any], field: str) -> None:
    response = editor.post(SILENCES, {**SILENCE, **given})
    assert (response.status_code, fields(response)) == (422, [(None, field)])
    assert not Silence.objects.exists()


def test_maintenance_is_made_listed_changed_and_deleted(editor: Program) -> None:
    soon = datetime.fromtimestamp(time.time() + 86_400, UTC).strftime("%Y-%m-%dT22:00")
    made = editor.post(MAINTENANCE, {**PATCHES, "start": soon, "repeat": "FREQ=WEEKLY"})
    assert made.status_code == 201, made.content
    row: Any = body(made)
    assert (row["lasts_s"], row["calendar"], row["enabled"]) == (14_400, "", True)
    assert row["windows"][1]["start"] - row["windows"][0]["start"] == 7 * 86_400
    assert row["windows"][0]["end"] - row["windows"][0]["start"] == 14_400
    assert body(editor.get(MAINTENANCE))["maintenance"] == [row] == [body(editor.get(f"{MAINTENANCE}/{row['id']}"))]
    changed: Any = body(editor.patch(f"{MAINTENANCE}/{row['id']}", {"lasts": "1h"}))
    assert (changed["lasts_s"], changed["start"], changed["repeat"]) == (3600, soon, "FREQ=WEEKLY")
    off: Any = body(editor.patch(f"{MAINTENANCE}/{row['id']}", {"enabled": False}))
    assert off["windows"] == []
    elsewhere: Any = body(editor.patch(f"{MAINTENANCE}/{row['id']}", {"url": "webcal://calendar.example/private/KEY"}))
    assert (elsewhere["calendar"], elsewhere["start"]) == ("https://calendar.example", "")
    assert b"KEY" not in editor.get(MAINTENANCE).content
    assert editor.delete(f"{MAINTENANCE}/{row['id']}").status_code == 204
    assert editor.get(f"{MAINTENANCE}/{row['id']}").status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"start": None}, "start"),
        ({"start": "soon"}, "start"),
        ({"start": "9999-12-31T23:59"}, "start"),
        ({"start": "0001-01-01T00:00", "repeat": "FREQ=DAILY"}, "start"),
        ({"start": "2998-01-01T22:00Z"}, "start"),
        ({"lasts": "long"}, "lasts"),
        ({"lasts": "40d"}, "lasts"),
        ({"repeat": "daily"}, "repeat"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"url": "file:///etc/passwd"}, "url"),
    ],
)
def test_maintenance_that_can_not_be_is_refused_by_its_field(
    editor: Program, given: dict[str, Any], field: str
) -> None:
    response = editor.post(MAINTENANCE, {**PATCHES, **given})
    assert (response.status_code, fields(response)) == (422, [(None, field)])
    assert not Maintenance.objects.exists()
