"""How many series there are, and which labels make them so many."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from metrics.models import Series, Source

_SERIES = Series._meta.db_table


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a metric: its `name`, and how many different `values` it has."""

    name: str
    values: int


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with its number of `series`, and its `labels`, the one with most values first."""

    name: str
    series: int
    labels: tuple[Label, ...]


def largest_metrics(most: int, hidden: Collection[int] = ()) -> list[Metric]:
    """Return the metrics with most series, but for those of the sources `hidden` (ids)."""
    seen = Series.objects.exclude(source__in=hidden) if hidden else Series.objects.all()
    rows = list(seen.order_by().values_list("metric").annotate(n=Count("pk")).order_by("-n", "metric")[:most])
    labels = labels_of([name for name, _ in rows], hidden=hidden)
    return [Metric(name, count, tuple(labels.get(name, []))) for name, count in rows]


def largest_sources(most: int, hidden: Collection[int] = ()) -> list[tuple[Source, int]]:
    """Return the sources with most series, but for those that are `hidden` (ids), and how many that is."""
    found = Source.objects.exclude(pk__in=hidden).annotate(n=Count("series")).order_by("-n", "name")[:most]
    return [(source, source.n) for source in found if source.n]


def values_of(label: str, metric: str = "", hidden: Collection[int] = (), most: int = 1000) -> list[str]:
    """Return the values of `label`: of every series, or of those of `metric`; at most so many.

    Those of the sources `hidden` (ids) do not count.
    """
    value = "s.labels ->> %s" if connection.vendor == "postgresql" else "json_extract(s.labels, %s)"
    places = ", ".join(["%s"] * len(hidden))
    not_hidden = f"AND (s.source_id IS NULL OR s.source_id NOT IN ({places}))" if hidden else ""
    sql = f"""
        SELECT DISTINCT value FROM (
            SELECT {value} AS value FROM {_SERIES} s WHERE {"s.metric = %s" if metric else "TRUE"} {not_hidden}) every
        WHERE value IS NOT NULL ORDER BY value LIMIT %s"""
    name = label if connection.vendor == "postgresql" else f'$."{label}"'
    with connection.cursor() as cursor:
        cursor.execute(sql, [name, *([metric] if metric else []), *hidden, most])
        return [value for (value,) in cursor.fetchall()]


def labels_of(
    metrics: Sequence[str], source: int | None = None, hidden: Collection[int] = ()
) -> dict[str, list[Label]]:
    """Return the labels of each of `metrics`, the one with most values first: of every series, or those of `source`.

    Those of the sources `hidden` do not count.
    """
    if not metrics:
        return {}
    if connection.vendor == "postgresql":
        entries, value = "jsonb_each_text(s.labels) e(name, value)", "e.value"
    else:
        entries, value = "json_each(s.labels) e", "e.atom"
    name = "e.name" if connection.vendor == "postgresql" else "e.key"
    places, others = (", ".join(["%s"] * len(many)) for many in (metrics, hidden))
    not_hidden = f"AND (s.source_id IS NULL OR s.source_id NOT IN ({others}))" if hidden else ""
    sql = f"""
        SELECT s.metric, {name}, count(DISTINCT {value}) FROM {_SERIES} s, {entries}
        WHERE s.metric IN ({places}) {"" if source is None else "AND s.source_id = %s"} {not_hidden} GROUP BY 1, 2"""
    found: dict[str, list[Label]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*metrics, *([] if source is None else [source]), *hidden])
        for metric, label, values in cursor.fetchall():
            found[metric].append(Label(label, values))
    return {metric: sorted(labels, key=lambda one: (-one.values, one.name)) for metric, labels in found.items()}
