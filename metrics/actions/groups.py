"""Pushing the values of a group: those that are not pushed again are gone.

A group is theirs who made it, as long as their token is not revoked: whoever may push could otherwise have all that
others pushed vanish.
"""

from collections.abc import Callable, Collection, Sequence

from metrics.actions import samples as all_samples
from metrics.actions.problems import Forbidden
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
    anybodys: bool = False,
) -> int:
    """Store `samples` as the values of `group`, and return how many there are; the others of these `names` are gone.

    None for `names` means all others, whatever they are called. `anybodys` is whether the group may be that of a source
    other than `source`, whose it then stays; else that raises Forbidden. `also` and BadSamples are those of
    `samples.accept`.
    """
    gone: list[Series] = []
    owner = source

    def claim() -> None:
        nonlocal owner
        groups.lock(group)
        owner = groups.owner(group) or source
        if owner != source and not anybodys:
            raise Forbidden(f"This group belongs to {owner}: only its token, or one with the scope admin, changes it.")

    def settle(accepted: int) -> None:
        keys = {series_key(one.metric, one.labels) for one in samples}
        gone.extend(groups.settle(group, keys, names, now, owner))
        if also:
            also(accepted)

    accepted = all_samples.accept(samples, source, now, settle, claim)
    all_samples.show(gone, now)
    return accepted
