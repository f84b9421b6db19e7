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
    """The newest notifications; `before` leads to older ones. htmx fetches them anew when the bell rings."""
    user, before = of_visitor(request).pk or 0, request.GET.get("before", "")
    rows = actions.newest(user, _number(before))
    older = rows[-1].number if len(rows) == actions.SHOWN and rows[-1].number > 1 else None
    context = {"rows": rows, "older": older, "is_past": _number(before) is not None, "unread": actions.unread(user)}
    template = "notification/_rows.html" if getattr(request, "htmx", False) else "notification/list.html"
    return render(request, template, context)


@require_POST
@page
def mark_read(request: HttpRequest) -> HttpResponse:
    """Note that one of them was read, or all."""
    number = request.POST.get("number")
    actions.mark_read(of_visitor(request).pk or 0, None if number is None else _number(number) or 0)
    return redirect("notifications")


def _number(text: str) -> int | None:
    """Return the number of a notification as it came in a request; None for what is none."""
    return int(text) if text.isdecimal() and len(text) < 16 else None
