"""The pages of maintenance: the list with the windows to come, making and changing, removing."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, check_muted, may, muted_beyond
from metrics.access.principal import Principal, of_visitor
from metrics.actions import maintenance as actions
from metrics.actions import silences, withholding
from metrics.actions.errors import Errors, Invalid
from metrics.actions.maintenance import Window
from metrics.actions.teams import access_of
from metrics.alerts.matchers import Matcher
from metrics.every import seconds
from metrics.models import Maintenance
from metrics.times import datetime_of
from metrics.views import humanize, local_times
from metrics.views import typed as typed_form
from metrics.views.access import page
from metrics.views.removal import Removal, confirm
from metrics.zones import known

AHEAD_S = 92 * 86_400.0
NEXT_LISTED = 3
REPEATS = {
    "": "never: once",
    "FREQ=DAILY": "each day",
    "FREQ=WEEKLY": "each week",
    "FREQ=WEEKLY;INTERVAL=2": "every second week",
    "FREQ=MONTHLY": "each month",
}
"""Rules that the page offers; another is typed."""
UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class Typed(typed_form.Typed):
    """A maintenance as it was typed."""

    matchers: str = ""
    comment: str = ""
    time_zone: str = "UTC"
    start: str = ""
    lasts: str = "1h"
    repeat: str = ""
    rule: str = ""
    url: str = ""
    enabled: bool = True


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All maintenance, with the windows to come."""
    by, now = of_visitor(request), time.time()
    found = list(actions.listed(by))
    beyond = muted_beyond(by, found)
    counts = withholding.counts(("maintenance", str(one.pk)) for one in found)
    spans = actions.spans([one.pk for one in found], now, now + AHEAD_S)
    rows = [
        {
            "one": one,
            "matchers": withholding.texts_of(one),
            "running": bool(spans[one.pk]) and spans[one.pk][0][0] <= now,
            "next": [(datetime_of(start), datetime_of(end)) for start, end in spans[one.pk][:NEXT_LISTED]],
            "good": humanize.ago(one.good_at, now),
            "withheld": getattr(counts.get(("maintenance", str(one.pk))), "count", 0),
            "may_change": may(by, CHANGE, one) and one.pk not in beyond,
            "may_delete": may(by, DELETE, one),
        }
        for one in found
    ]
    context = {"rows": rows, "may_add": may(by, CREATE, Maintenance), "unreadable": withholding.UNREADABLE}
    return render(request, "maintenance/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make a maintenance."""
    by = of_visitor(request)
    check(by, CREATE, Maintenance)
    typed = Typed(matchers=request.GET.get("matchers", ""), time_zone=get_current_timezone_name())
    return _form(request, by, typed, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a maintenance."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, CHANGE, row)
    check_muted(by, row)
    access, is_usual = access_of(row), row.repeat in REPEATS
    typed = Typed(
        matchers=silences.text_of(row),
        comment=row.comment,
        time_zone=row.time_zone,
        start=row.start,
        lasts=_lasts(row.lasts_s) if row.lasts_s else "1h",
        repeat=row.repeat if is_usual else "other",
        rule="" if is_usual else row.repeat,
        enabled=row.enabled,
        everyone=access.everyone,
        teams=access.teams,
    )
    return _form(request, by, typed, row)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a maintenance."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, DELETE, row)
    lost, listed = "Its windows are removed with it, also from charts of the past.", reverse("maintenance")
    way = [("Alerts", reverse("alerts")), ("Maintenance", listed)]
    return confirm(request, Removal(row.comment, lost, way, listed), lambda: actions.delete(by, id))


def _lasts(lasts_s: int) -> str:
    return next((f"{lasts_s // size}{unit}" for size, unit in UNITS if lasts_s % size == 0), f"{lasts_s}s")


def _form(request: HttpRequest, by: Principal, typed: Typed, row: Maintenance | None) -> HttpResponse:
    if request.method == "POST":
        typed = Typed.of(request)
        try:
            saved = _save(by, typed, row)
        except Invalid as problem:
            typed = typed.refused(problem)
        else:
            messages.success(request, f"{saved.comment} is saved.")
            return redirect("maintenance")
    context: dict[str, Any] = {
        "row": row,
        "typed": typed,
        "repeats": REPEATS,
        "zones": sorted(known()),
        "teams": typed.choices(by),
    }
    return render(request, "maintenance/form.html", context, status=422 if typed.errors else 200)


def _save(by: Principal, typed: Typed, row: Maintenance | None) -> Maintenance:
    errors = Errors()
    given: list[Matcher] = []
    window = Window(typed.time_zone)
    with errors:
        given = silences.read(typed.matchers)
    with errors:
        window = _window(typed, row)
    errors.check()
    if row is None:
        return actions.create(by, given, window, typed.comment, typed.access)
    return actions.change(by, row.pk, given, window, typed.comment, typed.enabled, typed.access)


def _window(typed: Typed, row: Maintenance | None) -> Window:
    if typed.url.strip():
        return Window(typed.time_zone, url=typed.url.strip())
    start = local_times.read_local(typed.start, "start")
    if start is None and row is not None and row.url:
        return Window(typed.time_zone, url=None)
    try:
        lasts_s = seconds(typed.lasts)
    except ValueError as problem:
        raise Invalid("lasts", f"lasts: {problem}") from None
    return Window(typed.time_zone, start, lasts_s, typed.rule if typed.repeat == "other" else typed.repeat, "")
