"""A cache of series that this process has written lately, so that it need not look them up for every sample.

An entry may be old. Another process may have changed the series, so an entry counts for a minute only; or removed it,
so whoever writes has to make sure that the series is still there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metrics.models import Series, Source
from metrics.sample import Sample

HOLDS_S = 60
MOST = 50_000

Key = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class _Cached:
    """A series as it was in the database at `at` (Unix seconds). It is shared, and not to be changed."""

    series: Series
    at: float


_cache: dict[Key, _Cached] = {}


def key_of(sample: Sample) -> Key:
    return sample.metric, frozenset(sample.labels.items())


def recognise(sample: Sample, source: Source | None, now: float) -> Series | None:
    """Return the series of `sample`, if it is cached and the sample says nothing of it that would be news."""
    cached = _cache.get((sample.metric, frozenset(sample.labels.items())))
    if cached is None or sample.ends or sample.adds or not cached.at <= now < cached.at + HOLDS_S:
        return None
    series = cached.series
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


def store(found: Iterable[tuple[Key, Series]], now: float) -> None:
    """Put series into the cache, which are stored just like this."""
    if len(_cache) > MOST:
        _cache.clear()
    for key, series in found:
        _cache[key] = _Cached(series, now)


def forget() -> None:
    """Empty the cache."""
    _cache.clear()
