"""How much is down: counted as the lists show it, noted once for all pages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from metrics.actions import down
from metrics.actions.source_status import DOWN, status_of
from metrics.health import store as health
from metrics.health.store import Down
from metrics.models import Heartbeat, Source
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def ran(ago_s: float = 5, **fields: Any) -> dict[str, Any]:
    return {"last_run_at": datetime.fromtimestamp(AT - ago_s, UTC), "every_s": 10, **fields}


def test_sources_count_as_their_list_shows_them() -> None:
    told = {
        "shop": ran(last_verdict="down"),
        "cron": ran(last_verdict="down", every_s=None, cron="* * * * *", time_zone="UTC"),
        "failing": ran(last_error="It could not be asked."),
        "warning": ran(last_verdict="warning"),
        "late": ran(ago_s=3600, last_verdict="down"),
        "off": ran(last_verdict="down", enabled=False),
        "up": ran(last_verdict="up"),
        "pushed": {"kind": Source.PUSH},
        "new": {"every_s": 10},
    }
    for name, fields in told.items():
        Source.objects.create(**{"kind": "host", "name": name, **fields})
    down.look(AT)
    assert health.down() == Down(sources=2)
    assert {one.name for one in Source.objects.all() if status_of(one, AT) == DOWN} == {"shop", "cron"}


def test_heartbeats_count_when_they_are_down() -> None:
    for state in ("up", "late", "down", "new", "paused"):
        Heartbeat.objects.create(name=state, every_s=60, state=state)
    down.look(AT)
    assert health.down() == Down(heartbeats=1)


def test_before_anything_was_counted_nothing_is() -> None:
    assert health.down() == Down()
