"""The one way in for samples, pulled or pushed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import compress

from django.db import transaction
from redis import RedisError

from metrics.actions.shown import widgets_by_slug
from metrics.batch import Accepted, sift
from metrics.live import events, outage, watchers
from metrics.models import Series, Source
from metrics.sample import About, BadSamples, Sample, series_key
from metrics.series.about import tell
from metrics.series.guard import TooManySeries
from metrics.series.write import write

PUSH_NOTED_S = 10
TRIES = 2
"""To leave out the new series for which there is no room, since others may be made meanwhile."""


def accept(
    samples: Sequence[Sample],
    source: Source | None,
    now: float,
    also: Callable[[int], None] | None = None,
    first: Callable[[], None] | None = None,
) -> int:
    """Check `samples`, store them, and have the open widgets that show them rendered; return how many there are.

    `also` is called with that number in the transaction that stores them: what it writes is stored if they are. `first`
    is called when that begins, to wait for whom it must.
    Raises BadSamples if one of them is bad; then nothing is stored.
    """
    sifted = sift(samples, now)
    if sifted.refused:
        raise BadSamples(sifted.refused.problems)
    _store(sifted.good, source, now, also, first)
    return len(samples)


def accept_good(samples: Sequence[Sample], source: Source | None, now: float, places: Sequence[int] = ()) -> Accepted:
    """Store those of `samples` that can be stored, as `accept` does; the others are refused by their `places`.

    Where there is no room for all that are of new series, samples of known series are stored, and of as many new
    ones as there is room for. Raises BadSamples if others make new series all the while.
    """
    sifted = sift(samples, now, places)
    good, places = sifted.good, sifted.places
    for _ in range(TRIES):
        try:
            _store(good, source, now)
            return Accepted(len(good), sifted.refused)
        except TooManySeries as many:
            fits = [series_key(one.metric, one.labels) not in many.keys for one in good]
            for place, fit in zip(places, fits, strict=True):
                if not fit:
                    sifted.refused.add(place, [(many.problems[0].field, many.problems[0].message)])
            good, places = list(compress(good, fits)), list(compress(places, fits))
    _store(good, source, now)
    return Accepted(len(good), sifted.refused)


def _store(
    samples: Sequence[Sample],
    source: Source | None,
    now: float,
    also: Callable[[int], None] | None = None,
    first: Callable[[], None] | None = None,
) -> None:
    with transaction.atomic() if also or first else nullcontext():
        if first:
            first()
        changed = write(samples, source, now) if samples else []
        if also:
            also(len(samples))
    show(changed, now)
    _note_push(source, len(samples), now)


def describe(about: Mapping[str, About], source: Source | None) -> None:
    """Keep what is said `about` metrics, by name, with the series of `source` that there are."""
    tell(about, source)


@dataclass(frozen=True, slots=True)
class Push:
    """Samples that somebody sent for `source`; `holder` is who, by the name under which rates are counted."""

    holder: str
    samples: Sequence[Sample]
    source: Source | None


def accept_all(pushes: Sequence[Push], now: float) -> None:
    """Store what many sent, as `accept` does, in a transaction for each source. All of it was checked already.

    When it fails, some of it may be stored: it is to be sent again, with the same times.
    """
    by_source: dict[Source | None, list[Sample]] = {}
    for push in pushes:
        by_source.setdefault(push.source, []).extend(push.samples)
    changed = [one for source, found in by_source.items() for one in write(found, source, now)]
    show(changed, now)
    for source, found in by_source.items():
        _note_push(source, len(found), now)


def _note_push(source: Source | None, count: int, now: float) -> None:
    """Note on what is pushed that it was, now and then: a write for each push would make all of them wait."""
    if source is None or source.kind != Source.PUSH:
        return
    if source.last_run_at is None or not 0 <= now - source.last_run_at.timestamp() < PUSH_NOTED_S:
        source.last_run_at, source.last_samples = datetime.fromtimestamp(now, UTC), count
        Source.objects.filter(pk=source.pk).update(last_run_at=source.last_run_at, last_samples=count)


def show(series: Sequence[Series], now: float) -> None:
    """Have the open widgets rendered that show one of `series`."""
    if not series:
        return
    try:
        watched = watchers.watched(now)
    except RedisError as error:
        outage.log("open pages were not told", error)
        return
    if watched:
        shown = widgets_by_slug({variant.slug for variant in watched}, series)
        events.mark_each({variant: shown[variant.slug] for variant in watched if variant.slug in shown})
