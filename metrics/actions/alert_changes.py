"""Changes of alerts and incidents, told to every process that shows them, once they are committed.

The journal notes them, so whatever changes a state or who has taken it is told: one small message for a transaction,
however much it changed. Widgets that show alerts, or a series that has one, are drawn anew.
"""

import time
from collections.abc import Collection, Iterable

import structlog
from django.db import connection, transaction
from redis import RedisError

from metrics.actions import down, shown
from metrics.health import store as health
from metrics.live import bus, marks, watchers
from metrics.live.topic import Topic
from metrics.models import Alert, Series, Widget
from metrics.redis_state import outage
from metrics.widgets.ranges import RANGES_S

log = structlog.get_logger(__name__)

KIND = "alerts"
NOUNS = frozenset({"alert", "incident", "rule"})


class _Telling:
    """A call after the commit, for the alerts (ids) that a transaction changed."""

    def __init__(self) -> None:
        self.alerts: set[int] = set()

    def __call__(self) -> None:
        try:
            counted = down.with_alerts(health.down())
            health.record_down(counted)
            bus.alerts_changed(health.next_alerts_number(), counted.alerts, counted.critical)
            marks.mark_each(_widgets(self.alerts, watchers.watched(time.time())))
        except RedisError as error:
            outage.log("open pages were not told of alerts", error)


def note(noun: str, things: Iterable[str | int] = ()) -> None:
    """Have open pages told that `things` (ids) changed, after the commit, if `noun` is shown on them."""
    if noun not in NOUNS:
        return
    waiting = next((one[1] for one in connection.run_on_commit if isinstance(one[1], _Telling)), None)
    if waiting is None:
        waiting = _Telling()
        transaction.on_commit(waiting, robust=True)
    if noun == "alert":
        waiting.alerts.update(map(int, things))


def _widgets(alerts: Collection[int], watched: Iterable[Topic]) -> dict[Topic, list[str]]:
    """Return the keys of widgets to draw, by variant: those that list alerts, and those with a series of `alerts`."""
    variants = [one for one in watched if one.range in RANGES_S]
    if not variants:
        return {}
    looked_at = Alert.objects.filter(pk__in=alerts).values_list("rule__metric", "series")
    series = [Series(metric=metric, labels=labels) for metric, labels in looked_at]
    found: dict[Topic, list[str]] = dict(shown.widgets_by_variant(variants, series)) if series else {}
    ids = {one.id for one in variants}
    lists = Widget.objects.filter(kind=KIND, dashboard__in=ids).order_by().values_list("dashboard_id", "key")
    for dashboard, key in lists:
        for variant in variants:
            if variant.id == dashboard:
                found[variant] = [*found.get(variant, ()), key]
    return found
