"""How old records of other processes are, whatever wall clocks do.

A record bears the wall clock's time, and that may be set forward or back. So how old a record is when it is first seen
is told by the wall clock, but never more than since the last look; from then on this process's monotonic clock counts.
The observer of a lease does the same, see https://kubernetes.io/docs/concepts/architecture/leases/.
"""

import math
from dataclasses import dataclass
from threading import Lock

from metrics.schedule import CLOCKS_DIFFER_S


@dataclass(slots=True)
class _Seen:
    at: float | None
    born: float
    looked: float


class Ages:
    """The ages of records by name, for one process that looks at them again and again; safe with threads."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._lock = Lock()

    def age_s(self, name: str, at: float | None, now: float, ticks: float) -> float:
        """Return how old the record of `at` is at `now` (Unix seconds) and `ticks` (monotonic seconds).

        Without a record, for how long there has been none. One of the future that this process sees for the first time
        is infinitely old: it tells nothing of when it was made. One that is ahead by `CLOCKS_DIFFER_S` at most was made
        just now: while it was looked for, or by another machine.
        """
        with self._lock:
            seen = self._seen.get(name)
            if seen is None or seen.at != at:
                longest_s = math.inf if seen is None else ticks - seen.looked
                age_s = longest_s if at is None or at > now + CLOCKS_DIFFER_S else max(0.0, now - at)
                seen = self._seen[name] = _Seen(at, ticks - min(age_s, longest_s), ticks)
            seen.looked = ticks
            return ticks - seen.born

    def forget(self, name: str) -> None:
        """Forget the record `name`."""
        with self._lock:
            self._seen.pop(name, None)
