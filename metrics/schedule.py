"""When something is due: every n seconds, or by cron in a time zone.

Cron follows Debian's (https://manpages.debian.org/cron, "daylight saving"): a job at a fixed hour that a change of
summer time skips runs right after it, one in the hour that comes twice runs once; jobs by the hour or minute go on
with the real time.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

EVERY_MOST_S = 366 * 86_400
CRON_MOST = 100
NEVER = "cron {!r} never comes."
LATE_INTERVALS, STALE_INTERVALS = 2, 5
LATENESS_GRACE_S = 3.0
CHANGE_MOST_S = 3 * 3600
"""No change of a zone's clock is larger, but for those to the other side of the date line."""
CLOCKS_DIFFER_S = 5.0
"""At most, of the machines of one system. A time further in the future was noted before a clock was set back."""


def late_at(newest_at: float, every_s: float) -> float:
    """Return when what last came at `newest_at` and is expected every `every_s` seconds is late: one was missed."""
    return newest_at + LATE_INTERVALS * every_s + LATENESS_GRACE_S


def stale_at(newest_at: float, every_s: float) -> float:
    """Return when it is stale: four were missed. All times are Unix seconds."""
    return newest_at + STALE_INTERVALS * every_s + LATENESS_GRACE_S


class BadSchedule(Exception):
    """A schedule that can't be; `field` is every, cron or time_zone, the message a sentence that names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either `every_s` seconds, counted from 1970, or a `cron` expression of five fields in `time_zone`.

    Raises BadSchedule for none of the two, or both, or one that can't be read.
    """

    every_s: float | None = None
    cron: str = ""
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if (self.every_s is None) == (not self.cron):
            raise BadSchedule("every", "A schedule has either every or cron.")
        if self.every_s is not None and not 0 < self.every_s <= EVERY_MOST_S:
            raise BadSchedule("every", f"every is not a number of seconds between 0 and {EVERY_MOST_S}.")
        if self.cron:
            self._check_cron()

    def _check_cron(self) -> None:
        try:
            zone = ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):
            raise BadSchedule("time_zone", f"time_zone {self.time_zone[:50]!r} is not one such as UTC.") from None
        shown = self.cron[:CRON_MOST]
        if len(self.cron) > CRON_MOST or len(self.cron.split()) != 5:
            raise BadSchedule("cron", f"cron {shown!r} does not have five fields, such as 5 * * * *.")
        try:
            next(CronSim(self.cron, datetime(2024, 1, 1, tzinfo=zone)))
        except CronSimError as error:
            raise BadSchedule("cron", f"cron {shown!r} can't be read: {str(error).lower()}.") from None
        except StopIteration:
            raise BadSchedule("cron", NEVER.format(shown)) from None

    def after(self, at: float) -> float:
        """Return the first time after `at` (both Unix seconds) that this is due."""
        if self.every_s is not None:
            return (at // self.every_s + 1) * self.every_s
        return self._cron(at, reverse=False)

    def slot(self, at: float) -> float:
        """Return the last time, not after `at`, that this was due."""
        if self.every_s is not None:
            return at // self.every_s * self.every_s
        return self._cron(at + 1, reverse=True)

    def gap_s(self, at: float) -> float:
        """Return how many seconds lie between the two times this is due around `at`."""
        if self.every_s is not None:
            return self.every_s
        due = self.after(at)
        return due - self.slot(due - 1)

    def _cron(self, at: float, *, reverse: bool) -> float:
        """Return the next time after the second of `at`, or in reverse the last before it.

        cronsim finds times on the wall, and here is found when a clock of this zone shows them: its own way steps over
        an hour at a time, and so misses half of the next one where a change is of half an hour.
        """
        zone, second = ZoneInfo(self.time_zone), math.floor(at)
        near = {datetime.fromtimestamp(second + s, zone).utcoffset() for s in (-CHANGE_MOST_S, 0, CHANGE_MOST_S)}
        margin_s = CHANGE_MOST_S if len(near) > 1 else 0  # what the clock shows again, it may have shown before `at`
        begin = datetime.fromtimestamp(second, zone).replace(tzinfo=None)
        begin += timedelta(seconds=margin_s if reverse else -margin_s)
        found: list[float] = []
        for local in CronSim(self.cron, begin, reverse=reverse):
            shown = [local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)]
            if reverse:
                found += [one for one in self._due(local, shown) if one < second]
                if found and shown[1] < second:
                    return max(found)
            else:
                found += [one for one in self._due(local, shown) if one > at]
                if found and shown[0] > at:
                    return min(found)
        raise AssertionError(NEVER.format(self.cron))

    def _due(self, local: datetime, shown: list[float]) -> list[float]:
        """Return when this is due, for a time `local` that matches; `shown` is when clocks show it, first and again.

        Where a clock skips it, that is later as the first than as the second (PEP 495).
        """
        minute, hour, *_ = self.cron.split()
        goes_on = minute.startswith("*") or hour.startswith("*")
        first, again = shown
        if first <= again:
            return [first, again] if goes_on else [first]
        return [] if goes_on else [self._shown_after(local)]

    def _shown_after(self, local: datetime) -> float:
        """Return when a clock that skips `local` goes on."""
        zone = ZoneInfo(self.time_zone)
        while local.replace(tzinfo=zone).utcoffset() != local.replace(tzinfo=zone, fold=1).utcoffset():
            local += timedelta(minutes=1)
        return local.replace(tzinfo=zone).timestamp()
