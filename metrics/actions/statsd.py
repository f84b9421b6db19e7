"""Storing what StatsD's process gathered."""

from collections.abc import Sequence

import structlog

from metrics.actions.samples import accept
from metrics.models import Series, Source
from metrics.sample import BadSamples, Sample, series_key

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
            # Of very many, not all are told at once. Without an index it is about all; new ones may be the cause.
            good = _known(samples) if None in bad else [one for index, one in enumerate(samples) if index not in bad]
            samples = good if len(good) < len(samples) else []


def _known(samples: Sequence[Sample]) -> list[Sample]:
    """Return those of `samples` whose series there are already."""
    keys = [series_key(one.metric, one.labels) for one in samples]
    known = set(Series.objects.filter(key__in=keys).values_list("key", flat=True))
    return [one for key, one in zip(keys, samples, strict=True) if key in known]


def _name(samples: Sequence[Sample], refused: BadSamples) -> str:
    index = refused.problems[0].index
    return "" if index is None else samples[index].metric
