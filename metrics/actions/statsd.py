"""Storing what StatsD's process gathered."""

from collections.abc import Sequence

import structlog

from metrics.actions.samples import accept
from metrics.models import Source
from metrics.sample import BadSamples, Sample

log = structlog.get_logger(__name__)

SOURCE = "StatsD"


def store(samples: Sequence[Sample], now: float) -> None:
    """Store `samples`, but what is refused; nobody waits for an answer who could send it again."""
    source, _ = Source.objects.get_or_create(name=SOURCE, defaults={"kind": Source.PUSH})
    while samples:
        try:
            accept(samples, source, now)
            return
        except BadSamples as refused:
            bad = {problem.index for problem in refused.problems}
            log.warning("samples refused", error=str(refused), metric=_name(samples, refused))
            # Without an index it is all of them. Of very many, not all are told at once.
            samples = [] if None in bad else [one for index, one in enumerate(samples) if index not in bad]


def _name(samples: Sequence[Sample], refused: BadSamples) -> str:
    index = refused.problems[0].index
    return "" if index is None else samples[index].metric
