"""The pages of silences: the list, making and changing one with the alerts that it mutes, and ending one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CHANGE, CREATE, check, check_muted, may, muted_beyond, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import alerts, withholding
from metrics.actions import silences as actions
from metrics.actions.alert_rows import row
from metrics.actions.errors import Errors, Invalid
from metrics.actions.teams import access_of
from metrics.alerts import matchers
from metrics.alerts.matchers import Matcher, in_common
from metrics.models import Alert, Silence
from metrics.models.log import sender
from metrics.times import datetime_of
from metrics.views import humanize, local_times
from metrics.views import typed as typed_form
from metrics.views.access import page
from metrics.views.refusals import OUT_OF_DATE, sentence

FOR_HOURS = {"1": "1 h", "4": "4 h", "24": "1 day"}
"""Lengths that the pages offer, besides until a time."""
ALERTS_MOST = 200
"""How many alerts the matchers of a silence are taken from."""
MUTED_LISTED = 20
EXPIRED_LISTED = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One silence in the list: its `matchers` as texts, and what it `withheld`; `left` are words, and so is `by`."""

    silence: Silence
    state: str
    matchers: Sequence[str]
    by: str
    left: str
    withheld: int
    may_change: bool
    may_end: bool


@dataclass(frozen=True, slots=True)
class Typed(typed_form.Typed):
    """A silence as it was typed."""

    matchers: str = ""
    hours: str = "1"
    until: str = ""
    starts: str = ""
    comment: str = ""


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All silences: those that are active, those to come, and those that are over."""
    by, now = of_visitor(request), time.time()
    found, moment = actions.listed(by), datetime_of(now)
    sections = [
        (title, [one for one in found if actions.state(one, moment) == state][:most])
        for title, state, most in (
            ("Active", actions.ACTIVE, None),
            ("To come", actions.PENDING, None),
            ("Over", actions.EXPIRED, EXPIRED_LISTED),
        )
    ]
    counts = withholding.counts(("silence", str(one.pk)) for _, those in sections for one in those)
    beyond = muted_beyond(by, found)
    context = {
        "sections": [
            (title, [_line(by, one, counts, beyond, now) for one in those]) for title, those in sections if those
        ],
        "may_add": may(by, CREATE, Silence),
        "hours": FOR_HOURS,
        "unreadable": withholding.UNREADABLE,
    }
    return render(request, "silence/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make a silence; matchers, or alerts to take them from, may come with the address."""
    by = of_visitor(request)
    check(by, CREATE, Silence)
    typed = Typed(matchers=request.GET.get("matchers", ""))
    ids = [int(id) for id in request.GET.getlist("alert")[:ALERTS_MOST] if id.isdecimal() and len(id) < 19]
    if ids:
        typed = Typed(matchers=matchers.written(in_common(_chosen(by, ids))))
    return _form(request, by, typed, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: UUID) -> HttpResponse:
    """Change a silence."""
    by = of_visitor(request)
    silence = actions.find(by, str(id))
    check(by, CHANGE, silence)
    check_muted(by, silence)
    access = access_of(silence)
    typed = Typed(
        matchers=actions.text_of(silence),
        hours="",
        until=local_times.write(silence.ends_at),
        starts=local_times.write(silence.starts_at),
        comment=silence.comment,
        everyone=access.everyone,
        teams=access.teams,
    )
    return _form(request, by, typed, silence)


@require_POST
@page
def extend(request: HttpRequest, id: UUID) -> HttpResponse:
    """Have a silence end some hours later."""
    by = of_visitor(request)
    silence = actions.find(by, str(id))
    hours = request.POST.get("hours", "")
    try:
        if hours not in FOR_HOURS:
            raise Invalid("hours", OUT_OF_DATE)
        ends_at = silence.ends_at + timedelta(hours=int(hours))
        given = actions.kept(silence)
        made = actions.set(by, given, silence.starts_at, ends_at, silence.comment, id=str(id))
        messages.success(request, f"It lasts until {local_times.say(made.ends_at)} now.")
    except Invalid as problem:
        messages.error(request, str(problem))
    return redirect("silences")


@require_POST
@page
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """End a silence now."""
    actions.expire(of_visitor(request), str(id))
    messages.success(request, "It is over: its alerts are told again.")
    return redirect("silences")


def _line(
    by: Principal, one: Silence, counts: dict[tuple[str, str], withholding.Counted], beyond: set[UUID], now: float
) -> Line:
    state = actions.state(one, datetime_of(now))
    left = one.starts_at if state == actions.PENDING else one.ends_at
    counted = counts.get(("silence", str(one.pk)))
    return Line(
        silence=one,
        state=state,
        matchers=withholding.texts_of(one),
        by=sender(one.by),
        left=humanize.age(abs(left.timestamp() - now)),
        withheld=counted.count if counted else 0,
        may_change=state != actions.EXPIRED and may(by, CHANGE, one) and one.pk not in beyond,
        may_end=state != actions.EXPIRED and may(by, CHANGE, one),
    )


def _chosen(by: Principal, ids: Sequence[int]) -> list[dict[str, str]]:
    """Return the name and the labels of the series of the alerts `ids`, but of those that are gone. Raises Missing."""
    found = list(visible(by, Alert).select_related("rule").filter(pk__in=ids)) or [alerts.find(by, ids[0])]
    return [{"alertname": one.rule.name, **one.labels} for one in found]


def _form(request: HttpRequest, by: Principal, typed: Typed, silence: Silence | None) -> HttpResponse:
    if request.method == "POST":
        typed = Typed.of(request)
    context: dict[str, Any] = {"silence": silence, "hours": FOR_HOURS, **_muted(by, typed.matchers)}
    if request.method == "POST" and request.GET.get("do") == "look":
        if getattr(request, "htmx", False):
            return render(request, "silence/_muted.html", context)
    elif request.method == "POST":
        try:
            saved = _save(by, typed, silence)
            messages.success(request, f"Alerts that match are not told until {local_times.say(saved.ends_at)}.")
            return redirect("silences")
        except Invalid as problem:
            typed = typed.refused(problem)
    context |= {"typed": typed, "teams": typed.choices(by)}
    return render(request, "silence/form.html", context, status=422 if typed.errors else 200)


def _save(by: Principal, typed: Typed, silence: Silence | None) -> Silence:
    errors = Errors()
    given: list[Matcher] = []
    starts_at = ends_at = None
    with errors:
        given = actions.read(typed.matchers)
    with errors:
        starts_at = local_times.read(typed.starts, "starts_at")
    with errors:
        ends_at = _ends_at(typed, starts_at)
    errors.check()
    assert ends_at is not None
    if silence is not None and typed.starts == local_times.write(silence.starts_at):
        starts_at = silence.starts_at
    id = str(silence.pk) if silence else None
    return actions.set(by, given, starts_at, ends_at, typed.comment, id=id, access=typed.access)


def _ends_at(typed: Typed, starts_at: datetime | None) -> datetime:
    if typed.hours in FOR_HOURS:
        now = datetime_of(time.time())
        return max(starts_at or now, now) + timedelta(hours=int(typed.hours))
    found = local_times.read(typed.until, "ends_at")
    if found is None:
        raise Invalid("ends_at", "ends_at: it has to be given.")
    return found


def _muted(by: Principal, text: str) -> dict[str, Any]:
    """Return the alerts that matchers would mute now, for `silence/_muted.html`."""
    if not text.strip():
        return {"rows": [], "total": 0, "nothing": True}
    try:
        given = actions.read(text)
        actions.check_matchers(given)
    except Invalid as problem:
        return {"rows": [], "total": 0, "refused": sentence(str(problem))}
    found, now = actions.muted(by, given, MUTED_LISTED), time.time()
    return {
        "rows": [row(one, now) for one in found.alerts],
        "total": found.total,
        "more": found.total - len(found.alerts),
    }
