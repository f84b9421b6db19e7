"""Steps of the wall clock: after one back, samples of the future are kept apart, and due times are moved nearer."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Model, Q

from metrics.models import Alert, Delivery, Incident, Maintenance, Schedule
from metrics.series.keep import put_back, set_aside
from metrics.times import datetime_of

log = structlog.get_logger(__name__)

NOTICED_WITHIN_S = 2.0
AT_ONCE = 500
MOMENTS: Mapping[type[Model], tuple[str, ...]] = {
    Alert: ("since_ms", "seen_at_ms", "fired_at_ms", "flaps_since_ms", "ends_at_ms", "acknowledged_at"),
    Delivery: ("created_at", "next_at", "claimed_until"),
    Incident: (
        *("opened_at", "newest_at", "acknowledged_at", "resolved_at"),
        *("untold_since", "changed_at", "told_at", "next_step_at", "unseen_at"),
    ),
    Maintenance: ("next_at",),
    Schedule: ("next_at",),
}
"""Moments of alerts and of telling people that are noted by this clock: when something was, or will be after a wait.

Not so the moments that a person chose, such as until when an alert is acknowledged, or when a digest is sent.
"""


def follow(before: float, after: float, now: float) -> None:
    """Follow the clock, which was set from `before` to `after`, at `now` (Unix seconds)."""
    if after < before:
        log.warning("samples of the future were set aside", samples=set_aside(now))
        _bring_nearer(before - after, now)
    elif count := put_back(before - NOTICED_WITHIN_S, now):
        log.warning("samples of the time that was skipped were put back", samples=count)


def _bring_nearer(back_s: float, now: float) -> None:
    """Have what waits wait no longer than it would have, and nothing count as seen or told in a time to come."""
    for model, names in MOMENTS.items():
        late = Q(*((f"{name}__gt", _as_stored(name, now)) for name in names), _connector=Q.OR)
        with transaction.atomic():
            rows = list(model._default_manager.select_for_update(no_key=True).filter(late))
            for row in rows:
                for name in names:
                    moment = getattr(row, name)
                    if moment is not None and moment > _as_stored(name, now) and not _is_digest(row, name):
                        setattr(row, name, moment - (_as_stored(name, back_s) - _as_stored(name, 0)))
            model._default_manager.bulk_update(rows, names, batch_size=AT_ONCE)


def _as_stored(name: str, seconds: float) -> Any:
    """Return a time in Unix seconds as the column of that name holds it."""
    return round(seconds * 1000) if name.endswith("_ms") else datetime_of(seconds)


def _is_digest(row: Any, name: str) -> bool:
    return name == "next_at" and isinstance(row, Delivery) and row.state == Delivery.HELD
