"""Dashboards: the page as it is loaded, making them, checking and noting their edits."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from pydantic import ValidationError
from redis import RedisError

from metrics.actions.notice import Notice, notice
from metrics.actions.problems import Invalid, check_storable, sentence
from metrics.live import bus, events, snapshot, watchers
from metrics.live.snapshot import Variant
from metrics.models import Dashboard, Widget
from metrics.widgets.ranges import RANGES_S
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, widget_views

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """A variant as it is loaded: its widgets, the notice, and the pulse that says which moment and version they show.

    `time` is server time in Unix seconds; `build` names the program, `layout` counts the dashboard's edits.
    """

    widgets: list[WidgetView]
    notice: Notice
    epoch: str
    version: int
    time: float
    build: str
    layout: int


def page(dashboard: Dashboard, range: str, at: float) -> Page:
    """Return the page of `dashboard` over `range` at `at`.

    The version is read before the samples are, so that what arrives in between is sent once more, not lost.
    """
    try:
        epoch, version = snapshot.version(Variant(dashboard.slug, range))
        said = notice(at)
    except RedisError as error:  # the page can be drawn without; its socket will bring it up to date later
        log.warning("page drawn without a version", dashboard=dashboard.slug, error=str(error))
        epoch, version, said = "", 0, Notice()
    views = widget_views(list(dashboard.widgets.all()), range, at)
    return Page(views, said, epoch, version, at, settings.BUILD_ID, dashboard.layout)


@dataclass(frozen=True, slots=True)
class NewWidget:
    """A widget to be made; `width` in columns of 12, `height` in rows."""

    kind: str
    title: str
    config: dict[str, Any]
    width: int = 3
    height: int = 1


def create(slug: str, title: str, description: str, range: str, widgets: Sequence[NewWidget]) -> Dashboard:
    """Make a dashboard. Raises Invalid, and makes nothing, if a field or a widget's config is bad."""
    check_range(range)
    for index, widget in enumerate(widgets):
        check_widget(widget.kind, widget.config, f"widgets.{index}")
    try:
        with transaction.atomic():
            dashboard = Dashboard.objects.create(slug=slug, title=title, description=description, range=range)
            Widget.objects.bulk_create(
                Widget(
                    dashboard=dashboard,
                    kind=widget.kind,
                    title=widget.title,
                    config=widget.config,
                    position=position,
                    width=widget.width,
                    height=widget.height,
                )
                for position, widget in enumerate(widgets)
            )
    except IntegrityError:
        raise Invalid("slug", f"There is a dashboard {slug!r} already.") from None
    return dashboard


def check_range(range: str) -> None:
    """Raise Invalid if there is no such range."""
    if range not in RANGES_S:
        raise Invalid("range", f"range is one of {', '.join(RANGES_S)}, not {range!r}.")


def check_widget(kind: str, config: Any, where: str = "widget") -> None:
    """Raise Invalid if `config` is not one that widgets of `kind` take; `where` begins the name of the field."""
    if kind not in kinds():
        raise Invalid(f"{where}.kind", f"There is no widget kind {kind!r}; there are {', '.join(sorted(kinds()))}.")
    if not isinstance(config, dict):
        raise Invalid(f"{where}.config", f"{where}.config: this is not an object.")
    check_storable(config, f"{where}.config")
    try:
        kinds()[kind].config_class.model_validate(config)
    except ValidationError as problem:
        raise Invalid(*sentence(problem, f"{where}.config")) from None


def edited(dashboard: Dashboard) -> None:
    """Note that `dashboard` or its widgets were changed: open pages load anew, or close if they may not stay."""
    Dashboard.objects.filter(pk=dashboard.pk).update(layout=F("layout") + 1)
    transaction.on_commit(partial(_tell_open_pages, dashboard.slug))


def deleted(slug: str) -> None:
    """Note that the dashboard `slug` was deleted: open pages close."""
    transaction.on_commit(partial(bus.recheck, slug=slug))


def _tell_open_pages(slug: str) -> None:
    try:
        concerned = [variant for variant in watchers.watched(time.time()) if variant.slug == slug]
        events.mark_each({variant: [events.ALL] for variant in concerned})
    except RedisError as error:
        log.warning("open pages were not told", dashboard=slug, error=str(error))
    bus.recheck(slug=slug)
