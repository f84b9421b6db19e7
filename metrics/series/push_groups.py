"""Groups of series whose last values count until somebody says that they are gone, as in Prometheus' Pushgateway.

A series is in one group at most. When it leaves, its samples stay, but from that moment on none of them is the
newest value any more, until another one comes.
"""

import hashlib
from collections.abc import Collection, Set

from django.db import connection
from django.db.models import QuerySet

from metrics.models import Series, Source
from metrics.series.newest import newest

CHUNK = 500
"""Databases limit how many values one statement may have."""
LATER_MOST_MS = 600_000


def lock_group(group: str) -> None:
    """Wait for who else pushes `group`, and have others wait until the transaction ends that is under way.

    It has to come first in there: who holds rows and then waits for another may wait for ever. SQLite has one writer at
    a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(group)])


def group_owner(group: str) -> Source | None:
    """Return whose token made `group`; None if it is nobody's, or that token is revoked."""
    return Source.objects.filter(token__isnull=False, pk__in=_members(group).values("group_owner")).first()


def settle_group(
    group: str, keys: Set[str], names: Collection[str] | None, now: float, owner: Source | None = None
) -> list[Series]:
    """Make `group`, which is its `owner`'s, consist of the series with these `keys`, and what is not one of `names`.

    None for `names` means any name: then there is nothing else. Return the series that had to leave, at `now` (Unix
    seconds).
    """
    number, now_ms = _number(group), round(now * 1000)
    members = {one.key: one for one in _members(group)}
    leaving = [one for key, one in members.items() if key not in keys and (names is None or one.metric in names)]
    _end(leaving, now_ms)
    for some in _by_key(sorted(keys - members.keys())):
        some.update(group=number)
        # The push that waited longer is the last one and counts, though its time is earlier.
        some.filter(ended_at_ms__gte=now_ms).update(ended_at_ms=None)
    if owner is not None:
        _members(group).exclude(group_owner=owner).update(group_owner=owner)
    return leaving


def _end(leaving: list[Series], now_ms: int) -> None:
    """End series now; or with the newest sample, which is later if its push did not wait as long as this one."""
    last = newest(dict.fromkeys([one.pk for one in leaving], now_ms + LATER_MOST_MS), 1)
    for one in leaving:
        one.group, one.group_owner = None, None
        one.ended_at_ms = max([now_ms, *(at_ms for at_ms, _ in last.get(one.pk, []))])
    Series.objects.bulk_update(leaving, ["group", "group_owner", "ended_at_ms"], batch_size=CHUNK)


def _by_key(keys: list[str]) -> "list[QuerySet[Series]]":
    return [Series.objects.filter(key__in=keys[start : start + CHUNK]) for start in range(0, len(keys), CHUNK)]


def _members(group: str) -> "QuerySet[Series]":
    return Series.objects.filter(group=_number(group))


def _number(group: str) -> int:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], signed=True)
