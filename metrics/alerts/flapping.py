"""Flapping: an alert that comes and goes again and again. A pure function of its last changes, as Nagios weighs them.

The last 20 minutes are 20 slots. A slot in which it changed counts, the oldest one 0.75 and the newest one 1.25; their
sum is the share of the time in which it changes. It flaps from `begins` on, until it is below `ends`: the two are
apart, so that it does not begin and end all the time.
"""

from collections.abc import Collection
from dataclasses import dataclass

SLOTS = 20
SLOT_S = 60.0
WINDOW_S = SLOTS * SLOT_S
OLDEST, NEWEST = 0.75, 1.25


@dataclass(frozen=True, slots=True)
class Bounds:
    """Shares, from 0 to 1: one flaps from `begins` on, until it is below `ends`."""

    begins: float
    ends: float


BOUNDS = {"info": Bounds(0.25, 0.15), "warning": Bounds(0.3, 0.2), "critical": Bounds(0.5, 0.25)}
"""By severity: the worse something is, the longer each change of it is told."""


def share(changes: Collection[float], at: float) -> float:
    """Return in what share of the time before `at` it changed; `changes` are their times (Unix seconds)."""
    slots = {int((at - one) // SLOT_S) for one in changes if 0 <= at - one < WINDOW_S}
    return sum(NEWEST - (NEWEST - OLDEST) * slot / (SLOTS - 1) for slot in slots) / SLOTS


def flaps(changes: Collection[float], at: float, severity: str, *, already: bool) -> bool:
    """Return whether it flaps at a time, if it did `already` before or not."""
    bounds = BOUNDS.get(severity, BOUNDS["warning"])
    found = share(changes, at)
    return found >= bounds.ends if already else found >= bounds.begins


def count(changes: Collection[float], at: float) -> int:
    """Return how often it changed in the time that is looked at."""
    return sum(0 <= at - one < WINDOW_S for one in changes)
