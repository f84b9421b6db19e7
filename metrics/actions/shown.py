"""Widgets that show a series: the queries of dashboards, cached until their revision changes.

With many open dashboards, reading and parsing all their widgets would be most of what storing a sample costs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from metrics.live.topic import Topic
from metrics.models import Dashboard, Series, Widget
from metrics.series.read import Query
from metrics.widgets.filled import narrowed
from metrics.widgets.variables import read

ByMetric = Mapping[str, Sequence[tuple[str, Query]]]
"""Keys of widgets and their queries, by the metric that these name."""
CHOICES_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Cached:
    """Queries of a revision, with labels as they are written, and by what is chosen of variables."""

    revision: int
    queries: ByMetric
    by_choice: dict[str, ByMetric] = field(default_factory=dict)

    def of(self, chosen: str) -> ByMetric:
        """Return the queries as they are when this is `chosen`, without labels that may have any value then."""
        found = self.by_choice.get(chosen)
        if found is None:
            if len(self.by_choice) >= CHOICES_MOST:
                self.by_choice.clear()
            values = read(chosen)
            found = self.by_choice[chosen] = {
                metric: [(key, Query(metric, narrowed(query.labels, values))) for key, query in those]
                for metric, those in self.queries.items()
            }
        return found


_cache: dict[int, _Cached] = {}
_lock = Lock()  # threads that begin together need not all read the same


def widgets_by_variant(variants: Collection[Topic], series: Sequence[Series]) -> dict[Topic, list[str]]:
    """Return the keys of the widgets that show one of `series`, by variant, of `variants`.

    A label that is a variable's may have any value where the variant has the default.
    """
    labels = defaultdict(list)
    for one in series:
        labels[one.metric].append(one.labels)
    known = _queries({variant.id for variant in variants})
    asked = {(variant.id, variant.chosen) for variant in variants if variant.id in known}
    found = {(pk, chosen): _matching(known[pk].of(chosen), labels) for pk, chosen in asked}
    return {variant: keys for variant in variants if (keys := found.get((variant.id, variant.chosen)))}


def dashboards_of(series: Series, dashboards: Iterable[int]) -> list[int]:
    """Return those of `dashboards` (ids), in their order, with a widget that shows `series`."""
    wanted = list(dashboards)
    found = _read(wanted)
    labels = {series.metric: [series.labels]}
    return [pk for pk in wanted if _matching(found[pk], labels)]


def forget() -> None:
    """Empty the cache."""
    _cache.clear()


def _matching(queries: ByMetric, labels: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    return sorted(
        {
            widget
            for metric in queries.keys() & labels.keys()
            for widget, query in queries[metric]
            if any(query.matches(metric, one) for one in labels[metric])
        }
    )


def _queries(dashboards: Collection[int]) -> dict[int, _Cached]:
    """Return the queries of `dashboards` (ids), and remember those of no others."""
    with _lock:
        # The revision is read first: should the widgets be newer, then so will be the next revision that is read.
        newest = dict(Dashboard.objects.filter(pk__in=dashboards).order_by().values_list("pk", "revision"))
        known = {pk: one for pk, revision in newest.items() if (one := _cache.get(pk)) and one.revision == revision}
        unknown = {pk: revision for pk, revision in newest.items() if pk not in known}
        known |= {pk: _Cached(unknown[pk], queries) for pk, queries in _read(unknown).items()}
        _cache.clear()
        _cache.update(known)
    return known


def _read(dashboards: Iterable[int]) -> dict[int, ByMetric]:
    found: dict[int, dict[str, list[tuple[str, Query]]]] = {pk: defaultdict(list) for pk in dashboards}
    if found:
        widgets = Widget.objects.filter(dashboard__in=found).order_by().values_list("dashboard_id", "key", "config")
        for dashboard, widget, config in widgets:
            for query in _queries_of(config):
                found[dashboard][query.metric].append((widget, query))
    return {pk: dict(queries) for pk, queries in found.items()}


def _labels(labels: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in labels.items() if isinstance(value, str | list)}


def _queries_of(config: Any) -> list[Query]:
    try:
        return [
            Query(str(one["metric"]), _labels(one.get("labels") or {}))
            for one in config["queries"]
            if "promql" not in one
        ]
    except (KeyError, TypeError, AttributeError):  # a config that was not checked when it was made
        return []
