"""Progress of rolling, packing and pruning: a row each, which is also the lock of the process that works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction

from metrics.models import Progress
from metrics.prepared_query import PreparedQuery

MINUTES = "minutes"
"""Minutes before this are rolled."""
HOURS = "hours"
"""Hours before this are rolled."""
LATE = "late"
PACKED = "packed"
"""Samples before this may be in chunks."""
MINUTES_PACKED = "minutes packed"
"""Minutes before this may be in chunks."""
HOURS_PACKED = "hours packed"
"""Hours before this may be in chunks."""
PRUNED = "pruned"
"""When the last round of pruning began."""
RAW_PRUNED = "raw pruned"
"""Of some series, samples before this are gone."""
MINUTES_PRUNED = "minutes pruned"
"""Of some series, minutes before this are gone."""

HasTime = Callable[[], bool]
"""Whether there is time for another portion."""

_FAR = PreparedQuery(lambda: Progress.objects.values_list("name", "until_ms"))


def always() -> bool:
    return True


@contextmanager
def held(name: str) -> Iterator[Progress | None]:
    """Hold the row `name` for one transaction, around the block; None if somebody else holds it just now."""
    Progress.objects.get_or_create(name=name)
    with transaction.atomic():
        yield Progress.objects.select_for_update(skip_locked=True).filter(name=name).first()


def all_until_ms() -> dict[str, int]:
    """Return how far each has got, in Unix milliseconds; what never began is missing."""
    return dict(_FAR.rows())
