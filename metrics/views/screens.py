"""The pages of screens: what each of them shows, pairing one, changing, naming and revoking it."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CHANGE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import screens as actions
from metrics.actions.errors import Invalid, NoAnswer, TooOften
from metrics.actions.teams import access_of
from metrics.models import Dashboard, Screen
from metrics.models.log import sender
from metrics.views import humanize, qr
from metrics.views import typed as typed_form
from metrics.views.access import page
from metrics.views.removal import Removal, confirm
from metrics.widgets.ranges import RANGES_S

HIDDEN = "-"
"""Stands in the form for the chosen dashboard if the person may not see it, or if it was deleted. It is no slug."""


@dataclass(frozen=True, slots=True)
class Typed(typed_form.Typed):
    """A screen as it was typed."""

    code: str = ""
    name: str = ""
    dashboard: str = ""
    range: str = ""


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All screens and the form that pairs one, whose code may come with the address; htmx fetches the rows anew."""
    if getattr(request, "htmx", False):
        return render(request, "screen/_rows.html", {"rows": _rows(of_visitor(request))})
    return _list(request, Typed(code=request.GET.get("code", "")))


@require_POST
@page
def pair(request: HttpRequest) -> HttpResponse:
    """Pair the screen that shows a code."""
    typed, status = Typed.of(request), 422
    try:
        given = (typed.code, typed.name, typed.dashboard, typed.range, typed.access)
        screen = actions.pair(of_visitor(request), *given)
    except Invalid as problem:
        typed = typed.refused(problem)
    except (TooOften, NoAnswer) as problem:
        typed = typed.refused(Invalid("code", f"code: {problem}"))
        status = 429 if isinstance(problem, TooOften) else 503
    else:
        where = f", on a display at {screen.paired_from}" if screen.paired_from else ""
        messages.success(request, f"{screen.name} is paired{where}. Its page follows within seconds.")
        return redirect("screens")
    return _list(request, typed, status)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change what a screen shows, its name, and whom it is for."""
    by = of_visitor(request)
    screen = actions.find(by, id)
    check(by, CHANGE, screen)
    (known,), access = actions.described(by, [screen]), access_of(screen)
    shown = typed = Typed(
        name=screen.name,
        dashboard=known.dashboard.slug if known.dashboard else HIDDEN if screen.dashboard else "",
        range=screen.range,
        everyone=access.everyone,
        teams=access.teams,
    )
    if request.method == "POST":
        typed, shown = Typed.of(request), Typed.of(request, "was_")
        try:
            saved = actions.change(by, id, _changes(shown, typed))
        except Invalid as problem:
            typed = typed.refused(problem)
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("screens")
    context = {
        "screen": screen,
        "shown": shown,
        "is_hidden": known.is_hidden,
        "is_deleted": _is_deleted(screen),
        **_choices(by, typed, access.teams),
    }
    return render(request, "screen/form.html", context, status=422 if typed.errors else 200)


@require_POST
@page
def show_name(request: HttpRequest, id: int) -> HttpResponse:
    """Have a screen show its name for some seconds."""
    by = of_visitor(request)
    screen = actions.show_name(by, id)
    if screen.shown is None:
        messages.success(request, f"{screen.name} shows its name all the time, as it has nothing else to show.")
    elif actions.described(by, [screen])[0].is_open is False:
        messages.error(request, f"{screen.name} was not open on any display a moment ago.")
    else:
        messages.success(request, f"{screen.name} shows its name now, for ten seconds.")
    return redirect("screens")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def revoke(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then revoke a screen."""
    by = of_visitor(request)
    screen = actions.find(by, id)
    check(by, DELETE, screen)
    listed = reverse("screens")
    lost = "Its display shows a new code instead of the dashboard, until somebody pairs it again."
    done = f"{screen.name} is revoked, also where it is open."
    removal = Removal(screen.name, lost, [("Screens", listed)], listed, done, verb="Revoke")
    return confirm(request, removal, lambda: actions.revoke(by, id))


def _list(request: HttpRequest, typed: Typed, status: int = 200) -> HttpResponse:
    by = of_visitor(request)
    context = {"rows": _rows(by), "screen_url": qr.root(request) + reverse("screen"), **_choices(by, typed)}
    return render(request, "screen/list.html", context, status=status)


def _rows(by: Principal) -> list[dict[str, Any]]:
    now = time.time()
    return [
        {
            "screen": one.screen,
            "is_open": one.is_open,
            "dashboard": one.dashboard,
            "is_hidden": one.is_hidden,
            "is_deleted": _is_deleted(one.screen),
            "teams": [] if one.screen.for_everyone else access_of(one.screen).teams,
            "by": sender(one.screen.by),
            "made": humanize.ago(one.screen.created_at, now),
            "used": humanize.ago(one.screen.last_used_at, now),
            "may_change": one.screen.revoked_at is None and may(by, CHANGE, one.screen),
        }
        for one in actions.listed(by)
    ]


def _is_deleted(screen: Screen) -> bool:
    """Return whether the dashboard that is chosen for it was deleted, and may be brought back."""
    return screen.dashboard is not None and screen.shown is None


def _choices(by: Principal, typed: Typed, more: Any = ()) -> dict[str, Any]:
    """Return what a form of a screen offers, and what was `typed` into it."""
    dashboards = list(visible(by, Dashboard).order_by("title", "pk").values_list("slug", "title"))
    return {"typed": typed, "dashboards": dashboards, "ranges": list(RANGES_S), "teams": typed.choices(by, more)}


def _changes(shown: Typed, typed: Typed) -> dict[str, Any]:
    """Return what differs from what was `shown`; the rest stays, also what others changed meanwhile."""
    names = ("name", "dashboard", "range", "access")
    return {name: getattr(typed, name) for name in names if getattr(typed, name) != getattr(shown, name)}
