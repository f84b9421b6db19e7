"""Metadata of metrics that arrives apart from their samples."""

from collections import defaultdict
from collections.abc import Mapping

from metrics.models import Series, Source
from metrics.sample import Metadata


def describe_metrics(metadata: Mapping[str, Metadata], source: Source | None) -> None:
    """Have the series of `source` keep the `metadata` of their metrics, by name, if it is news."""
    metrics: dict[Metadata, list[str]] = defaultdict(list)
    for metric, said in metadata.items():
        metrics[said].append(metric)
    for said, names in metrics.items():
        news = {name: value for name, value in (("type", said.type), ("unit", said.unit)) if value is not None}
        if news:
            Series.objects.filter(source=source, metric__in=names).exclude(**news).update(**news)
