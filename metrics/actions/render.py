"""Keeping open pages current: rendering what changed, and what time itself changes."""

import time

from metrics.actions import notice
from metrics.live import bus, events, health, traffic, watchers
from metrics.live.snapshot import Variant
from metrics.models import Dashboard, Widget
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.render import render_all

PERIOD_MOST_S = 30
"""At least this often every widget of a watched variant is rendered anew, whatever was marked."""


def render(variant: Variant) -> int:
    """Render what is marked of `variant`, publish it, and return how many widgets there were.

    Raises snapshot.OvertakenError if that took so long that a later render was published first.
    """
    with events.turn(variant) as marked:
        if not marked.widgets:
            return 0
        dashboard = Dashboard.objects.filter(slug=variant.slug).first()
        if dashboard is None or variant.range not in RANGES_S:
            return 0
        began = time.perf_counter()
        widgets = _widgets(dashboard, marked.widgets)
        at = time.time()
        fragments = {str(pk): html for pk, html in render_all(widgets, variant.range, at).items()}
        whole = events.ALL in marked.widgets
        if whole or events.NOTICE in marked.widgets:
            fragments[events.NOTICE] = notice.fragment(at)
        bus.publish(variant, fragments, dashboard.layout, marked.since, marked.turn, whole=whole)
    traffic.rendered(time.perf_counter() - began)
    return len(widgets)


def sweep(now: float) -> None:
    """Ask for renders that nobody asked for: lost requests, and windows that time has moved on."""
    health.record_sweep(now)
    restarted = events.redis_restarted()
    for variant in watchers.watched(now):
        if variant.range not in RANGES_S:
            continue
        if restarted:
            events.free(variant)  # who held it when Redis died could not give it back
        if _begins_period(variant, now) or restarted:
            events.mark(variant, [events.ALL])
        elif events.is_marked(variant):
            events.request(variant)


def _begins_period(variant: Variant, now: float) -> bool:
    period_s = min(RANGES_S[variant.range][1], PERIOD_MOST_S)
    return events.first_of_period(variant, int(now // period_s))


def _widgets(dashboard: Dashboard, marked: frozenset[str]) -> list[Widget]:
    widgets = dashboard.widgets.all()
    if events.ALL in marked:
        return list(widgets)
    return list(widgets.filter(pk__in=[int(mark) for mark in marked - {events.NOTICE}]))
