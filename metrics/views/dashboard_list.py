"""The list of dashboards, and what is seen first."""

import time
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from metrics.access.policy import CREATE, may
from metrics.access.principal import of_visitor
from metrics.actions import dashboard_list as actions
from metrics.actions import dashboards
from metrics.actions.errors import Invalid
from metrics.models import Dashboard
from metrics.views import humanize
from metrics.views.access import page


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard that the user chose to see first, else the list."""
    start = actions.start_page(of_visitor(request))
    return _list(request) if start is None else redirect("dashboard", start.slug)


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The dashboards that the user may see; htmx fetches the cards anew every few seconds."""
    return _list(request)


@require_POST
@page
def favour(request: HttpRequest) -> HttpResponse:
    """Make a dashboard a favourite, or no more; then the list as it was searched."""
    on = "on" in request.POST
    actions.favour(of_visitor(request), request.POST.get("on" if on else "off", ""), on=on)
    if getattr(request, "htmx", False):
        return _list(request)
    query = {name: request.POST[name] for name in ("q", "tag") if request.POST.get(name)}
    return redirect(reverse("dashboards") + (f"?{urlencode(query)}" if query else ""))


@require_POST
@page
def bring_back(request: HttpRequest, id: int) -> HttpResponse:
    """Restore a deleted dashboard."""
    try:
        found = dashboards.restore(of_visitor(request), id)
    except Invalid as problem:
        messages.error(request, str(problem))
        return redirect("dashboards")
    messages.success(request, f"{found.title} is back.")
    return redirect("dashboard", found.slug)


def _list(request: HttpRequest) -> HttpResponse:
    by, now = of_visitor(request), time.time()
    asked = request.POST if request.method == "POST" else request.GET
    text, tag = asked.get("q", "").strip(), asked.get("tag", "")
    found = actions.listed(by, now, text, tag)
    context = {
        "rows": [(card, humanize.ago(card.edited_at, now)) for card in found.cards],
        "total": found.total,
        "tags": found.tags,
        "search": text,
        "tag": tag,
    }
    if getattr(request, "htmx", False):
        return render(request, "dashboard/_cards.html", context)
    context |= {"may_add": may(by, CREATE, Dashboard), "deleted": actions.to_bring_back(by)}
    context |= {"days": dashboards.DELETED_KEPT.days}
    return render(request, "dashboard/list.html", context)
