"""The JSON schemas of files: they take what files take, and refuse what they refuse."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest

from metrics.actions import credentials
from metrics.api.file_schemas import SCHEMAS
from metrics.notify.registry import kinds

NAMED: dict[str, Any] = {"env": "SECRET"}
FILES: Mapping[str, Any] = {
    "rules": {"name": "Full", "query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}},
    "channels": {
        "name": "Pager",
        "team": "ops",
        "kind": "webhook",
        "config": {"url": "https://a.example/", "secret": NAMED, "secret_headers": {"X-Key": {"file": "/run/key"}}},
        "position": 0,
    },
    "schedules": {
        "name": "Ops",
        "time_zone": "Europe/Berlin",
        "layers": [{"people": ["ada"], "start": "2026-11-30T09:00", "only": [{"from": "09:00", "to": "17:00"}]}],
        "holidays": ["2026-12-25"],
        "url": {"kept": True},
        "access": {"everyone": False, "teams": ["ops"]},
    },
    "escalations": {"team": "ops", "steps": [{"tell": ["team"]}, {"after": "10m", "tell": ["channel:Pager"]}]},
}


def refused(folder: str, changes: Mapping[str, Any]) -> set[str]:
    """Return the paths of what the schema refuses in a file with these fields."""
    errors = jsonschema_rs.validator_for(SCHEMAS[folder]()).iter_errors({**FILES[folder], **changes})
    return {".".join(map(str, error.instance_path)) for error in errors}


@pytest.mark.parametrize("folder", FILES)
def test_each_is_a_schema_that_takes_a_file_and_no_unknown_field(folder: str) -> None:
    assert jsonschema_rs.meta.is_valid(SCHEMAS[folder]())
    assert refused(folder, {}) == set()
    assert refused(folder, {"unknown": 1}) == {""}


def test_credentials_of_every_kind_of_channel_are_named() -> None:
    for name, kind in kinds().items():
        for field in credentials.names(kind.config_class):
            written = refused("channels", {"kind": name, "config": {field: "hunter2"}})
            assert f"config.{field}" in written, name
            kept = refused("channels", {"kind": name, "config": {field: {"kept": True}}})
            assert f"config.{field}" not in kept, name


@pytest.mark.parametrize(
    ("folder", "changes", "path"),
    [
        ("channels", {"kind": "pigeon"}, "kind"),
        ("channels", {"config": {"url": "https://a.example/", "secret": {"environment": "A"}}}, "config.secret"),
        ("channels", {"digest": 1}, "digest"),
        ("schedules", {"url": "https://a.example/on-call.ics"}, "url"),
        ("schedules", {"layers": [{"people": ["ada"]}]}, "layers.0"),
        ("escalations", {"steps": []}, "steps"),
        ("rules", {"condition": {"kind": "pigeon"}}, "condition"),
    ],
)
def test_they_refuse_what_is_refused(folder: str, changes: Mapping[str, Any], path: str) -> None:
    assert refused(folder, changes) == {path}
