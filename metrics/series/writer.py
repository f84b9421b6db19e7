"""Writing samples: idempotent on (series, time)."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from django.db import connection, transaction
from msgspec import structs

from metrics.models import Sample as SampleRow
from metrics.models import Series, Source
from metrics.sample import FUTURE_MOST_S, Sample, series_key
from metrics.series import cardinality, late, series_cache, starts, totals
from metrics.series.arrays import array
from metrics.series.totals import Increase

_SAMPLES, _SERIES = SampleRow._meta.db_table, Series._meta.db_table
METADATA = ("unit", "type", "expected_every_s", "expires_after_s")
"""Fields of a sample that hold for its whole series."""
AHEAD_S = (1.0, 2.0, *(at_s / 10 for at_s in range(50, 10 * FUTURE_MOST_S + 16, 15)))
"""By how much a clock counts as ahead. So it is told seldom, and series with it can be read together.

Frozen values would count as fresh for as long as a step is: two of them are no more than `LATENESS_GRACE_S`.
"""
LIVE_S = 60
"""A sample not older than this on arrival shows how far the sender's clock is ahead by now."""


Row = tuple[int, int, int, float]
"""Series, Unix milliseconds, place in the batch, value: in this order, of two with one time the first comes first."""


class _GoneError(Exception):
    """A series that this process knew is not there any more."""


def write(samples: Sequence[Sample], source: Source | None, now: float) -> list[Series]:
    """Store `samples` in one transaction and return the series they belong to, which are not to be changed.

    A sample without a time gets `now` (Unix seconds). One whose series and time are stored already changes
    nothing: the first one stays. Unknown series are made, and belong to `source`. Raises BadSamples if that would be
    more series than there may be; then nothing is stored.
    """
    try:
        return _write(samples, source, now)
    except _GoneError:
        series_cache.forget()
        return _write(samples, source, now)


def _write(samples: Sequence[Sample], source: Source | None, now: float) -> list[Series]:
    rows: list[Row] = []
    others: list[tuple[int, Sample]] = []
    found: dict[int, Series] = {}
    now_ms = _ms(None, now)
    for place, sample in enumerate(samples):
        series = series_cache.recognise(sample, source, now)
        if series is None:
            others.append((place, sample))
        else:
            found[series.pk] = series
            rows.append((series.pk, now_ms if sample.at is None else round(sample.at * 1000), place, sample.value))
    with transaction.atomic():
        if found:
            _hold(found)
        if others:
            rows += _look_up(others, source, now, found)
        store(rows, now)
    return list(found.values())


def store(rows: list[Row], now: float) -> None:
    """Store `rows` at `now` (Unix seconds), and note those that are late, in the transaction that is under way."""
    _insert(rows)
    late.note(late.hours_of(rows, now))


def _look_up(
    samples: Sequence[tuple[int, Sample]], source: Source | None, now: float, found: dict[int, Series]
) -> list[Row]:
    """Return what is to be stored of `samples`, and put their series, made or changed as they say, into `found`."""
    keyed = [(series_key(sample.metric, sample.labels), place, sample) for place, sample in samples]
    values = [one for one in keyed if not one[2].ends]
    ended_at_ms = {key: _ms(sample.at, now) for key, _, sample in keyed if sample.ends}
    by_key = [(key, sample) for key, _, sample in keyed]
    started = starts.newest(
        (key, _ms(sample.since, now), _ms(sample.at, now))
        for key, sample in by_key
        if sample.since is not None and not sample.adds and sample.since < (now if sample.at is None else sample.at)
    )
    series = _series(
        _wanted([(key, sample) for key, _, sample in values]),
        ended_at_ms,
        _ahead_s(by_key, now),
        started,
        source,
        found,
    )
    found |= {one.pk: one for one in series.values()}
    seen = [(series_cache.key_of(sample), series[key]) for key, _, sample in values]
    transaction.on_commit(partial(series_cache.store, seen, now))
    zeros = starts.zeros({series[key].pk: start for key, start in started.items()})
    rows = _rows([(series[key].pk, place, sample) for key, place, sample in values], now)
    return rows + [(pk, at_ms, len(samples), 0.0) for pk, at_ms in zeros]


def _rows(samples: Sequence[tuple[int, int, Sample]], now: float) -> list[Row]:
    """Return what is to be stored of `samples`, each with the id of its series and its place."""
    rows = [
        (series_id, _ms(sample.at, now), place, sample.value) for series_id, place, sample in samples if not sample.adds
    ]
    increases = [
        Increase(series_id, _ms(sample.at, now), None if sample.since is None else _ms(sample.since, now), sample.value)
        for series_id, _, sample in samples
        if sample.adds
    ]
    totalled = totals.add(increases, round(now * 1000)) if increases else []
    return rows + [(row.series_id, row.at_ms, len(samples), row.value) for row in totalled]


def _hold(ids: Collection[int]) -> None:
    """Keep the series `ids` from being removed until the transaction ends. Raises _GoneError if one has been."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            held = f"SELECT 1 FROM {_SERIES} WHERE id = ANY(%s::bigint[]) FOR KEY SHARE"
            cursor.execute(f"SELECT count(*) FROM ({held}) held", [array(ids)])
        else:  # there is one writer at a time
            cursor.execute(f"SELECT count(*) FROM {_SERIES} WHERE id IN ({', '.join(map(str, ids))})")
        if cursor.fetchone()[0] != len(ids):
            raise _GoneError


def _insert(rows: list[Row]) -> None:
    """Store `rows`, but for those of a series and time that is stored already."""
    # In one order for all, as below: two batches with the same keys in different orders would deadlock.
    rows.sort()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            ids, times_ms, _, values = zip(*rows, strict=True) if rows else ((), (), (), ())
            sql = f"""
                INSERT INTO {_SAMPLES} (series_id, at_ms, value)
                SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::float8[]) ON CONFLICT DO NOTHING"""
            cursor.execute(sql, [array(ids), array(times_ms), array(values)])
        else:
            sql = f"INSERT INTO {_SAMPLES} (series_id, at_ms, value) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
            cursor.executemany(sql, [(series, at_ms, value) for series, at_ms, _, value in rows])


def _ms(at: float | None, now: float) -> int:
    return round((now if at is None else at) * 1000)


def _ahead_s(samples: Iterable[tuple[str, Sample]], now: float) -> dict[str, float]:
    """Return by how much the clock of a series' sender is ahead, where it shows: as one of few numbers, rounded up."""
    newest: dict[str, float] = {}
    for key, sample in samples:
        at = now if sample.at is None else sample.at
        if at >= now - LIVE_S:
            newest[key] = max(newest.get(key, 0.0), at)
    return {
        key: AHEAD_S[min(bisect_left(AHEAD_S, at - now), len(AHEAD_S) - 1)] if at > now else 0.0
        for key, at in newest.items()
    }


def _wanted(samples: Iterable[tuple[str, Sample]]) -> dict[str, Sample]:
    """Return a sample for each key, with the last that any of them says about their series."""
    wanted: dict[str, Sample] = {}
    for key, sample in samples:
        said = {name: value for name in METADATA if (value := getattr(sample, name)) is not None}
        before = wanted.get(key)
        wanted[key] = sample if before is None else structs.replace(before, **said) if said else before
    return wanted


def _series(
    wanted: dict[str, Sample],
    ended_at_ms: dict[str, int],
    ahead_s: dict[str, float],
    started: dict[str, starts.Start],
    source: Source | None,
    others: Collection[int],
) -> dict[str, Series]:
    """Return the series that are `wanted`, made if they are new, and those that ended, if they are known.

    `others` are the ids of those that are written besides.
    """
    keys = [*wanted, *ended_at_ms]
    found = _find(keys)
    missing = [_made(key, one, source) for key, one in sorted(wanted.items()) if key not in found]
    if missing:
        cardinality.check(missing, source)
        # Another process may make the same series meanwhile: whoever is first wins, and both find it.
        Series.objects.bulk_create(missing, ignore_conflicts=True)
        found = _find(keys)
    changed = [
        one
        for key, one in sorted(found.items())
        if _adopt(one, wanted.get(key), source)
        | _end(one, ended_at_ms.get(key))
        | _note_clock(one, ahead_s.get(key))
        | starts.note(one, started, key)
    ]
    if changed:
        late.lock({*others, *(one.pk for one in found.values())})
        Series.objects.bulk_update(changed, ["source", "ended_at_ms", "ahead_s", "started_at_ms", *METADATA])
    return found


def _made(key: str, sample: Sample, source: Source | None) -> Series:
    labels = {name: value for name, value in sample.labels.items() if value}
    made = Series(key=key, metric=sample.metric, labels=labels, source=source)
    _adopt(made, sample, source)
    return made


def _find(keys: Sequence[str]) -> dict[str, Series]:
    return {one.key: one for one in Series.objects.filter(key__in=keys)}


def _end(series: Series, ended_at_ms: int | None) -> bool:
    """End the series; return whether that is news."""
    if ended_at_ms is None or (series.ended_at_ms is not None and ended_at_ms <= series.ended_at_ms):
        return False
    series.ended_at_ms = ended_at_ms
    return True


def _note_clock(series: Series, ahead_s: float | None) -> bool:
    """Note by how much the sender's clock is ahead, None if that is not known; return whether that is news.

    That it is less counts from two steps on: a clock that is at the edge of one would be news again and again.
    """
    if ahead_s is None or ahead_s == series.ahead_s:
        return False
    if sum(ahead_s < step <= series.ahead_s for step in AHEAD_S) == 1:
        return False
    series.ahead_s = ahead_s
    return True


def _adopt(series: Series, sample: Sample | None, source: Source | None) -> bool:
    """Take over what `sample` says about its series, and the source; return whether anything of it is news."""
    if sample is None:
        return False
    news = {name: value for name in METADATA if (value := getattr(sample, name)) is not None}
    if source is not None:
        news["source_id"] = source.pk
    news = {name: value for name, value in news.items() if getattr(series, name) != value}
    for name, value in news.items():
        setattr(series, name, value)
    return bool(news)
