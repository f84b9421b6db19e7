"""Groups of series whose last values count until somebody says that they are gone, as in Prometheus' Pushgateway.

A series is in one group at most. When it leaves, its samples stay, but from that moment on none of them is the
newest value any more, until another one comes.
"""

import hashlib
from collections.abc import Collection, Set

from django.db import connection
from django.db.models import QuerySet

from metrics.models import Series

CHUNK = 500
"""Databases limit how many values one statement may have."""


def settle(group: str, keys: Set[str], names: Collection[str] | None, now: float) -> list[Series]:
    """Make `group` consist of the series with these `keys`, and of what is not called one of `names`.

    None for `names` means any name: then there is nothing else. Return the series that had to leave, at `now` (Unix
    seconds). Must be called in a transaction; others that settle the same group wait for its end.
    """
    number = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], signed=True)
    _lock(number)
    members = {one.key: one for one in Series.objects.filter(group=number)}
    leaving = [one for key, one in members.items() if key not in keys and (names is None or one.metric in names)]
    for some in _by_key([one.key for one in leaving]):
        some.update(group=None, ended_at_ms=round(now * 1000))
    for some in _by_key(sorted(keys - members.keys())):
        some.update(group=number)
    return leaving


def _by_key(keys: list[str]) -> "list[QuerySet[Series]]":
    return [Series.objects.filter(key__in=keys[start : start + CHUNK]) for start in range(0, len(keys), CHUNK)]


def _lock(number: int) -> None:
    """Wait for whoever settles this group, until their transaction ends. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
