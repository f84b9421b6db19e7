"""One widget alone, large: what it asks for, its numbers as a table, and as CSV."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from metrics.access.policy import CREATE, may, may_watch, visible
from metrics.access.principal import of_visitor
from metrics.actions import facts, live_queries, moments, variables
from metrics.actions.errors import Invalid, Missing
from metrics.actions.page import page as loaded
from metrics.models import Dashboard, Rule, Widget
from metrics.times import datetime_of
from metrics.views import rule_draft
from metrics.widgets import export
from metrics.widgets.ranges import DEFAULT, RANGES_S
from metrics.widgets.registry import kinds
from metrics.widgets.render import detailed_series, links_of, widget_views


@dataclass(frozen=True, slots=True)
class Asked:
    """A `widget` of a `dashboard` over `range`, at `at` (Unix seconds), with what is `chosen` of its variables.

    `query` has the parameters of an address for the same, without the range. `is_past` says whether a moment was asked
    for.
    """

    dashboard: Dashboard
    widget: Widget
    range: str
    at: float
    chosen: str
    query: dict[str, object]
    is_past: bool


@login_required
@require_safe
def page(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """A widget on a page of its own, which is live unless it shows a moment of the past."""
    return shown(request, slug, key, reverse("dashboard", args=[slug]))


def shown(request: HttpRequest, slug: str, key: str, home: str, link: str = "") -> HttpResponse:
    """Return the page of a widget of the dashboard at `home`; its socket is opened with `link` in its query."""
    asked = _asked(request, slug, key)
    if request.method == "HEAD":  # an open page asks whether it would get this one
        return HttpResponse()
    dashboard, widget = asked.dashboard, asked.widget
    live_queries.wait([widget], asked.range, asked.at, time.time(), fine=True)
    found = detailed_series(widget, asked.range, asked.at)
    config = kinds()[widget.kind].config_class.model_validate(widget.config) if found else None
    more = variables.address(asked.chosen) + link
    by = of_visitor(request)
    watched = rule_draft.of_config(widget.config) if found and by.shown is None and may(by, CREATE, Rule) else None
    fixed = by.shown is not None and by.shown.range
    query = urlencode({**asked.query, "range": asked.range}, doseq=True)
    context = {
        "dashboard": dashboard,
        "widget": widget,
        "range": asked.range,
        "ranges": [] if fixed else [(name, urlencode({**asked.query, "range": name}, doseq=True)) for name in RANGES_S],
        "query": query,
        "is_past": asked.is_past,
        "moment_at": datetime_of(asked.at),
        "queries": [export.said(one) for one in config.queries] if config else [],
        "expressions": [one.expression for one in config.expressions] if config else [],
        "links": links_of(widget, asked.range),
        "rows": export.rows(found, getattr(config, "unit", None)),
        "back": f"{home}?{query}",
        "alert_on": watched.address if watched else "",
        "is_linked": by.shown is not None,
    }
    if asked.is_past:
        live_queries.wait([widget], asked.range, asked.at, time.time())
        known = facts.on_at(dashboard.pk, asked.at, [widget])
        context["widgets"] = widget_views([widget], asked.range, asked.at, known=known)
    else:
        context["page"] = loaded(dashboard, asked.range, asked.at, asked.chosen, widget.key)
        socket = f"/ws/dashboards/{dashboard.slug}/?range={asked.range}&dashboard={dashboard.pk}{more}"
        context["socket_path"] = socket
    response = render(request, "dashboard/one.html", context)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_safe
def csv(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """The points of a widget's series as CSV."""
    return points(request, slug, key)


def points(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Return the points of a widget's series as a file."""
    asked = _asked(request, slug, key)
    live_queries.wait([asked.widget], asked.range, asked.at, time.time(), fine=True)
    found = detailed_series(asked.widget, asked.range, asked.at)
    name = f"{slug}-{key}-{datetime_of(asked.at):%Y-%m-%dT%H%M}.csv"
    headers = {"Content-Disposition": str(content_disposition_header(True, name)), "Cache-Control": "no-store"}
    return HttpResponse("".join(export.lines(found)), content_type="text/csv; charset=utf-8", headers=headers)


def _asked(request: HttpRequest, slug: str, key: str) -> Asked:
    """Return what is asked for. Raises Http404."""
    by = of_visitor(request)
    seen = visible(by, Dashboard)
    dashboard = seen.filter(slug=slug).first() or seen.filter(former_slugs=slug).first()
    if dashboard is None:
        raise Http404(f"There is no dashboard {slug}.")
    range = request.GET.get("range", (by.shown and by.shown.range) or dashboard.range)
    range = range if range in RANGES_S else DEFAULT
    given = variables.asked_in((name, value) for name, values in request.GET.lists() for value in values)
    wanted = variables.asked_by(by, given)
    now = time.time()
    is_past = "at" in request.GET
    if not may_watch(by, dashboard, range, wanted, past=is_past):
        raise Http404("This link does not show that.")
    query: dict[str, object] = {}
    try:
        if is_past:
            at, revision = float(request.GET["at"]), request.GET.get("revision", "")
            number = int(revision) if revision.isdecimal() and len(revision) < 10 else None
            chosen = variables.of_the_past(wanted)
            moment = moments.moment(dashboard, range, at, now, number, chosen)
            query = {"at": request.GET["at"], "revision": moment.revision}
            widgets: Sequence[Widget] = moments.widgets(dashboard, moment)[1]
        else:
            at, chosen = now, variables.chosen(dashboard, wanted)
            widgets = variables.drawn(dashboard, list(dashboard.widgets.all()), chosen)
    except (ValueError, Invalid, Missing):
        raise Http404("There is no such moment of this dashboard.") from None
    widget = next((one for one in widgets if one.key == key), None)
    if widget is None:
        raise Http404(f"There is no widget {key} on this dashboard.")
    return Asked(dashboard, widget, range, at, chosen, {**query, **variables.asked_as(chosen)}, is_past)
