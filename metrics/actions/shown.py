"""Which widgets show which series: the queries of dashboards, remembered for as long as their revision is the newest.

With many open dashboards, reading and parsing all their widgets would be most of what storing a sample costs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from metrics.models import Dashboard, Series, Widget
from metrics.series.read import Query

ByMetric = Mapping[str, Sequence[tuple[str, Query]]]
"""Keys of widgets and their queries, by the metric that these name."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    revision: int
    queries: ByMetric


_remembered: dict[int, _Remembered] = {}
_lock = Lock()  # threads that begin together need not all read the same


def widgets_by_dashboard(dashboards: Collection[int], series: Sequence[Series]) -> dict[int, list[str]]:
    """Return the keys of the widgets that show one of `series`, by dashboard, of `dashboards` (ids)."""
    labels = defaultdict(list)
    for one in series:
        labels[one.metric].append(one.labels)
    found = {pk: _matching(queries, labels) for pk, queries in _queries(dashboards).items()}
    return {pk: widgets for pk, widgets in found.items() if widgets}


def forget() -> None:
    """Remember nothing any more."""
    _remembered.clear()


def _matching(queries: ByMetric, labels: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    return sorted(
        {
            widget
            for metric in queries.keys() & labels.keys()
            for widget, query in queries[metric]
            if any(query.matches(metric, one) for one in labels[metric])
        }
    )


def _queries(dashboards: Collection[int]) -> dict[int, ByMetric]:
    """Return the queries of `dashboards` (ids), and remember those of no others."""
    with _lock:
        # The revision is read first: should the widgets be newer, then so will be the next revision that is read.
        newest = dict(Dashboard.objects.filter(pk__in=dashboards).order_by().values_list("pk", "revision"))
        known = {
            pk: one for pk, revision in newest.items() if (one := _remembered.get(pk)) and one.revision == revision
        }
        unknown = {pk: revision for pk, revision in newest.items() if pk not in known}
        known |= {pk: _Remembered(unknown[pk], queries) for pk, queries in _read(unknown).items()}
        _remembered.clear()
        _remembered.update(known)
    return {pk: known[pk].queries for pk in newest}


def _read(dashboards: Iterable[int]) -> dict[int, ByMetric]:
    found: dict[int, dict[str, list[tuple[str, Query]]]] = {pk: defaultdict(list) for pk in dashboards}
    if found:
        widgets = Widget.objects.filter(dashboard__in=found).order_by().values_list("dashboard_id", "key", "config")
        for dashboard, widget, config in widgets:
            for query in _queries_of(config):
                found[dashboard][query.metric].append((widget, query))
    return {pk: dict(queries) for pk, queries in found.items()}


def _known(labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels that are the same for everyone: what stands in a variable may be any value."""
    return {name: value for name, value in labels.items() if "$" not in str(value)}


def _queries_of(config: Any) -> list[Query]:
    try:
        return [Query(str(one["metric"]), _known(one.get("labels") or {})) for one in config["queries"]]
    except (KeyError, TypeError, AttributeError):  # a config that was not checked when it was made
        return []
