"""Rows that this release can't read, such as those of a later one: each is skipped, and logged once."""

from threading import Lock

import structlog
from django.db.models import Model

log = structlog.get_logger(__name__)

KNOWN_MOST = 10_000

_known: set[tuple[str, ...]] = set()
_lock = Lock()


def left_out(row: Model, problem: Exception) -> None:
    """Log that `row` is left out because of a `problem`, unless this process has logged it."""
    noun, said = str(row._meta.verbose_name), str(problem)[:300]
    if _is_news(noun, str(row.pk), said):
        log.warning("row can't be read", noun=noun, id=str(row.pk), error=said)


def failed(fact: str, problem: Exception) -> None:
    """Log that a `fact` is not known because of a `problem`, unless this process has logged it."""
    said = repr(problem)[:300]
    if _is_news(fact, said):
        log.error("fact is not known", fact=fact, error=said, exc_info=problem)


def _is_news(*said: str) -> bool:
    with _lock:
        if said in _known:
            return False
        if len(_known) >= KNOWN_MOST:
            _known.clear()
        _known.add(said)
        return True
