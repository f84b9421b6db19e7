"""The page of a dashboard that a link or a screen shows, and nobody's session: a tab, or a wall."""

import time
from collections.abc import Mapping

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from metrics.access.policy import may_watch
from metrics.access.principal import Shown, of_visitor
from metrics.actions import variables
from metrics.actions.errors import Invalid
from metrics.actions.page import page
from metrics.models import Dashboard
from metrics.widgets.ranges import DEFAULT, RANGES_S


def shown(
    request: HttpRequest,
    dashboard: Dashboard,
    template: str,
    socket: str,
    opened_as: str = "",
    pages: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the page of what the visitor's `shown` is, of `dashboard`.

    Its socket is at the path `socket`, with `opened_as` at the end of the query. `pages` are the paths of other pages
    of it, by the name that `template` has for each, and `more` what else it shows. Raises Http404 for what they may not
    see.
    """
    by = of_visitor(request)
    granted = by.shown or Shown(dashboard.pk)
    usual = dashboard.range if dashboard.range in RANGES_S else DEFAULT
    range = request.GET.get("range", granted.range or usual)
    given = variables.asked_in((name, value) for name, values in request.GET.lists() for value in values)
    asked = variables.asked_by(by, given)
    if not may_watch(by, dashboard, range, asked, past="at" in request.GET):
        raise Http404(f"This {by.kind} does not show that.")
    try:
        chosen = variables.chosen(dashboard, asked)
    except Invalid:  # a value that is gone, such as a machine
        if given:
            return redirect(request.path)
        raise Http404(f"There is nothing to show just now: the values that this {by.kind} shows are gone.") from None
    if range not in RANGES_S:
        return redirect(request.path)
    if request.method == "HEAD":  # an open page asks whether it would get this one; that need not be drawn
        return HttpResponse()
    chosen_as = variables.address(chosen)
    fixed = {variables.PREFIX + name for name, _ in granted.values}
    context = {
        "dashboard": dashboard,
        "range": range,
        "ranges": [] if granted.range else list(RANGES_S),
        "variables": [one for one in variables.pickers(dashboard, chosen) if one.name not in fixed],
        "fixed": [one for one in variables.pickers(dashboard, chosen) if one.name in fixed],
        "more": chosen_as,
        "page": page(dashboard, range, time.time(), chosen),
        "socket_path": f"{socket}?range={range}&dashboard={dashboard.pk}{chosen_as}{opened_as}",
        "is_linked": True,
        "is_screen": by.kind == "screen",
        **{name: f"{path}?range={range}{chosen_as}" for name, path in (pages or {}).items()},
        **(more or {}),
    }
    return render(request, template, context)
