"""On call in the past: schedules whose past is not known any more."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from metrics.actions import schedules
from metrics.models import AuditEntry, Schedule
from metrics.times import datetime_of

PLANS = ("create", "change")
OVERRIDES = ("override", "end override")


def unknown(rows: Iterable[Schedule], at: float) -> frozenset[int]:
    """Return the ids of the schedules of which nobody knows who was on call at a time of the past (Unix seconds).

    They were changed since, or their calendar elsewhere was, or somebody said later who stood in then.
    """
    by_id, moment = {str(row.pk): row for row in rows}, datetime_of(at)
    if moment < datetime_of(time.time()) - schedules.KEPT:  # those who stood in are forgotten
        return frozenset(row.pk for row in by_id.values())
    entries = AuditEntry.objects.filter(noun="schedule", thing__in=by_id, verb__in=PLANS + OVERRIDES, at__gt=moment)
    changed = {
        thing
        for thing, verb, before, after in entries.values_list("thing", "verb", "before", "after")
        if verb in PLANS or _covers(after or before or {}, moment)
    }
    return frozenset(row.pk for thing, row in by_id.items() if thing in changed or _is_before(row, moment))


def _covers(override: Mapping[str, Any], moment: datetime) -> bool:
    """Whether an override of the journal is for a moment. One that was only cut was so until then: it has no start."""
    if "from" not in override:
        return False
    starts, ends = (datetime.fromisoformat(override[name]) for name in ("from", "until"))
    return starts <= moment < ends


def _is_before(row: Schedule, moment: datetime) -> bool:
    return bool(row.url) and (row.known_from is None or moment < row.known_from)
