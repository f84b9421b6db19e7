"""A dashboard's page as it is loaded."""

from dataclasses import dataclass

from django.conf import settings
from redis import RedisError

from metrics.actions.notice import NOTHING_NEW, Notice, notice
from metrics.live import snapshot
from metrics.live.topic import variant
from metrics.models import Dashboard
from metrics.redis_state import outage
from metrics.widgets.render import WidgetView, widget_views


@dataclass(frozen=True, slots=True)
class Page:
    """A variant as it is loaded: its widgets, the notice, and the pulse that says which moment and version they show.

    `time` is server time in Unix seconds; `build` names the program, `revision` counts the dashboard's edits.
    """

    widgets: list[WidgetView]
    notice: Notice
    epoch: str
    version: int
    time: float
    build: str
    revision: int


def page(dashboard: Dashboard, range: str, at: float) -> Page:
    """Return the page of `dashboard` over `range` at `at`.

    The version is read before the samples are, so that what arrives in between is sent once more, not lost.
    """
    try:
        epoch, version = snapshot.version(variant(dashboard.pk, range))
        said = notice(at)
    except RedisError as error:  # the page can be drawn without; its socket will bring it up to date later
        outage.log("page drawn without a version", error)
        epoch, version, said = "", 0, Notice(outage.words(error), NOTHING_NEW)
    views = widget_views(list(dashboard.widgets.all()), range, at)
    return Page(views, said, epoch, version, at, settings.BUILD_ID, dashboard.revision)
