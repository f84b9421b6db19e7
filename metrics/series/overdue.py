"""Overdue samples: sources that are silent as a whole, and single series."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from metrics.series import reader
from metrics.series.find import counts_of, silent
from metrics.series.reader import Track

CANDIDATES_MOST = 2000
"""Series: of a failure that takes more with it, these tell enough."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A silent series `track`, called `name`; of a source that is silent as a whole, the one that came last.

    `count` is how many series that are.
    """

    name: str
    track: Track
    count: int = 1


def overdue(at: float, hidden: Collection[int] = ()) -> list[Overdue]:
    """Return what may be late at `at` (Unix seconds), without the sources `hidden` (ids).

    Each should have come, as far as is known without a look at calendars; its freshness tells whether it is late.
    """
    found = silent(at, hidden, CANDIDATES_MOST)
    tracks = reader.seen([one for one, _, _ in found], at)
    of_source: dict[tuple[int, str], list[Track]] = defaultdict(list)
    rows = []
    for one, source, name in found:
        if source is None:
            rows.append(Overdue(_name(tracks[one.pk]), tracks[one.pk]))
        else:
            of_source[source, name].append(tracks[one.pk])
    counts = counts_of([pk for pk, _ in of_source])
    for (pk, name), silent_ones in of_source.items():
        known = [track for track in silent_ones if track.latest]
        if len(silent_ones) == counts.get(pk) and len(known) > 1:
            rows.append(Overdue(name, max(known, key=lambda track: track.came_at), len(silent_ones)))
        else:
            rows += [Overdue(_name(track), track) for track in silent_ones]
    return [one for one in rows if one.track.latest]


def _name(track: Track) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(track.labels.items()))
    return f"{track.metric} {labels}".strip()
