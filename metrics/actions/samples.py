"""The one way in for samples, pulled or pushed: `accept([checked(samples, source, now)], now)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from django.db import transaction
from redis import RedisError

from metrics.actions import evaluation
from metrics.actions.shown import widgets_by_variant
from metrics.batch import Accepted, Refused, sift
from metrics.database import after_commit
from metrics.live import marks, watchers
from metrics.models import Series, Source
from metrics.redis_state import outage
from metrics.sample import BadSamples, Metadata, Sample, series_key
from metrics.series.write import TooManySeries, describe_metrics, write
from metrics.times import datetime_of

PUSH_NOTED_S = 10
TRIES = 2
"""To leave out the new series for which there is no room, since others may be made meanwhile."""


@dataclass(frozen=True, slots=True)
class Push:
    """Checked samples for `source`, with their `places` in what arrived, and what was `refused` of it.

    A `whole` push is stored with all of its samples, or not at all.
    """

    samples: Sequence[Sample]
    source: Source | None
    places: Sequence[int]
    refused: Refused
    whole: bool


def checked(
    samples: Sequence[Sample],
    source: Source | None,
    now: float,
    *,
    places: Sequence[int] = (),
    refused: Refused | None = None,
    whole: bool = True,
) -> Push:
    """Return those of `samples` that can be stored; the others are refused by their `places`, or their index.

    `refused` is what was refused before. Raises BadSamples if the push is to be `whole` and anything is refused.
    """
    sifted, refused = sift(samples, now, places), refused or Refused()
    refused.update(sifted.refused)
    if whole and refused:
        raise BadSamples(refused.problems)
    return Push(sifted.good, source, sifted.places, refused, whole)


def accept(pushes: Sequence[Push], now: float) -> list[Accepted]:
    """Store `pushes` in one transaction; once it commits, have the open widgets rendered that show their series.

    Return how many samples of each push are stored. Samples of new series for which there is no room are refused.
    Raises BadSamples if a whole push has some, or if others make new series all the while: then nothing is stored.
    """
    for _ in range(TRIES):
        try:
            return _store(pushes, now)
        except TooManySeries as many:
            if all(push.whole for push in pushes):
                raise
            pushes = [push if push.whole else _without(many, push) for push in pushes]
    return _store(pushes, now)


def _store(pushes: Sequence[Push], now: float) -> list[Accepted]:
    by_source: dict[Source | None, list[Sample]] = {}
    # In one order for all processes: two that lock the same rows in different orders would deadlock.
    for push in sorted(pushes, key=lambda push: push.source.pk if push.source else 0):
        by_source.setdefault(push.source, []).extend(push.samples)
    with transaction.atomic():
        changed = [one for source, samples in by_source.items() if samples for one in write(samples, source, now)]
        counts = {source: len(samples) for source, samples in by_source.items() if source is not None}
        stored = [sample for samples in by_source.values() for sample in samples]
        after_write(changed, stored, now)
        after_commit(_note_pushes, counts, now)
    return [Accepted(len(push.samples), push.refused) for push in pushes]


def _without(many: TooManySeries, push: Push) -> Push:
    """Return `push` without the samples of series for which there is no room."""
    fits = [series_key(one.metric, one.labels) not in many.keys for one in push.samples]
    for place, fit in zip(push.places, fits, strict=True):
        if not fit:
            push.refused.add(place, [(many.problems[0].field, many.problems[0].message)])
    return replace(push, samples=list(compress(push.samples, fits)), places=list(compress(push.places, fits)))


def after_write(changed: Sequence[Series], samples: Sequence[Sample], now: float) -> None:
    """Have series that `changed`, with these `samples`, shown and looked at by rules once it is committed.

    Each is done whatever becomes of the other; whoever sent the samples has been promised neither.
    """
    after_commit(_show, changed, now)
    after_commit(evaluation.note, changed, samples, now)


def _note_pushes(counts: Mapping[Source, int], now: float) -> None:
    for source, count in counts.items():
        _note_push(source, count, now)


def _note_push(source: Source, count: int, now: float) -> None:
    """Note on what is pushed that it was, now and then: a write for each push would make all of them wait."""
    if source.kind != Source.PUSH:
        return
    if source.last_run_at is None or not 0 <= now - source.last_run_at.timestamp() < PUSH_NOTED_S:
        source.last_run_at, source.last_samples = datetime_of(now), count
        Source.objects.filter(pk=source.pk).update(last_run_at=source.last_run_at, last_samples=count)


def _show(series: Sequence[Series], now: float) -> None:
    """Have the open widgets rendered that show one of `series`."""
    if not series:
        return
    try:
        watched = watchers.watched(now)
    except RedisError as error:
        outage.log("open pages were not told", error)
        return
    if watched:
        marks.mark_each(widgets_by_variant(watched, series))


def describe(metadata: Mapping[str, Metadata], source: Source | None) -> None:
    """Keep the `metadata` of metrics, by name, with the series of `source` that there are."""
    describe_metrics(metadata, source)
