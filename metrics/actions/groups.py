"""Pushing the values of a group: those that are not pushed again are gone."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from metrics.actions import samples as all_samples
from metrics.models import Series, Source
from metrics.sample import Sample, series_key
from metrics.series import groups


def push(
    group: str,
    samples: Sequence[Sample],
    names: Collection[str] | None,
    source: Source | None,
    now: float,
    also: Callable[[int], None] | None = None,
) -> int:
    """Store `samples` as the values of `group`, and return how many there are; the others of these `names` are gone.

    None for `names` means all others, whatever they are called. `also` and BadSamples are those of `samples.accept`.
    """
    gone: list[Series] = []

    def settle(accepted: int) -> None:
        gone.extend(groups.settle(group, {series_key(one.metric, one.labels) for one in samples}, names, now))
        if also:
            also(accepted)

    accepted = all_samples.accept(samples, source, now, settle, partial(groups.lock, group))
    all_samples.show(gone, now)
    return accepted
