"""When counters began, as their senders say: until its first sample, a counter grew from zero then.

OpenTelemetry gives each cumulative point its start, which is another one after a restart
(https://opentelemetry.io/docs/specs/otel/metrics/data-model/#resets-and-gaps). A start that is news becomes a sample
of zero, and from there on everything behind knows it. One that lies far back says little about the present: what grew
since then would all be shown at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.models import Series
from metrics.series.newest import newest as newest_samples
from metrics.series.tiers import DAY_MS

FAR_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Start:
    """A counter began at `since_ms`, and `first_ms` is the earliest sample that says so; Unix milliseconds."""

    since_ms: int
    first_ms: int


def newest(said: Iterable[tuple[str, int, int]]) -> dict[str, Start]:
    """Return the newest start for each key of those that were `said`: key, start and time of the sample."""
    found: dict[str, Start] = {}
    for key, since_ms, at_ms in said:
        before = found.get(key)
        if before is None or since_ms > before.since_ms or (since_ms == before.since_ms and at_ms < before.first_ms):
            found[key] = Start(since_ms, at_ms)
    return found


def note(series: Series, started: dict[str, Start], key: str) -> bool:
    """Note the start of a series; return whether it is news. A start that is none is taken out of `started`."""
    start = started.get(key)
    if start is None:
        return False
    if series.started_at_ms is not None and start.since_ms <= series.started_at_ms:
        del started[key]
        return False
    series.started_at_ms = start.since_ms
    return True


def zeros(news: Mapping[int, Start]) -> list[tuple[int, int]]:
    """Return where a sample of zero belongs, (series, Unix milliseconds), given the starts of series that are news.

    A sample that is stored since then was counted from the same start, or says itself what the rest grew from.
    """
    near = {pk: start for pk, start in news.items() if start.first_ms - start.since_ms <= FAR_MS}
    stored = newest_samples({pk: start.first_ms - 1 for pk, start in near.items()}, 1)
    return [
        # A start within the millisecond of the first sample would be that sample itself.
        (pk, min(start.since_ms, start.first_ms - 1))
        for pk, start in near.items()
        if pk not in stored or stored[pk][0][0] < start.since_ms
    ]
