"""Pushing the values of a group: those that are not pushed again are gone.

The token that makes a group owns it until it is revoked: or else any token with the scope push could have all that
others pushed vanish.
"""

from collections.abc import Collection

from django.db import transaction

from metrics.actions.errors import Forbidden
from metrics.actions.samples import Push, accept, after_write
from metrics.batch import Accepted
from metrics.sample import series_key
from metrics.series.write import group_owner, lock_group, settle_group


def replace(group: str, push: Push, names: Collection[str] | None, now: float, anybodys: bool = False) -> Accepted:
    """Store `push` as the values of `group`; the group's others of `names` are gone.

    None for `names` means all others. A group that belongs to another source than the push's raises Forbidden, or, if
    `anybodys`, stays that source's. Raises BadSamples as `samples.accept` does.
    """
    with transaction.atomic():
        lock_group(group)
        owner = group_owner(group) or push.source
        if owner != push.source and not anybodys:
            raise Forbidden(f"This group belongs to {owner}: only its token, or one with the scope admin, changes it.")
        (accepted,) = accept([push], now)
        keys = {series_key(one.metric, one.labels) for one in push.samples}
        gone = settle_group(group, keys, names, now, owner)
        after_write(gone, (), now)
    return accepted
