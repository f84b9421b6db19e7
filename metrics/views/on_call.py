"""The pages of who is on call: now and next, four weeks of a schedule, overrides, and its calendar for others."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import ACKNOWLEDGE, CHANGE, CREATE, DELETE, check, may
from metrics.access.principal import of_user, of_visitor
from metrics.actions import on_call, schedules
from metrics.actions.errors import Errors, Invalid, Missing
from metrics.actions.on_call import OnDuty, Shift
from metrics.models import Alert, Schedule
from metrics.models.log import sender
from metrics.times import datetime_of
from metrics.views import humanize, local_times
from metrics.views.access import page
from metrics.views.refusals import sentence
from metrics.views.removal import Removal, confirm

WEEKS = 4
AHEAD_S = 60 * 86_400.0
COLOURS = 8
DAY_WIDTH = 1440


@dataclass(frozen=True, slots=True)
class Line:
    """`who` has a part of a day, `from_` a time of it, empty if from its start; `colour` is one of 1 to 8."""

    who: str
    from_: str
    colour: int
    is_override: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar, a `weekday`: its `lines`, and `bars` (x, width, colour) of `DAY_WIDTH` in all.

    `label` is its number, with the month on the first day of one.
    """

    date: datetime
    label: str
    weekday: str
    is_today: bool
    lines: tuple[Line, ...]
    bars: tuple[tuple[float, float, int], ...]


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """Every schedule: who it is now, and who comes next."""
    by, now = of_visitor(request), time.time()
    found = list(schedules.listed(by))
    duties = on_call.on_duty_of(found, now, AHEAD_S)
    rows = [{"one": one, "teams": one.teams.all(), **now_and_next(duties[one.pk], now)} for one in found]
    return render(request, "on_call/list.html", {"rows": rows, "may_add": may(by, CREATE, Schedule)})


@require_safe
@page
def schedule(request: HttpRequest, id: int) -> HttpResponse:
    """One schedule: four weeks of it, and its overrides."""
    return _page(request, id, {})


def now_and_next(found: OnDuty, now: float) -> dict[str, Any]:
    """Return who is on call `now`, until when, and who comes next."""
    return {
        "now": on_call.names_of(found.now) if found.now else "",
        "is_override": any(one.is_override for one in found.now),
        "unknown": [one.who for one in found.now if one.user is None],
        "until": datetime_of(found.until),
        "left": humanize.age(found.until - now) if found.until is not None else "",
        "next": on_call.names_of(found.next) if found.next else "",
    }


def weeks(shifts: list[Shift], zone: ZoneInfo, now: float) -> list[list[Day]]:
    """Return four weeks from Monday on, as days of `zone`."""
    names = sorted({on_call.full_name(one) for one in shifts})
    colours = {name: number % COLOURS + 1 for number, name in enumerate(names)}
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    monday = today - timedelta(days=today.weekday())
    days = [_day(monday + timedelta(days=n), today, shifts, zone, colours) for n in range(7 * WEEKS)]
    return [days[n : n + 7] for n in range(0, len(days), 7)]


def _day(local: datetime, today: datetime, shifts: list[Shift], zone: ZoneInfo, colours: dict[str, int]) -> Day:
    start = local.replace(tzinfo=zone).timestamp()
    end = (local + timedelta(days=1)).replace(tzinfo=zone).timestamp()
    lines, bars = [], []
    for one in shifts:
        if one.start < end and one.end > start:
            name = on_call.full_name(one)
            begins = datetime.fromtimestamp(one.start, zone).strftime("%H:%M") if one.start > start else ""
            lines.append(Line(name, begins, colours[name], one.is_override))
            left, right = (max(one.start, start) - start), (min(one.end, end) - start)
            x, width = (DAY_WIDTH * value / (end - start) for value in (left, right - left))
            bars.append((round(x, 1), round(width, 1), colours[name]))
    label = f"{local:%-d %b}" if local.day == 1 or local == today else f"{local:%-d}"
    return Day(local.replace(tzinfo=zone), label, f"{local:%a}", local == today, tuple(lines), tuple(bars))


def _page(request: HttpRequest, id: int, more: dict[str, Any], status: int = 200) -> HttpResponse:
    by, now = of_visitor(request), time.time()
    row = schedules.listed(by).filter(pk=id).first()
    if row is None:
        raise Missing(f"There is no schedule {id}.")
    zone = schedules.zone(row)
    shifts = on_call.shifts([row], now - 7 * 86_400, now + AHEAD_S)[row.pk]
    context = {
        "schedule": row,
        "zone": zone,
        "weeks": weeks(shifts, zone, now),
        **now_and_next(on_call.on_duty([one for one in shifts if one.end > now], now, now + AHEAD_S), now),
        "viewers": _who_only_look([one for one in shifts if one.end > now]),
        "good": humanize.ago(row.good_at, now),
        "overrides": [(one, sender(one.by)) for one in row.overrides.all() if one.ends_at > datetime_of(now)],
        "may_change": may(by, CHANGE, row),
        "people": User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True),
        "typed": {"starts": local_times.write(datetime_of(now), zone), "ends": ""},
        **more,
    }
    return render(request, "on_call/page.html", context, status=status)


def _who_only_look(shifts: list[Shift]) -> list[str]:
    """Return the names of all who are on call and may acknowledge nothing."""
    people = {one.user.pk: one for one in shifts if one.user is not None}.values()
    return sorted(
        on_call.full_name(one) for one in people if one.user and not may(of_user(one.user), ACKNOWLEDGE, Alert)
    )


@require_POST
@page
def override(request: HttpRequest, id: int) -> HttpResponse:
    """Have somebody else be on call, or end that; times are those of the schedule's zone."""
    by = of_visitor(request)
    number = request.POST.get("end", "")
    if number.isdecimal() and len(number) < 19:
        schedules.end_override(by, id, int(number))
        messages.success(request, "The override has ended.")
        return redirect("on-call-schedule", id)
    zone = schedules.zone(schedules.find(by, id))
    errors = Errors()
    times: dict[str, datetime] = {}
    for name, field in (("starts", "starts_at"), ("ends", "ends_at")):
        with errors:
            found = local_times.read(request.POST.get(name, ""), field, zone)
            if found is None:
                raise Invalid(field, f"{field}: it has to be given.")
            times[field] = found
    try:
        errors.check()
        schedules.override(by, id, request.POST.get("who", ""), **times)
    except Invalid as problem:
        wrong = {where: sentence(said) for where, said in problem.all}
        typed = {name: request.POST.get(name, "") for name in ("who", "starts", "ends")}
        return _page(request, id, {"errors": wrong, "typed": typed}, 422)
    messages.success(request, f"{request.POST['who']} is on call instead.")
    return redirect("on-call-schedule", id)


@require_POST
@page
def new_link(request: HttpRequest, id: int) -> HttpResponse:
    """Make the secret address of the schedule's calendar anew, and show it this once."""
    secret = schedules.new_link(of_visitor(request), id)
    link = request.build_absolute_uri(f"{reverse('on-call-calendar', args=[id])}?key={secret}")
    return _page(request, id, {"link": link})


@require_safe
def calendar(request: HttpRequest, id: int) -> HttpResponse:
    """A schedule as a calendar, for programs that know its secret."""
    try:
        row = on_call.by_link(id, request.GET.get("key", ""))
    except Missing as problem:
        raise Http404(str(problem)) from None
    answer = HttpResponse(on_call.calendar(row, time.time()), content_type="text/calendar; charset=utf-8")
    answer["Cache-Control"] = "private, max-age=300"
    answer["Content-Disposition"] = f'inline; filename="on-call-{row.pk}.ics"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a schedule."""
    by = of_visitor(request)
    row = schedules.find(by, id)
    check(by, DELETE, row)
    lost, listed = "Nobody is on call by it any more, and its calendar ends.", reverse("on-call")
    way = [("On call", listed), (row.name, reverse("on-call-schedule", args=[id]))]
    return confirm(request, Removal(row.name, lost, way, listed), lambda: schedules.delete(by, id))
