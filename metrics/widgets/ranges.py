"""Ranges: the windows a dashboard shows, and the step each is drawn in."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

RANGES_S: dict[str, tuple[int, int]] = {
    "15m": (900, 10),
    "1h": (3_600, 30),
    "6h": (21_600, 180),
    "24h": (86_400, 720),
    "7d": (604_800, 3_600),
    "30d": (2_592_000, 21_600),
}
"""Name -> (length, step), both in seconds."""
FINER_S = {"15m": 5, "1h": 10, "6h": 60, "24h": 240, "7d": 3_600, "30d": 7_200}
"""Name -> step in seconds for what has room for more: a divisor of the usual step, and whole minutes or hours."""
DEFAULT = "1h"
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """A range as seen from a moment: start ≤ t < end, in whole steps; `at` is that moment. Unix seconds."""

    range: str
    at: float
    start: float
    end: float
    step_s: int

    @property
    def length_s(self) -> float:
        return self.end - self.start


def window(range: str, at: float) -> Window:
    """Return the window of `range` seen from `at`. Its end is the end of the step that `at` lies in.

    Raises KeyError for a name that is not a range.
    """
    length_s, step_s = RANGES_S[range]
    end = (math.floor(at / step_s) + 1) * step_s
    return Window(range, at, end - length_s, end, step_s)


def days(count: int, step_s: int, at: float, zone: tzinfo) -> Window:
    """Return the window of the last `count` days as seen from `at`, the whole of today in `zone` included.

    Each is of 24 hours: before a change of summer time they begin an hour beside midnight.
    """
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    ahead_s = offset.total_seconds() if offset else 0.0
    end = ((at + ahead_s) // DAY_S + 1) * DAY_S - ahead_s
    return Window(f"{count}d", at, end - count * DAY_S, end, step_s)


def finer(window: Window) -> Window:
    """Return `window` in its finer steps."""
    return replace(window, step_s=FINER_S[window.range])
