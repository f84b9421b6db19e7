"""Keeping open pages current: rendering what changed, and what time itself changes."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from django.db.models import Q

from metrics.actions import facts, live_queries, variables
from metrics.health import store as health
from metrics.health import traffic
from metrics.live import bus, due, marks, snapshot, states, waiting, watchers
from metrics.live.states import WidgetState
from metrics.live.topic import DASHBOARD, VALUES, Topic
from metrics.models import Dashboard, Widget
from metrics.redis_state.round_trip import ask_all
from metrics.widgets import values
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.render import WidgetView, html, widget_views
from metrics.widgets.repeated import SECTION, origin
from metrics.widgets.repeated import layout as layout_of
from metrics.widgets.section import raised

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Renders of one process at once: threads share one processor, and mostly wait for the database."""
PERIOD_MOST_S = 30
"""At least this often every widget of a watched variant is rendered anew, whatever was marked."""

FORMS = {DASHBOARD: html, VALUES: values.texts}
"""For each kind of topic that is rendered, the function that makes fragments of view-models."""

_rendering = threading.BoundedSemaphore(AT_ONCE)


def render(variant: Topic) -> int:
    """Render what is marked of `variant`, publish it, and return how many widgets there were.

    Raises snapshot.OvertakenError if that took so long that a later render was published first.
    """
    with marks.turn(variant) as marked:
        if not marked.widgets:
            return 0
        dashboard = Dashboard.objects.filter(pk=variant.id).first()
        if dashboard is None or variant.range not in RANGES_S or variant.kind not in FORMS:
            return 0
        began = time.perf_counter()
        shown, layout = _shown(dashboard, marked.widgets, variant.chosen)
        before = snapshot.layout(variant)
        whole = marks.ALL in marked.widgets or layout != (layout and before)
        of_marked = [one for one in shown if origin(one.key) in marked.widgets]
        drawing = _Drawing(variant, dashboard.revision, marked)
        if whole and layout == before and 0 < len(of_marked) <= len(shown) // 2:
            known = snapshot.revision(variant)
            if known not in (0, dashboard.revision):  # somebody edited: what they changed comes first
                replace(drawing, revision=known).publish(of_marked, layout=layout)
        widgets = shown if whole else of_marked
        drawing.publish(widgets, whole=whole, layout=layout)
    traffic.rendered(time.perf_counter() - began)
    return len(widgets)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A drawing of a variant of the dashboard's `revision`, in the turn in which `marked` was."""

    variant: Topic
    revision: int
    marked: marks.Marked

    def publish(self, widgets: Sequence[Widget], *, layout: str, whole: bool = False) -> None:
        """Draw `widgets`, and send them to open pages; `whole` and `layout` are as for `bus.publish`."""
        variant, at = self.variant, time.time()
        live_queries.ask(widgets, variant.range, at, variant)
        known = facts.on(variant.id, widgets, at)
        views = widget_views(widgets, variant.range, at, known=known)
        fragments = FORMS[variant.kind](widgets, views)
        bus.publish(variant, fragments, self.revision, self.marked.since, self.marked.turn, whole=whole, layout=layout)
        if known.changes_at is not None and known.changes_at - at <= PERIOD_MOST_S:  # later, all is drawn anyway
            due.note(variant, known.changes_at)
        if variant.kind == DASHBOARD:
            states.store(
                variant, {widget.key: _state(view) for widget, view in zip(widgets, views, strict=True)}, whole
            )


def render_waiting() -> None:
    """Render the variants that wait, one after the other, until none does.

    In a process `AT_ONCE` threads do so; one more returns at once. That leaves the worker's other threads to what keeps
    the system going, even if every render hangs.
    """
    while waiting.length() and _rendering.acquire(blocking=False):
        try:
            while variant := waiting.take():
                _render_or_log(variant)
        finally:
            _rendering.release()  # what was added just before that found no thread, so look again


def _render_or_log(variant: Topic) -> None:
    try:
        render(variant)
    except snapshot.OvertakenError as error:
        log.info("render came too late", error=str(error))


def sweep(now: float) -> None:
    """Have rendered what nobody asked for: what was lost, and windows that time has moved on."""
    _, restarted, topics, members, forgotten = ask_all(
        health.sign("sweep", now),
        marks.redis_restarted(),
        watchers.looked_at(now),
        due.members(now),
        waiting.forgotten(),
    )
    watched = [variant for variant in topics if variant.range in RANGES_S]
    if restarted:
        for variant in watched:
            marks.free(variant)  # who held it when Redis died could not give it back
    begun = marks.begin_periods({variant: _period(variant, now) for variant in watched})
    with due.taken(members) as changed:
        begun |= changed.intersection(watched)
        marks.mark_each({variant: [marks.ALL] for variant in (watched if restarted else begun)})
    waiting.add(marks.marked(watched))
    if forgotten:
        waiting.wake()


def _state(view: WidgetView) -> WidgetState:
    level = "broken" if view.error else view.level.name if view.level else ""
    current = view.freshness
    return WidgetState(level, current.state, current.late_at, current.stale_at)


def _period(variant: Topic, now: float) -> int:
    return int(now // min(RANGES_S[variant.range][1], PERIOD_MOST_S))


def _shown(dashboard: Dashboard, marked: frozenset[str], chosen: str) -> tuple[list[Widget], str]:
    """Return the widgets that are drawn, with those that are `marked` among them, and a digest of which there are."""
    widgets = dashboard.widgets.all()
    if marks.ALL not in marked and not dashboard.variables:
        return raised(list(widgets.filter(Q(key__in=marked) | Q(kind=SECTION)))), ""
    shown = variables.drawn(dashboard, list(widgets), chosen)  # where a copy stands depends on all others
    return shown, layout_of(shown)
