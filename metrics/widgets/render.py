"""Rendering: a widget, a range and a moment in; HTML out. Reads series, changes nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.template.loader import render_to_string
from django.urls import reverse
from pydantic import ValidationError

from metrics import validation
from metrics.access import policy
from metrics.models import Widget
from metrics.redis_state.live_queries import Question
from metrics.series import read
from metrics.series.read import Asked, Track
from metrics.widgets import arithmetic, bad_alert, facts, freshness, links, live_queries, maintained, pictures, ranges
from metrics.widgets.bad_alert import BadAlert, OnSeries
from metrics.widgets.base import Config, Named, QueryConfig, Still, WidgetKind
from metrics.widgets.facts import UNKNOWN, Facts
from metrics.widgets.freshness import Freshness
from metrics.widgets.group import group, top
from metrics.widgets.links import ShownLink
from metrics.widgets.live_queries import Live, Said
from metrics.widgets.maintained import InMaintenance, Maintained
from metrics.widgets.registry import kinds
from metrics.widgets.repeated import SECTION
from metrics.widgets.spec import OnPhone
from metrics.widgets.thresholds import Level

log = structlog.get_logger(__name__)

LOOKED_EVERY_S = 30.0
"""Pages that are open look so often for all that is overdue, and it is as current as the last look."""

Parsed = tuple[WidgetKind[Any], Config | Still] | str
"""Kind and config of a widget, or a sentence about what is wrong with them."""
Shown = tuple[list[Track], Said]
"""Series that a query found, and what there is to say of it."""
SAID_NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Newest:
    """A series: its `name`, its newest `value` in its `unit`, and when that was measured: `at`, in Unix seconds.

    Without a value both are None.
    """

    name: str
    value: float | None
    unit: str
    at: float | None


@dataclass(frozen=True, slots=True)
class WidgetView:
    """View-model of `templates/widgets/widget.html`, the frame around every kind.

    `element` is the id of the element on the page, `title` what stands above; `x` and `y` (from 0), `w` and `h` are
    its place on the grid of 12 columns, and `on_phone` names the classes for what is different on a phone. `freshness`
    tells how current it is. `template` is the kind's own template and `view` its view-model, None when there is an
    `error` sentence. `hint` is shown while there is no data. `series` are those that it shows, for programs. `link` is
    the path of its own page, empty where it has none. `level` says how bad it is, None if the kind does not. `links`
    lead elsewhere. `note` is a sentence about what is shown, such as why it is not newer. `error_of` is the index of
    the live query that `error` is about. `alerts` says which alerts are on its series, None if there are none;
    `maintenance` which maintenance they are in, of the time that it shows.
    """

    element: str
    kind: str
    title: str
    x: int
    y: int
    w: int
    h: int
    freshness: Freshness
    template: str
    view: object | None
    hint: str = ""
    error: str = ""
    series: tuple[Newest, ...] = ()
    link: str = ""
    level: Level | None = None
    links: tuple[ShownLink, ...] = ()
    note: str = ""
    error_of: int | None = None
    on_phone: str = ""
    alerts: OnSeries | None = None
    maintenance: InMaintenance | None = None


def render(widget: Widget, range: str, at: float, known: Facts = UNKNOWN) -> str:
    """Return the fragment of `widget` over `range`, as seen at `at` (Unix seconds)."""
    return render_all([widget], range, at, known)[widget.key]


def render_all(widgets: Sequence[Widget], range: str, at: float, known: Facts = UNKNOWN) -> dict[str, str]:
    """Return the fragments of `widgets`, which are of one dashboard, by key, having read all they show at once.

    Each is one element and nothing around it: a morph leaves white space behind it in the page, at every swap.
    """
    return html(widgets, widget_views(widgets, range, at, known=known))


def html(widgets: Sequence[Widget], views: Sequence[WidgetView]) -> dict[str, str]:
    """Return the fragments of `widgets` by key, given the view-model of each."""
    pairs = zip(widgets, views, strict=True)
    return {widget.key: render_to_string("widgets/widget.html", {"widget": view}).strip() for widget, view in pairs}


def widget_views(
    widgets: Sequence[Widget],
    range: str,
    at: float,
    hidden: Collection[int] | None = None,
    *,
    known: Facts = UNKNOWN,
) -> list[WidgetView]:
    """Return the view-models of `widgets`. One that can't be drawn says so in `error`, and the others are drawn.

    Each draws the sources that the teams of its dashboard may see, or all but those `hidden` (ids). `known` are
    the facts of that time, of those that the dashboard may show. Raises only what says that the database is away, or
    that it can't be read at all.
    """
    parsed = [_parsed(widget) for widget in widgets]
    pictures.give(
        [(widget, one[1]) for widget, one in zip(widgets, parsed, strict=True) if not isinstance(one, str)], at
    )
    for one in parsed:
        if not isinstance(one, str):
            known.give(one[1])
    hidden = _hidden(widgets) if hidden is None else hidden
    windows = _windows(parsed, range, at)
    asked = [[] if isinstance(one, str) else _asked(*one, own) for one, own in zip(parsed, windows, strict=True)]
    is_all = [isinstance(one, tuple) and _is_of_all(one[1]) for one in parsed]
    overdue = [Named(_called(one), one.track) for one in read.overdue(at, hidden)] if any(is_all) else []
    tracks = iter(read.tracks_of_all([one for of_widget in asked for one in of_widget], at, hidden))
    live = _live(parsed, windows, hidden)
    answers = live_queries.answers(one for of_widget in live for one in of_widget)
    return [
        _view(widget, error=one)
        if isinstance(one, str)
        else replace(
            _drawn(
                widget,
                *one,
                _in_order(one[1], tracks, of_live, answers, own),
                own,
                known.maintenance,
                overdue if is_overdue else None,
            ),
            links=_links_over(one[1], range),
            alerts=_alerts(one[1], known.alerts or ()),
        )
        for widget, one, of_live, own, is_overdue in zip(widgets, parsed, live, windows, is_all, strict=True)
    ]


def live_questions(
    widgets: Sequence[Widget], range: str, at: float, hidden: Collection[int] | None = None, *, fine: bool = False
) -> list[tuple[Widget, list[Question]]]:
    """Return what each of `widgets` that has live queries asks its servers, to be drawn as `widget_views` does.

    If `fine`, to be drawn as `detailed_series` does.
    """
    some = [one for one in widgets if _may_be_live(one.config)]
    if not some:
        return []
    parsed = [_parsed(widget) for widget in some]
    windows = [ranges.finer(own) for own in _windows(parsed, range, at)] if fine else _windows(parsed, range, at)
    live = _live(parsed, windows, _hidden(some) if hidden is None else hidden, fine=fine)
    return [
        (widget, [question for one in of_widget for question in one.questions])
        for widget, of_widget in zip(some, live, strict=True)
    ]


def _may_be_live(config: Any) -> bool:
    queries = config.get("queries") if isinstance(config, dict) else None
    return isinstance(queries, list) and any(isinstance(one, dict) and one.get("promql") for one in queries)


def _windows(parsed: Sequence[Parsed], range: str, at: float) -> list[ranges.Window]:
    window = ranges.window(range, at)
    return [window if isinstance(one, str) else one[0].window(one[1], window) for one in parsed]


def _live(
    parsed: Sequence[Parsed], windows: Sequence[ranges.Window], hidden: Collection[int], *, fine: bool = False
) -> list[list[Live]]:
    """Return the live queries of each widget, in their order."""
    queries = [[] if isinstance(one, str) else [(one[0], q) for q in one[1].queries if q.is_live] for one in parsed]
    sources = live_queries.servers((query.source for of_widget in queries for _, query in of_widget), hidden)
    return [
        [live_queries.of_query(query, kind, own, sources, fine=fine) for kind, query in of_widget]
        for of_widget, own in zip(queries, windows, strict=True)
    ]


def _in_order(
    config: Config | Still,
    stored: Iterator[list[Track]],
    live: Sequence[Live],
    answers: live_queries.Answers,
    window: ranges.Window,
) -> list[Shown]:
    """Return what each query of `config` found, stored or live, and what there is to say of it."""
    lives = iter(live)
    return [
        live_queries.shown(next(lives), answers, window) if query.is_live else (next(stored), SAID_NOTHING)
        for query in config.queries
    ]


def _alerts(config: Config | Still, bad: Sequence[BadAlert]) -> OnSeries | None:
    return bad_alert.on_series([one.query() for one in config.queries if not one.is_live], bad) if bad else None


def alerts_of(widgets: Sequence[Widget]) -> frozenset[str] | None:
    """Return the metrics of whose alerts `widgets` say something; None if one of them lists alerts of all."""
    if "alerts" in facts.needed(widgets):
        return None
    configs = [one[1] for one in map(_parsed, widgets) if not isinstance(one, str)]
    return frozenset(query.metric for config in configs for query in config.queries if not query.is_live)


def _is_of_all(config: Config | Still) -> bool:
    return isinstance(config, Config) and config.all_without_queries and not config.queries


def _called(one: read.Overdue) -> str:
    return f"{one.name}, {one.count} series" if one.count > 1 else one.name


def links_of(widget: Widget, range: str) -> tuple[ShownLink, ...]:
    """Return the links of `widget` over `range`; there are none of one that can't be drawn."""
    parsed = _parsed(widget)
    return () if isinstance(parsed, str) else _links_over(parsed[1], range)


def _links_over(config: Config | Still, range: str) -> tuple[ShownLink, ...]:
    """Return the links of a widget that has `config`, over `range`."""
    return tuple(links.over(one, range) for one in config.links)


def view_of_tracks(
    widget: Widget, tracks: list[list[Track]], range: str, at: float, known: Facts = UNKNOWN
) -> WidgetView:
    """Return the view-model of `widget` that shows `tracks`, a list for each of its queries, not what is stored.

    `known` are the facts of then.
    """
    parsed = _parsed(widget)
    if isinstance(parsed, str):
        return _view(widget, error=parsed)
    kind, config = parsed
    known.give(config)
    found = [(of_query, Said()) for of_query in tracks]
    return _drawn(widget, kind, config, found, kind.window(config, ranges.window(range, at)), known.maintenance)


def _hidden(widgets: Sequence[Widget]) -> frozenset[int]:
    """Return the ids of the sources that are not for the dashboard of `widgets`."""
    dashboards = {widget.dashboard_id for widget in widgets}
    return frozenset().union(*(policy.hidden_on(dashboard) for dashboard in dashboards))


def _parsed(widget: Widget) -> Parsed:
    """Return the kind and the config of `widget`, or a sentence about what is wrong with them."""
    try:
        kind = kinds()[widget.kind]
        return kind, kind.config_class.model_validate(widget.config)
    except KeyError:
        return f"There is no widget kind {widget.kind!r}."
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {validation.message(first)}."


def _asked(kind: WidgetKind[Any], config: Config | Still, window: ranges.Window) -> list[Asked]:
    start = window.end - max(1, kind.windows_back) * window.length_s
    drawn = read.Window(window.at, start, window.end, window.step_s, window.start)
    return [
        Asked(
            query.query(),
            query.chosen_function() or kind.function,
            drawn,
            points=bool(kind.windows_back),
            over_s=query.over_s,
            every_s=config.every_s,
            extremes=kind.extremes,
        )
        for query in config.queries
        if not query.is_live
    ]


def _drawn(
    widget: Widget,
    kind: WidgetKind[Any],
    config: Config | Still,
    found: Sequence[Shown],
    window: ranges.Window,
    windows: Sequence[Maintained] = (),
    overdue: list[Named] | None = None,
) -> WidgetView:
    """Return the view-model of a widget of `kind`, given what each of its queries found, or all that is overdue.

    `windows` are those of maintenance.
    """
    for index, (_, said) in enumerate(found):
        if said.error:
            return replace(_view(widget, error=said.error), error_of=index)
    try:
        series = _series(config, [tracks for tracks, _ in found], window) if overdue is None else overdue
        tracks_shown = [named.track for named in series]
        axis = kind.axis(config, window)
        near = maintained.near(windows, window.at, axis)
        concerned = maintained.of_tracks([track for tracks, _ in found for track in tracks], near)
        if concerned and kind.marks_maintenance:
            groups = maintained.by_maintenance(concerned)
            series = [replace(one, maintained=maintained.times_of(one.track, groups)) for one in series]
        current = (
            config.freshness(window.at)
            if isinstance(config, Still)
            else freshness.freshness(window.at, LOOKED_EVERY_S, window.at)
            if overdue is not None
            else freshness.STILL
            if not tracks_shown and config.shows_without_series(window)
            else freshness.of_tracks(tracks_shown, config.every_s, window.at)
        )
        shown = kind.view(config, series, window)
        hint = config.hint or next((said.hint for _, said in found if said.hint), "")
        view = _view(widget, current, view=shown, hint=hint)
        note = " ".join(dict.fromkeys(said.note for _, said in found if said.note))
        return replace(
            view,
            series=tuple(map(_newest, series)),
            level=kind.level(shown),
            note=note,
            maintenance=maintained.shown(concerned, window.at, axis),
        )
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
        element=f"w-{widget.key}",
        kind=widget.kind,
        title=widget.title,
        x=widget.x,
        y=widget.y,
        w=widget.w,
        h=widget.h,
        freshness=current,
        template=f"widgets/{widget.kind}.html",
        view=view,
        hint=hint,
        error=error,
        link=link(widget) if widget.pk else "",
        on_phone=on_phone(widget.phone),
    )


def on_phone(phone: OnPhone) -> str:
    """Return the classes by which grid.css knows what is different on a phone."""
    order, h = phone.get("order"), phone.get("h")
    classes = [f"po-{order}" if order else "", f"ph-{h}" if h else "", "phone-hidden" if phone.get("hidden") else ""]
    return " ".join(filter(None, classes))


def link(widget: Widget) -> str:
    """Return the path of the page of `widget` alone; a section has none, and one that is on no dashboard."""
    if widget.kind == SECTION or widget.dashboard_id is None:
        return ""
    return reverse("widget", args=[widget.dashboard.slug, widget.key])


def detailed_series(widget: Widget, range: str, at: float, hidden: Collection[int] | None = None) -> list[Named]:
    """Return the series that `widget` shows, each with its points in fine steps, whatever its kind makes of them.

    There are none for a widget that shows none, or can't be drawn; `hidden` is as for `widget_views`.
    """
    parsed = _parsed(widget)
    if isinstance(parsed, str):
        return []
    kind, config = parsed
    window = ranges.finer(ranges.window(range, at))
    steps = read.Window(at, window.start, window.end, window.step_s, window.start)
    hidden = _hidden([widget]) if hidden is None else hidden
    asked = [replace(one, window=steps, points=True, extremes=True) for one in _asked(kind, config, window)]
    (live,) = _live([parsed], [window], hidden, fine=True)
    tracks = iter(read.tracks_of_all(asked, at, hidden))
    found = _in_order(config, tracks, live, live_queries.answers(live), window)
    return _series(config, [of_query for of_query, _ in found], window)


def _newest(one: Named) -> Newest:
    latest = one.track.latest
    value, at = (latest.value, latest.at) if latest else (None, None)
    return Newest(one.name, value, one.track.unit, at)


def _series(config: Config | Still, tracks: list[list[Track]], window: ranges.Window) -> list[Named]:
    """Return what the queries found and the expressions calculate, with names."""
    found: list[Named] = []
    named: dict[str, list[Track]] = {}
    for index, (query, of_query) in enumerate(zip(config.queries, tracks, strict=True)):
        fewer = _fewer(query, of_query, window)
        if query.name:
            named[query.name] = fewer
        if not query.hidden:
            same = _same(fewer) if query.is_live else ()
            found += [Named(query.legend_of(track, same), track, index) for track in fewer]
    for index, one in enumerate(config.expressions, len(config.queries)):
        for track in arithmetic.evaluate(one.expression, named, window.step_s):
            unit = track.unit if one.unit is None else one.unit
            found.append(Named(one.legend_of(track), replace(track, unit=unit), index))
    return found


def _same(tracks: Sequence[Track]) -> set[str]:
    """Return the labels that all of `tracks` have with the same value."""
    pairs = [set(track.labels.items()) for track in tracks]
    return {name for name, _ in set.intersection(*pairs)} if pairs else set()


def _fewer(query: QueryConfig, tracks: list[Track], window: ranges.Window) -> list[Track]:
    if query.group_by is not None:
        tracks = group(tracks, query.group_by, query.aggregate, window.step_s)
    return tracks if query.top is None else top(tracks, query.top)
