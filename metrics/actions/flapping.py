"""Alerts that flap: announced once, then not until they calm."""

from collections import defaultdict
from collections.abc import Collection

from metrics.actions.withholding import Reason
from metrics.alerts import flapping
from metrics.alerts.machine import BURNING, State
from metrics.models import Alert, Transition
from metrics.times import datetime_of

BAD = (*BURNING, State.NODATA)
WINDOW_MIN = round(flapping.WINDOW_S / 60)

Changes = dict[int, list[float]]
"""Times (Unix seconds) at which alerts became bad or good, by their ids."""


def changes(ids: Collection[int], since: float) -> Changes:
    """Return when each of these alerts became bad or good since a time, and the window before it; one query."""
    rows = Transition.objects.filter(
        noun="alert", thing__in=map(str, ids), at__gte=datetime_of(since - flapping.WINDOW_S)
    )
    found: defaultdict[int, list[float]] = defaultdict(list)
    for thing, before, after, at in rows.values_list("thing", "before", "after", "at"):
        if (before in BAD) is not (after in BAD):
            found[int(thing)].append(at.timestamp())
    return found


def begins(alert: Alert, of: Collection[float], at: float) -> bool:
    """Return whether an alert that did not flap does from a time on; `of` are its changes."""
    return flapping.flaps(of, at, alert.severity, already=False)


def calm(alert: Alert, of: Collection[float], at: float) -> bool:
    """Return whether an alert that flapped is calm at a time."""
    return not flapping.flaps(of, at, alert.severity, already=True)


def said(of: Collection[float], at: float) -> str:
    """Return in words how much it flaps."""
    return f"{flapping.count(of, at)} changes in {WINDOW_MIN} min"


def reason(alert: Alert, at: float) -> Reason:
    """Return why people are not told of an alert that flaps."""
    since = (alert.flaps_since_ms or 0) / 1000
    return Reason("flapping", str(alert.pk), "It flaps.", "", since, at + flapping.WINDOW_S)
