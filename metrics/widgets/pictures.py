"""Pictures for widgets that show one: those that are kept, and how fetching them stands."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from metrics import schedule
from metrics.models import Picture, PictureFetch, Widget
from metrics.widgets.image import ImageConfig, Kept

NOT_KEPT = "Of a picture that is fetched, only the newest is kept."
NOT_HERE = "This picture is not here: upload it again."


def give(widgets: Iterable[tuple[Widget, Any]], at: float) -> None:
    """Give each config among `widgets` that shows a picture the one that there is at `at` (Unix seconds)."""
    wanted = [(widget, config) for widget, config in widgets if isinstance(config, ImageConfig)]
    if not wanted:
        return
    dashboards = {widget.dashboard_id for widget, _ in wanted}
    hashes, keys = ({getattr(config, name) for _, config in wanted} - {""} for name in ("picture", "key"))
    uploaded = {
        (one.dashboard_id, one.hash): one
        for one in Picture.objects.filter(dashboard__in=dashboards, hash__in=hashes).defer("data")
    }
    fetched = {
        (one.dashboard_id, one.key): one
        for one in PictureFetch.objects.filter(Q(dashboard__in=dashboards), key__in=keys)
        .select_related("picture")
        .defer("picture__data")
    }
    for widget, config in wanted:
        if config.url:
            config.give(_fetched(widget, fetched.get((widget.dashboard_id, config.key)), at))
        else:
            found = uploaded.get((widget.dashboard_id, config.picture))
            config.give(_kept(widget, found) if found else Kept(problem=NOT_HERE))


def _kept(widget: Widget, picture: Picture, at: float | None = None, problem: str = "") -> Kept:
    src = reverse("dashboard-picture", args=[widget.dashboard.slug, picture.hash])
    return Kept(src, picture.width, picture.height, at, problem)


def _fetched(widget: Widget, found: PictureFetch | None, at: float) -> Kept:
    if found is None:
        return Kept()
    if found.picture is None or found.fetched_at is None:
        return Kept(problem=found.problem)
    fetched_at = found.fetched_at.timestamp()
    if fetched_at > at + schedule.CLOCKS_DIFFER_S:
        return Kept(problem=NOT_KEPT)
    return _kept(widget, found.picture, fetched_at, found.problem)
