"""Ages, durations and schedules in the words a person would use; ages in the same as static/js/clock.js."""

from datetime import datetime

from metrics.models import Heartbeat, Source
from metrics.schedule import CLOCKS_DIFFER_S
from metrics.widgets import units

age, lasted = units.age, units.lasted


def ago(moment: datetime | None, now: float) -> str:
    """Return how long ago `moment` was at `now` (Unix seconds); an empty text for None."""
    if moment is None:
        return ""
    if moment.timestamp() > now + CLOCKS_DIFFER_S:
        return "before the clock was set back"
    return f"{age(now - moment.timestamp())} ago"


def duration(seconds: float | None) -> str:
    """Return a duration as it is shown: 12 ms, 1.5 s; an empty text for None."""
    return "" if seconds is None else str(units.show(seconds, "seconds"))


def schedule(source: Source | Heartbeat) -> str:
    """Return when `source` runs, or when a heartbeat should ping, in words."""
    if source.cron:
        return f"{source.cron} ({source.time_zone})"
    return "when pushed" if source.every_s is None else f"every {_every(source.every_s)}"


def _every(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
