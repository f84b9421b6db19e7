"""The page of one's notifications."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from metrics.access.principal import of_visitor
from metrics.actions import notifications as actions
from metrics.views.access import page


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """The newest notifications; `before` leads to older ones."""
    user, before = of_visitor(request).pk or 0, request.GET.get("before", "")
    rows = actions.newest(user, int(before) if before.isdecimal() and len(before) < 16 else None)
    older = rows[-1].number if len(rows) == actions.SHOWN and rows[-1].number > 1 else None
    return render(request, "notification/list.html", {"rows": rows, "older": older, "unread": actions.unread(user)})


@require_POST
@page
def mark_read(request: HttpRequest) -> HttpResponse:
    """Note that one of them was read, or all."""
    number = request.POST.get("number", "")
    actions.mark_read(of_visitor(request).pk or 0, int(number) if number.isdecimal() and len(number) < 16 else None)
    return redirect("notifications")
