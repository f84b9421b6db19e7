"""Storing what StatsD's process gathered."""

from collections.abc import Sequence

import structlog

from metrics.actions.samples import accept, checked
from metrics.models import Source
from metrics.sample import Sample

log = structlog.get_logger(__name__)

SOURCE = "StatsD"


def store(samples: Sequence[Sample], now: float) -> None:
    """Store `samples`, but what is refused; nobody waits for an answer who could send it again."""
    source, _ = Source.objects.get_or_create(name=SOURCE, defaults={"kind": Source.PUSH})
    (accepted,) = accept([checked(samples, source, now, whole=False)], now)
    if accepted.refused:
        log.warning("samples refused", error=accepted.refused.sentence(len(samples)))
