"""Facts about metrics that arrive apart from their samples."""

from collections import defaultdict
from collections.abc import Mapping

from metrics.models import Series, Source
from metrics.sample import About


def describe_metrics(about: Mapping[str, About], source: Source | None) -> None:
    """Have the series of `source` keep what is said `about` their metrics, by name, if it is news."""
    metrics: dict[About, list[str]] = defaultdict(list)
    for metric, said in about.items():
        metrics[said].append(metric)
    for said, names in metrics.items():
        news = {name: value for name, value in (("type", said.type), ("unit", said.unit)) if value is not None}
        if news:
            Series.objects.filter(source=source, metric__in=names).exclude(**news).update(**news)
