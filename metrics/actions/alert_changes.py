"""Changes of alerts, and of other facts that widgets show, told to every process that shows them, once committed.

The journal notes them, so whatever changes a state or who has taken it is told: one small message for a transaction,
however much it changed. Widgets that show such a fact, or a series that has an alert, are drawn anew.
"""

import time
from collections.abc import Collection, Iterable, Sequence

import structlog
from django.db import connection, transaction
from redis import RedisError

from metrics.actions import down, shown
from metrics.health import store as health
from metrics.live import bus, marks, watchers
from metrics.live.topic import Topic
from metrics.models import Alert, Series, Widget
from metrics.redis_state import outage
from metrics.widgets.annotated import ALL, INCIDENT
from metrics.widgets.facts import annotating, annotations_of, kinds_by_fact
from metrics.widgets.ranges import RANGES_S

log = structlog.get_logger(__name__)

DRAWN = "incident as drawn"
"""The noun of incidents whose begin, end, title or severity changes, which charts draw."""
FACTS: dict[str, frozenset[str]] = {
    "alert": frozenset({"alerts"}),
    "acknowledgement": frozenset({"untold"}),
    "incident": frozenset({"alerts"}),
    DRAWN: frozenset({"incidents"}),
    "sighting": frozenset({"alerts"}),
    "rule": frozenset({"alerts", "untold"}),
    "schedule": frozenset({"on_call", "untold"}),
    "maintenance": frozenset({"maintenance", "untold"}),
    "annotation": frozenset({"annotations"}),
    **dict.fromkeys(("silence", "source", "heartbeat", "channel", "escalation", "alertwebhook"), frozenset({"untold"})),
}
"""The facts that the things of each noun are part of, as widgets need them."""
NOTED = ("annotations", "incidents")
"""Facts that charts mark."""
COUNTED = ("maintenance", "untold", *NOTED)
"""Facts that processes remember until they change, beside alerts."""


class _Hint:
    """A call after the commit, for the alerts (ids) that a transaction changed, and the tags of annotations."""

    def __init__(self) -> None:
        self.__qualname__ = "_Hint"  # Django logs it when a call fails
        self.alerts: set[int] = set()
        self.nouns: set[str] = set()
        self.tags: set[str] = set()

    def __call__(self) -> None:
        try:
            changed = frozenset[str]().union(*(FACTS[noun] for noun in self.nouns))
            if "alerts" in changed:
                counted = down.with_alerts(health.down())
                health.record_down(counted)
                bus.alerts_changed(health.next_number_of("alerts"), counted.alerts, counted.critical)
            for fact in changed.intersection(COUNTED):
                health.next_number_of(fact)
            variants = [one for one in watchers.watched(time.time()) if one.range in RANGES_S]
            if "maintenance" in changed:  # any chart may show it
                marks.mark_each({variant: [marks.ALL] for variant in variants})
            else:
                marks.mark_each(_widgets(self.alerts, changed, self.tags, variants))
        except RedisError as error:
            outage.log("open pages were not told of alerts", error)


def did(noun: str, thing: str | int) -> None:
    """Have open pages told that people did something to a thing (id): of an alert, that is to take it, or not."""
    note(noun, [thing])
    if noun == "alert":
        note("acknowledgement")


def note(noun: str, things: Iterable[str | int] = (), tags: Iterable[str] = ()) -> None:
    """Have open pages told that `things` (ids) changed, after the commit, if `noun` is shown on them.

    Of annotations, `tags` are those before and after.
    """
    if noun not in FACTS:
        return
    waiting = next((one[1] for one in connection.run_on_commit if isinstance(one[1], _Hint)), None)
    hint = waiting or _Hint()
    hint.nouns.add(noun)
    hint.tags.update([INCIDENT] if noun == DRAWN else tags)
    if noun == "alert":
        hint.alerts.update(map(int, things))
    if waiting is None:
        transaction.on_commit(hint, robust=True)


def _widgets(
    alerts: Collection[int], changed: frozenset[str], tags: Collection[str], variants: Sequence[Topic]
) -> dict[Topic, list[str]]:
    """Return the keys of widgets to draw, by variant: those of facts that `changed`, and of a series of `alerts`.

    Of annotations those are the widgets that show one of `tags`.
    """
    if not variants:
        return {}
    looked_at = Alert.objects.filter(pk__in=alerts).values_list("rule__metric", "series")
    series = [Series(metric=metric, labels=labels) for metric, labels in looked_at]
    found: dict[Topic, list[str]] = dict(shown.widgets_by_variant(variants, series)) if series else {}
    ids = {one.id for one in variants}
    kinds = {kind for kind, fact in kinds_by_fact().items() if fact in changed}
    annotated = annotating().keys() if changed.intersection(NOTED) else ()
    rows = Widget.objects.filter(kind__in={*kinds, *annotated}, dashboard__in=ids).order_by()
    for dashboard, key, kind, config in rows.values_list("dashboard_id", "key", "kind", "config"):
        if kind not in kinds and not any(
            one in tags or one == ALL or "$" in one for one in annotations_of(kind, config)
        ):
            continue
        for variant in variants:
            if variant.id == dashboard:
                found[variant] = [*found.get(variant, ()), key]
    return found
