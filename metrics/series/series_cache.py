"""Series that this process has written lately, so that it need not look them up for every sample.

What is known here may be old: another process may have changed a series, so it counts for a minute only, or removed
it, so whoever writes has to make sure that it is still there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metrics.models import Series, Source
from metrics.sample import Sample

HOLDS_S = 60
MOST = 50_000

Key = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class _Known:
    """A series as it was in the database at `at` (Unix seconds). It is shared, and not to be changed."""

    series: Series
    at: float


_known: dict[Key, _Known] = {}


def key_of(sample: Sample) -> Key:
    return sample.metric, frozenset(sample.labels.items())


def recognise(sample: Sample, source: Source | None, now: float) -> Series | None:
    """Return the series of `sample`, if it is known and the sample says nothing of it that would be news."""
    known = _known.get((sample.metric, frozenset(sample.labels.items())))
    if known is None or sample.ends or sample.adds or not known.at <= now < known.at + HOLDS_S:
        return None
    series = known.series
    if (
        (sample.unit is None or sample.unit == series.unit)
        and (sample.type is None or sample.type == series.type)
        and (sample.expected_every_s is None or sample.expected_every_s == series.expected_every_s)
        and (sample.expires_after_s is None or sample.expires_after_s == series.expires_after_s)
        and (source is None or source.pk == series.source_id)
        and (sample.at is None or sample.at <= now + series.ahead_s)
        and (sample.since is None or _is_known_start(sample.since, series))
    ):
        return series
    return None


def _is_known_start(since: float, series: Series) -> bool:
    return series.started_at_ms is not None and round(since * 1000) <= series.started_at_ms


def remember(found: Iterable[tuple[Key, Series]], now: float) -> None:
    """Know these series from now on, which are stored just like this."""
    if len(_known) > MOST:
        _known.clear()
    for key, series in found:
        _known[key] = _Known(series, now)


def forget() -> None:
    """Know nothing any more."""
    _known.clear()
