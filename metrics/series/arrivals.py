"""Arrival of samples: if nearly all are late at once, that is one fault, and it is on this side."""

from dataclasses import dataclass

from metrics.schedule import late_at, stale_at
from metrics.series.find import Found, expected
from metrics.series.newest import newest

LOOKED_AT_MOST = 1000
"""Series: a part of a large installation tells as much as all of it."""
FEWEST = 3
NEARLY_ALL = 0.9
COLLECTED, PUSHED = "collected", "pushed"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How many of the series that come one `way`, collected or pushed, were `expected` lately, and are `late` now.

    `newest_at` (Unix seconds) is the newest of their samples, `late_at` the newest of those that are late; None if
    there is none.
    """

    way: str
    expected: int
    late: int
    newest_at: float | None
    late_at: float | None

    @property
    def stopped(self) -> bool:
        """Whether nearly all are late, so that whatever brings them must have stopped."""
        return self.expected >= FEWEST and self.late >= NEARLY_ALL * self.expected


def arrivals(now: float) -> list[Arrivals]:
    """Return what arrived and what did not by `now` (Unix seconds), by the way it comes."""
    chosen = expected(LOOKED_AT_MOST)
    seen = newest({one.pk: one.until_ms(now) for one in chosen}, 1)
    times = [(one, seen[one.pk][0][0] / 1000 - one.ahead_s) for one in chosen if one.pk in seen]
    return [
        _of_way(way, [(one, at) for one, at in times if _is_collected(one) == (way == COLLECTED)], now)
        for way in (COLLECTED, PUSHED)
    ]


def _is_collected(one: Found) -> bool:
    """Return whether a schedule brings it.

    Samples that are pushed with a token have a source as well, but one without a schedule.
    """
    return one.schedule is not None and any(one.schedule[:2])


def _of_way(way: str, times: list[tuple[Found, float]], now: float) -> Arrivals:
    """Return what arrived one way. A series that had ended long before the others did is not missed."""
    newest_at = max((at for _, at in times), default=None)
    if newest_at is None:
        return Arrivals(way, 0, 0, None, None)
    known = [(every_s, at) for one, at in times if (every_s := one.said_every_s(now)) is not None]
    missed = [(every_s, at) for every_s, at in known if stale_at(at, every_s) > newest_at]
    late = [at for every_s, at in missed if now >= late_at(at, every_s)]
    return Arrivals(way, len(missed), len(late), newest_at, max(late, default=None))
