"""How current a widget is: fresh, late, stale, or no data.

The thresholds are computed here and travel in the fragment as times; the page only compares them with
the server time that the pulse brings. So there is one rule, and the clock of the TV has no say.
"""

from dataclasses import dataclass

from metrics import schedule
from metrics.series.read import Track

UNKNOWN_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """`at` is when the newest sample came, `late_at` and `stale_at` when it will count as late and as stale.

    All are Unix seconds, None without data. `state` is fresh, late, stale, nodata, or
    still for what shows no samples, as of rendering.
    """

    state: str
    at: float | None = None
    late_at: float | None = None
    stale_at: float | None = None


NO_DATA = Freshness("nodata")
STILL = Freshness("still")
"""Of what shows no samples."""


def freshness(newest_at: float | None, every_s: float | None, now: float) -> Freshness:
    """Return how current data is whose newest sample is of `newest_at` and is expected every `every_s` seconds.

    Late is one missed sample and a grace; stale is four missed samples: see `metrics.schedule`. A time of the future
    was noted before the clock was set back: nobody knows how long ago that was, and so it is stale.
    """
    if newest_at is None:
        return NO_DATA
    if newest_at > now + schedule.CLOCKS_DIFFER_S:
        return Freshness("stale", newest_at, newest_at, newest_at)
    every = every_s or UNKNOWN_EVERY_S
    newest_at = min(newest_at, now)
    late_at, stale_at = schedule.late_at(newest_at, every), schedule.stale_at(newest_at, every)
    state = "stale" if now >= stale_at else "late" if now >= late_at else "fresh"
    return Freshness(state, newest_at, late_at, stale_at)


def of_tracks(tracks: list[Track], every_s: float | None, now: float) -> Freshness:
    """Return the freshness of the newest among `tracks`; `every_s`, if given, overrides what the series expect."""
    newest = max((track for track in tracks if track.latest), key=lambda track: track.came_at, default=None)
    return NO_DATA if newest is None else freshness(newest.came_at, every_s or newest.every_s, now)
