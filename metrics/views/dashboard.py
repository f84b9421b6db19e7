"""The pages that show a dashboard: the tab, the wall, and a moment of the past."""

import time
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from metrics.access.policy import CHANGE, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import drawn, moments, rooms, screens, variables
from metrics.actions.errors import Invalid, Missing
from metrics.actions.page import page
from metrics.models import Dashboard
from metrics.times import datetime_of
from metrics.views import wall_alerts
from metrics.widgets.ranges import DEFAULT, RANGES_S


@login_required
def tab(request: HttpRequest, slug: str) -> HttpResponse:
    """A dashboard in a browser's tab."""
    return _page(request, slug, "dashboard/tab.html")


@login_required
def wall(request: HttpRequest, slug: str) -> HttpResponse:
    """A dashboard that fills a screen."""
    return _page(request, slug, "dashboard/wall.html")


def _page(request: HttpRequest, slug: str, template: str) -> HttpResponse:
    by = of_visitor(request)
    seen = visible(by, Dashboard)
    dashboard = seen.filter(slug=slug).first()
    if dashboard is None:
        renamed = seen.filter(former_slugs=slug).first()
        if renamed is None:
            raise Http404(f"There is no dashboard {slug}.")
        assert request.resolver_match is not None
        query = request.META["QUERY_STRING"]
        return redirect(reverse(request.resolver_match.view_name, args=[renamed.slug]) + (f"?{query}" if query else ""))
    usual = dashboard.range if dashboard.range in RANGES_S else DEFAULT
    range = request.GET.get("range", usual)
    if range not in RANGES_S:
        return redirect(request.path)
    asked = variables.asked_in((name, value) for name, values in request.GET.lists() for value in values)
    if "at" in request.GET:
        return _past(request, dashboard, range, variables.of_the_past(asked))
    try:
        chosen = variables.chosen(dashboard, asked)
    except Invalid as problem:  # what there is no more, such as a machine that is gone
        return redirect(f"{request.path}?{_without(request, problem.field)}")
    if request.method == "HEAD":  # an open page asks whether it would get this one; that need not be drawn
        return HttpResponse()
    may_change = may(by, CHANGE, dashboard)
    loaded = page(dashboard, range, time.time(), chosen)
    more = variables.address(chosen)
    context = {
        "dashboard": dashboard,
        "room": rooms.of_dashboard(dashboard),
        "range": range,
        "ranges": list(RANGES_S),
        "chosen": chosen,
        "variables": variables.pickers(dashboard, chosen),
        "more": more,
        "page": loaded,
        "may_change": may_change,
        "socket_path": f"/ws/dashboards/{dashboard.slug}/?range={range}&dashboard={dashboard.pk}{more}",
        "is_wall": template == "dashboard/wall.html",
        "wall_path": f"{reverse('wall', args=[slug])}?range={range}{more}",
        "tab_path": f"{reverse('dashboard', args=[slug])}?range={range}{more}",
    }
    if context["is_wall"]:
        context |= wall_alerts.context(request, by, dashboard.slug)
    elif may_change:
        context |= {
            "shared_wider": drawn.shared_wider(dashboard),
            "shown_wider": drawn.shown_wider(dashboard, time.time()),
            "on_screens": screens.shared_wider(by, dashboard),
        }
    response = render(request, template, context)
    response["Cache-Control"] = "no-store"  # a page kept by a cache would show old values as if they were new
    return response


def _without(request: HttpRequest, field: str) -> str:
    """Return the query of `request` without the parameter `field`, or all of variables if it is what begins them.

    Another dashboard, to which a link leads, may have some of the variables, and not all.
    """
    query = request.GET.copy()
    for name in [name for name in query if name == field or (field == variables.PREFIX and name.startswith(field))]:
        del query[name]
    return query.urlencode()


def _past(request: HttpRequest, dashboard: Dashboard, range: str, chosen: str) -> HttpResponse:
    """The dashboard as it was at the moment that is asked for, in the revision that it had then."""
    now = time.time()
    try:
        at, revision = float(request.GET["at"]), request.GET.get("revision", "")
        number = int(revision) if revision.isdecimal() and len(revision) < 10 else None
        moment = moments.moment(dashboard, range, at, now, number, chosen)
        title, widgets = moments.views(dashboard, moment)
    except (ValueError, Invalid, Missing):
        raise Http404("There is no such moment of this dashboard.") from None
    query = {"at": request.GET["at"], "revision": moment.revision, **variables.asked_as(chosen)}
    context = {
        "dashboard": dashboard,
        "title": title,
        "widgets": widgets,
        "room": rooms.of_dashboard(dashboard),
        "at": at,
        "moment_at": datetime_of(at),
        "range": range,
        "chosen": chosen,
        "more": variables.address(chosen),
        "ranges": [(name, urlencode({**query, "range": name}, doseq=True)) for name in RANGES_S],
    }
    return render(request, "dashboard/past.html", context)
