"""A dashboard's page as it is loaded."""

from dataclasses import dataclass

from django.conf import settings
from redis import RedisError

from metrics.actions import facts, live_queries, variables
from metrics.live import snapshot
from metrics.live.topic import variant
from metrics.models import Dashboard
from metrics.redis_state import outage
from metrics.widgets.render import WidgetView, widget_views
from metrics.widgets.repeated import layout

SERVERS_S = 0.5
"""Time that servers which are asked live have to answer; what comes later comes over the socket."""


@dataclass(frozen=True, slots=True)
class Page:
    """A variant as it is loaded: its widgets, and the pulse that says which moment and version they show.

    `time` is server time in Unix seconds; `build` names the program, `revision` counts the dashboard's edits, and
    `layout` is a digest of which widgets there are, empty if that never changes by itself.
    """

    widgets: list[WidgetView]
    epoch: str
    version: int
    time: float
    build: str
    revision: int
    layout: str = ""


def page(dashboard: Dashboard, range: str, at: float, chosen: str = "", key: str = "") -> Page:
    """Return the page of `dashboard` over `range` at `at`, with the values of its variables that are `chosen`.

    With a `key` it has that widget alone, if there is one; what its socket brings of others finds no place on it.

    The version is read before the samples are, so that what arrives in between is sent once more, not lost.
    """
    try:
        epoch, version = snapshot.version(variant(dashboard.pk, range, chosen))
    except RedisError as error:  # the page can be drawn without; its socket will bring it up to date later
        outage.log("page drawn without a version", error)
        epoch, version = "", 0
    widgets = variables.drawn(dashboard, list(dashboard.widgets.all()), chosen)
    shown = [one for one in widgets if key in ("", one.key)]
    live_queries.wait(shown, range, at, at, most_s=SERVERS_S)
    views = widget_views(shown, range, at, known=facts.on(dashboard.pk, shown, at))
    return Page(views, epoch, version, at, settings.BUILD_ID, dashboard.revision, layout(widgets))
