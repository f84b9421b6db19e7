"""Rendering: a widget, a range and a moment in; HTML out. Reads series, changes nothing."""

from dataclasses import dataclass, replace

import structlog
from django.db import InterfaceError, OperationalError
from django.template.loader import render_to_string
from pydantic import ValidationError

from metrics.models import Widget
from metrics.series import calculate
from metrics.series.read import Track
from metrics.widgets import arithmetic, freshness, ranges
from metrics.widgets.base import Config, Named, QueryConfig, WidgetKind
from metrics.widgets.freshness import Freshness
from metrics.widgets.group import group, top
from metrics.widgets.registry import kinds

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WidgetView:
    """What `templates/widgets/widget.html` draws around every kind.

    `element` is the id of the element on the page, `title` what stands above; `width` (of 12 columns) and `height`
    (rows) are its size. `freshness` tells how current it is.
    `template` is the kind's own template and `view` its view-model, None when there is an `error` sentence.
    `hint` is shown while there is no data.
    """

    element: str
    kind: str
    title: str
    width: int
    height: int
    freshness: Freshness
    template: str
    view: object | None
    hint: str = ""
    error: str = ""


def render(widget: Widget, range: str, at: float) -> str:
    """Return the fragment of `widget` over `range`, as seen at `at` (Unix seconds).

    It is one element and nothing around it: a morph leaves white space behind it in the page, at every swap.
    """
    return render_to_string("widgets/widget.html", {"widget": widget_view(widget, range, at)}).strip()


def widget_view(widget: Widget, range: str, at: float) -> WidgetView:
    """Return the view-model of `widget`. One that can't be drawn says so in `error`, and the others are drawn.

    Raises only what says that the database is away.
    """
    try:
        kind = kinds()[widget.kind]
        config = kind.config_class.model_validate(widget.config)
    except KeyError:
        return _view(widget, error=f"There is no widget kind {widget.kind!r}.")
    except ValidationError as error:
        first = error.errors()[0]
        return _view(widget, error=f"{'.'.join(map(str, first['loc']))}: {first['msg']}.")
    window = ranges.window(range, at)
    try:
        series = _series(kind, config, window)
        current = freshness.of_tracks([named.track for named in series], config.every_s, at)
        return _view(widget, current, view=kind.view(config, series, window), hint=config.hint)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a kind's own mistake; at DEBUG, since it comes with every render
        log.warning("widget not drawn", widget=widget.pk, title=widget.title, error=repr(error))
        log.debug("widget not drawn", widget=widget.pk, exc_info=True)
        return _view(widget, error="Its numbers can't be computed; the log says why.")


def _view(
    widget: Widget,
    current: Freshness = freshness.NO_DATA,
    *,
    view: object | None = None,
    hint: str = "",
    error: str = "",
) -> WidgetView:
    return WidgetView(
        element=f"w-{widget.pk}",
        kind=widget.kind,
        title=widget.title,
        width=widget.width,
        height=widget.height,
        freshness=current,
        template=f"widgets/{widget.kind}.html",
        view=view,
        hint=hint,
        error=error,
    )


def _series(kind: WidgetKind[Config], config: Config, window: ranges.Window) -> list[Named]:
    """Return what the queries find and the expressions calculate, with names."""
    found: list[Named] = []
    named: dict[str, list[Track]] = {}
    for query in config.queries:
        tracks = _tracks(query, kind.windows_back, window)
        if query.name:
            named[query.name] = tracks
        if not query.hidden:
            found += [Named(query.legend_of(track), track) for track in tracks]
    for one in config.expressions:
        for track in arithmetic.evaluate(one.expression, named, window.step_s):
            unit = track.unit if one.unit is None else one.unit
            found.append(Named(one.legend_of(track), replace(track, unit=unit)))
    return found


def _tracks(query: QueryConfig, windows_back: int, window: ranges.Window) -> list[Track]:
    start = window.end - max(1, windows_back) * window.length_s
    drawn = calculate.Window(window.at, start, window.end, window.step_s, window.start)
    tracks = calculate.tracks(query.query(), query.chosen_function(), drawn, points=bool(windows_back))
    if query.group_by is not None:
        tracks = group(tracks, query.group_by, query.aggregate, window.step_s)
    return tracks if query.top is None else top(tracks, query.top)
