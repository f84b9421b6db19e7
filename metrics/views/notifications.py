"""One's notifications: as a page, as a panel on every page, and what opening a page reads."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from metrics.access.principal import of_visitor
from metrics.actions import notification_settings
from metrics.actions import notifications as actions
from metrics.models import Notification
from metrics.views.access import page

Respond = Callable[[HttpRequest], HttpResponse]


def read_opened(respond: Respond) -> Respond:
    """Have what is about a page count as read when its person opens that page."""

    def answer(request: HttpRequest) -> HttpResponse:
        if _is_opened_by_somebody(request) and request.user.is_authenticated:
            actions.mark_opened(request.user.pk, request.path)
        return respond(request)

    return answer


def _is_opened_by_somebody(request: HttpRequest) -> bool:
    """Return whether this may be a person who opens a page: no program, no part of a page, no guess of a browser."""
    return (
        request.method == "GET"
        and settings.SESSION_COOKIE_NAME in request.COOKIES
        and not request.path.startswith("/api/")
        and "\x00" not in request.path
        and "HX-Request" not in request.headers
        and "prefetch" not in request.headers.get("Sec-Purpose", "")
    )


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """The newest notifications, of all kinds or of one.

    htmx fetches them anew when the bell rings, down to the number `least`; and, with `before`, those that are older.
    """
    context = _context(request, request.GET)
    is_part = bool(getattr(request, "htmx", False))
    template = "list.html" if not is_part else "_rows.html" if context["is_past"] else "_list.html"
    return render(request, f"notification/{template}", context)


@require_POST
@page
def mark_read(request: HttpRequest) -> HttpResponse:
    """Note that one of them was read, or all, or all of a kind."""
    number, kind = request.POST.get("number"), _kind(request.POST)
    if number is None:
        actions.mark_read(of_visitor(request).pk or 0, kind=kind)
    else:
        actions.mark_read(of_visitor(request).pk or 0, _number(number) or 0)
    if getattr(request, "htmx", False):
        return render(request, "notification/_list.html", _context(request, request.POST))
    return redirect(_path(kind))


def _context(request: HttpRequest, asked: Mapping[str, str]) -> dict[str, Any]:
    user, kind = of_visitor(request).pk or 0, _kind(asked)
    before, least = _number(asked.get("before", "")), _number(asked.get("least", ""))
    rows = actions.newest(user, before, kind=kind, least=least)
    kinds = notification_settings.kinds_of(user)
    return {
        "rows": [(one, notification_settings.title_of(one.kind)) for one in rows],
        "kind": kind,
        "kinds": kinds,
        "path": _path(kind),
        "older": _older(rows, kind),
        "is_past": before is not None,
        "unread": actions.unread(user),
    }


def _older(rows: list[Notification], kind: str) -> str:
    """Return where those before `rows` are; "" if there are none."""
    full = len(rows) >= actions.SHOWN and rows[-1].number > 1
    return _path(kind, before=str(rows[-1].number)) if full else ""


def _path(kind: str, **more: str) -> str:
    query = urlencode({**({"kind": kind} if kind else {}), **more})
    return reverse("notifications") + (f"?{query}" if query else "")


def _kind(asked: Mapping[str, str]) -> str:
    """Return the kind that was asked for; all of them for one that can't be."""
    kind = asked.get("kind", "")
    return "" if "\x00" in kind else kind


def _number(text: str) -> int | None:
    """Return the number of a notification as it came in a request; None for what is none."""
    return int(text) if text.isdecimal() and len(text) < 16 else None
