"""Rows that this release can't read, such as those of a later one: each is left out, and logged once by a process."""

from threading import Lock

import structlog
from django.db.models import Model

log = structlog.get_logger(__name__)

KNOWN_MOST = 10_000

_known: set[tuple[str, object, str]] = set()
_lock = Lock()


def left_out(row: Model, problem: Exception) -> None:
    """Log that `row` is left out because of a `problem`, unless this process has logged it."""
    noun = str(row._meta.verbose_name)
    said = str(problem)[:300]
    with _lock:
        if (noun, row.pk, said) in _known:
            return
        if len(_known) >= KNOWN_MOST:
            _known.clear()
        _known.add((noun, row.pk, said))
    log.warning("row can't be read", noun=noun, id=str(row.pk), error=said)
