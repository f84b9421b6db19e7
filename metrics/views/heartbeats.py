"""The pages of heartbeats: the list, one of them, making and changing one."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, may
from metrics.access.principal import of_visitor
from metrics.actions import heartbeats as actions
from metrics.actions.errors import Invalid
from metrics.actions.source_status import SourceStatus
from metrics.heartbeat import State
from metrics.models import Heartbeat, Ping
from metrics.views import humanize
from metrics.views.access import page, page_for
from metrics.views.removal import Removal, confirm
from metrics.views.source_list import Count

LEVELS = {State.UP: "ok", State.LATE: "warn", State.DOWN: "critical", State.NEW: "nodata", State.PAUSED: "nodata"}
FIRST = (State.DOWN, State.LATE, State.NEW)
"""States that need somebody, the worst first; the others follow by name."""
WORST_FIRST = Case(*(When(state=state, then=place) for place, state in enumerate(FIRST)), default=len(FIRST))
PINGS_LISTED = 20
BODY_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One heartbeat, and how it stands.

    `schedule`, `last` and `took` are words, empty where there is nothing to say; `next` tells what is awaited when.
    """

    id: int
    name: str
    status: SourceStatus
    schedule: str
    last: str
    took: str
    next: str


@dataclass(frozen=True, slots=True)
class PingLine:
    """One ping: how long `ago`, what it said, with the `level` of its mark, how long the run `took`, and its `body`."""

    ago: str
    said: str
    level: str
    run: str
    took: str
    body: str


class HeartbeatForm(forms.Form):
    """Form of a heartbeat."""

    name = forms.CharField(max_length=100)
    every_s = forms.IntegerField(
        label="Every", required=False, min_value=1, max_value=366 * 86_400, help_text="Seconds between two pings."
    )
    cron = forms.CharField(
        required=False, max_length=100, help_text="Or when the job runs, as its crontab has it: 30 3 * * *"
    )
    time_zone = forms.CharField(max_length=50, help_text="Where the crontab's clock hangs.")
    grace_s = forms.IntegerField(
        label="Grace",
        min_value=0,
        max_value=actions.GRACE_MOST_S,
        help_text="Seconds a ping may be late, or a run last.",
    )


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All heartbeats, what is wrong first; htmx fetches the rows anew every few seconds."""
    now = time.time()
    rows = [_row(one, now) for one in Heartbeat.objects.order_by(WORST_FIRST, "name")]
    counted = Counter(row.status for row in rows)
    counts = [Count(how, counted[how]) for how in map(_status, FIRST) if counted[how]]
    part = getattr(request, "htmx", False)
    context = {"rows": rows, "counts": counts, "may_add": may(of_visitor(request), CREATE, Heartbeat)}
    return render(request, "heartbeat/_rows.html" if part else "heartbeat/list.html", context)


@require_safe
@page
def heartbeat(request: HttpRequest, id: int) -> HttpResponse:
    """One heartbeat with its newest pings. People who may change it also see where it is pinged."""
    found, now = get_object_or_404(Heartbeat, pk=id), time.time()
    pings = [_line(one, now) for one in found.pings.order_by("-id")[:PINGS_LISTED]]
    may_change = may(of_visitor(request), CHANGE, found)
    url = actions.ping_url(found, request.build_absolute_uri("/")) if may_change else ""
    context = {"heartbeat": found, "row": _row(found, now), "pings": pings, "url": url, "may_change": may_change}
    part = getattr(request, "htmx", False)
    return render(request, "heartbeat/_state.html" if part else "heartbeat/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CREATE, Heartbeat)
def new(request: HttpRequest) -> HttpResponse:
    """Make a heartbeat."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CHANGE, Heartbeat)
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a heartbeat."""
    return _form(request, get_object_or_404(Heartbeat, pk=id))


@require_POST
@page_for(CHANGE, Heartbeat)
def pause(request: HttpRequest, id: int) -> HttpResponse:
    """Expect nothing of it until its next ping."""
    actions.pause(of_visitor(request), get_object_or_404(Heartbeat, pk=id))
    messages.success(request, "It is paused until its next ping.")
    return redirect("heartbeat", id)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CHANGE, Heartbeat)
def rotate(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then replace where it is pinged."""
    found = get_object_or_404(Heartbeat, pk=id)
    if request.method != "POST":
        return render(request, "heartbeat/rotate.html", {"heartbeat": found})
    actions.rotate(of_visitor(request), found)
    messages.success(request, "It has a new address; the old one no longer works.")
    return redirect("heartbeat", id)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(DELETE, Heartbeat)
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a heartbeat."""
    found = get_object_or_404(Heartbeat, pk=id)
    lost = "Its address will no longer take pings, and its pings are removed. Its series and their samples stay."
    way = [("Heartbeats", reverse("heartbeats")), (found.name, reverse("heartbeat", args=[id]))]
    removal = Removal(found.name, lost, way, reverse("heartbeats"))
    return confirm(request, removal, lambda: actions.delete(of_visitor(request), found))


def _form(request: HttpRequest, found: Heartbeat | None) -> HttpResponse:
    initial: dict[str, Any] = {"time_zone": settings.TIME_ZONE, "grace_s": 300}
    if found is not None:
        initial = {name: getattr(found, name) for name in HeartbeatForm.base_fields}
    form = HeartbeatForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            by, fields = of_visitor(request), form.cleaned_data
            saved = actions.create(by, **fields) if found is None else actions.change(by, found, **fields)
            messages.success(request, f"{saved.name} is saved.")
            return redirect("heartbeat", saved.pk)
        except Invalid as problem:
            field = {"every": "every_s", "grace": "grace_s"}.get(problem.field, problem.field)
            form.add_error(field, str(problem))
    name = "" if found is None else Heartbeat.objects.values_list("name", flat=True).get(pk=found.pk)
    context = {"form": form, "heartbeat": found, "name": name}
    return render(request, "heartbeat/form.html", context, status=422 if form.errors else 200)


def _row(heartbeat: Heartbeat, now: float) -> Row:
    state = State(heartbeat.state)
    return Row(
        id=heartbeat.pk,
        name=heartbeat.name,
        status=_status(state),
        schedule=humanize.schedule(heartbeat),
        last=humanize.ago(heartbeat.last_at, now),
        took=humanize.duration(heartbeat.duration_s),
        next=_next(heartbeat, state, now),
    )


def _status(state: State) -> SourceStatus:
    return SourceStatus(state.value, LEVELS[state])


def _next(heartbeat: Heartbeat, state: State, now: float) -> str:
    if heartbeat.starts:
        began = min(heartbeat.starts.values())
        return f"runs for {humanize.age(now - began)}"
    if state in (State.NEW, State.UP) and heartbeat.late_at:
        return f"due within {humanize.age(heartbeat.late_at.timestamp() - now)}"
    if state is State.LATE and heartbeat.down_at:
        return f"down in {humanize.age(heartbeat.down_at.timestamp() - now)}"
    return ""


def _line(ping: Ping, now: float) -> PingLine:
    failed = ping.signal == "fail"
    said = ping.signal if ping.exit_status is None else f"exit code {ping.exit_status}"
    return PingLine(
        ago=humanize.ago(ping.at, now),
        said=said,
        level="critical" if failed else "nodata" if ping.signal == "start" else "ok",
        run=ping.run,
        took=humanize.duration(ping.duration_s),
        body=ping.body[:BODY_SHOWN],
    )
