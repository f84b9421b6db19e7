"""The pages of channels: the list, one with what was sent through it, making, changing, testing and removing one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import BaseModel, Field

from metrics.access.policy import CHANGE, CREATE, DELETE, TRUSTED, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import channel_configs, credentials
from metrics.actions import channels as actions
from metrics.actions.errors import Errors, Invalid, TooOften
from metrics.actions.source_status import SourceStatus
from metrics.alerts.digest import DigestSpec
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import fields_of
from metrics.kind_groups import CHANNELS
from metrics.models import Channel, Delivery
from metrics.notify.message import Message
from metrics.notify.registry import kinds
from metrics.notify.rendering import subject
from metrics.times import datetime_of
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.removal import Removal, confirm

CHANNEL, CONFIG = "channel", "config"
FAILED_WITHIN = timedelta(days=7)
LISTED_MOST = 100
LISTED_BY = ("team__name", "position", "pk")
LEVELS = {
    Delivery.WAITING: "warn",
    Delivery.SENDING: "warn",
    Delivery.SENT: "ok",
    Delivery.FAILED: "critical",
    Delivery.REPLACED: "nodata",
    Delivery.HELD: "warn",
    Delivery.GATHERED: "ok",
}


class ChannelFields(BaseModel):
    """The fields of every channel."""

    name: str = Field(max_length=100, description="The name that people call it by.")
    fallback: bool = Field(
        default=False,
        title="Only as a fallback",
        description="It gets only what another channel of its team did not deliver.",
    )
    enabled: bool = Field(default=True, description="Turned off, nothing goes through it.")
    position: int | None = Field(
        default=None,
        ge=0,
        le=actions.POSITION_MOST,
        description="Its place: those behind it step in for it. Else the last.",
    )
    digest: DigestSpec | None = Field(
        default=None, description="One message at chosen times instead of one for each; without it, at once."
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery in a list: its `status`, what it is about, its `channel`, when it was queued, and what came of it.

    `next_at` is when it is tried again, if it waits, or when its digest is.
    """

    id: int
    status: SourceStatus
    subject: str
    at: Any
    ago: str
    attempts: int
    said: str
    next_at: Any
    is_test: bool


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All channels, with what went through each last and how much failed lately."""
    by, now = of_visitor(request), time.time()
    check(by, CREATE, Channel)
    newest = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    found = list(visible(by, Channel).select_related("team").annotate(newest=Subquery(newest)).order_by(*LISTED_BY))
    last = Delivery.objects.in_bulk([one.newest for one in found if one.newest is not None])
    lately = Delivery.objects.filter(state=Delivery.FAILED, created_at__gte=datetime_of(now) - FAILED_WITHIN)
    failed = dict(lately.filter(channel__in=found).order_by().values_list("channel").annotate(Count("pk")))
    rows = [
        {
            "channel": one,
            "where": channel_configs.where(one),
            "last": sent(last[one.newest], now) if one.newest in last else None,
            "failed": failed.get(one.pk, 0),
            "may_change": may(by, CHANGE, one),
        }
        for one in found
    ]
    return render(request, "channel/list.html", {"rows": rows})


@require_safe
@page
def channel(request: HttpRequest, id: int) -> HttpResponse:
    """One channel; htmx fetches what was sent through it anew every few seconds."""
    return _page(request, actions.find(of_visitor(request), id))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Choose a kind, then make a channel of it."""
    by, kind = of_visitor(request), request.GET.get("kind", "")
    check(by, CREATE, Channel)
    if kind not in kinds():
        groups = [(heading, [actions.about(one) for one in found]) for heading, found in CHANNELS.of(kinds().values())]
        return render(request, "channel/kinds.html", {"groups": groups})
    draft = Draft.of(_parts(kind), {CHANNEL: {"enabled": True}}, _folded(kind))
    return _form(request, by, draft, kind, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a channel."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, CHANGE, found)
    if found.kind not in kinds():
        raise Http404(f"There is no kind of channel {found.kind} any more.")
    own = {name: getattr(found, name) for name in actions.FIELDS}
    draft = Draft.of(_parts(found.kind), {CHANNEL: own, CONFIG: found.config}, _folded(found.kind))
    draft = replace(draft, kept={CONFIG: credentials.kept(found.secrets)})
    return _form(request, by, draft, found.kind, found)


@require_POST
@page
def test(request: HttpRequest, id: int) -> HttpResponse:
    """Have a test go through a channel."""
    by = of_visitor(request)
    found = actions.find(by, id)
    refused = ""
    try:
        actions.test(by, id)
    except (Invalid, TooOften) as problem:
        refused = str(problem)
    if getattr(request, "htmx", False):
        return _page(request, found, refused)
    if refused:
        messages.error(request, refused)
    return redirect("channel", id)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a channel."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, DELETE, found)
    lost, listed = "Nobody is told through it any more, and what it told is forgotten.", reverse("channels")
    if waiting := found.deliveries.filter(state__in=(*Delivery.OPEN, Delivery.HELD)).count():
        lost += f" {waiting} message{' that waits' if waiting == 1 else 's that wait'} will not be sent."
    way = [("Alerts", reverse("alerts")), ("Channels", listed), (found.name, reverse("channel", args=[id]))]
    return confirm(request, Removal(found.name, lost, way, listed), lambda: actions.delete(by, id))


def sent(row: Delivery, now: float) -> Sent:
    """Return a delivery as lists show it."""
    document = {**row.document, "chart": None}
    return Sent(
        id=row.pk,
        status=SourceStatus(row.state, LEVELS[row.state]),
        subject=subject(Message.of(document)),
        at=row.created_at,
        ago=humanize.ago(row.created_at, now) or "",
        attempts=row.attempts,
        said=row.error or row.receipt.get("said", ""),
        next_at=row.next_at if (row.state == Delivery.WAITING and row.attempts) or row.state == Delivery.HELD else None,
        is_test=row.document["state"] == "test",
    )


def _page(request: HttpRequest, found: Channel, refused: str = "") -> HttpResponse:
    by, now = of_visitor(request), time.time()
    rows = [sent(one, now) for one in found.deliveries.order_by("-pk")[:LISTED_MOST]]
    tested = next((one for one in rows if one.is_test), None)
    context = {
        "channel": found,
        "where": channel_configs.where(found),
        "is_gone": found.kind not in kinds(),
        "digest": channel_configs.digest_of(found),
        "rows": rows,
        "tested": tested,
        "refused": refused,
        "may_change": may(by, CHANGE, found),
    }
    part = getattr(request, "htmx", False)
    return render(request, "channel/_state.html" if part else "channel/page.html", context)


def _parts(kind: str) -> Parts:
    return {CHANNEL: fields_of(ChannelFields), CONFIG: fields_of(kinds()[kind].config_class)}


def _folded(kind: str) -> dict[str, set[str]]:
    optional = {field.name for field in fields_of(kinds()[kind].config_class) if not field.required}
    return {CHANNEL: {"position", "digest"}, CONFIG: optional}


def _form(request: HttpRequest, by: Principal, draft: Draft, kind: str, found: Channel | None) -> HttpResponse:
    """Show the form of a channel, or save it."""
    context: dict[str, Any] = {
        "channel": found,
        "kind": kind,
        "about": actions.about(kinds()[kind])["about"],
        "form_url": request.path if found else f"{request.path}?kind={kind}",
        "teams": [team.name for team in actions.teams_of(by)],
        "team": request.POST.get("team", ""),
        "may_trust": may(by, CREATE, TRUSTED),
        "may_installation": may(by, CREATE, Channel(kind=kind)),
    }
    if request.method != "POST":
        return _drawn(request, draft, context)
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _drawn(request, changed, context)
    try:
        saved = _save(by, draft, kind, found, context["team"])
    except Invalid as problem:
        refused = draft.refused([(_place(where), said) for where, said in problem.all])
        return _drawn(request, refused, context, status=422)
    messages.success(request, f"{saved.name} is saved.")
    return redirect("channel", saved.pk)


def _save(by: Principal, draft: Draft, kind: str, found: Channel | None, team: str) -> Channel:
    values, unreadable = draft.read()
    errors = Errors()
    errors.found += unreadable
    errors.check()
    given: Mapping[str, Any] = {"fallback": False, "enabled": True, **values[CHANNEL]}
    typed = str(given.get("position") or "").strip()
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 10):
        raise Invalid("position", f"position: {typed[:20]!r} is no whole number.")
    position = int(typed) if typed else None
    name, fallback, enabled = str(given.get("name", "")), bool(given["fallback"]), bool(given["enabled"])
    digest = {field: value for field, value in (given.get("digest") or {}).items() if value not in (None, "", [])}
    if not {"at", "every"} & digest.keys():  # its other fields say nothing without a time
        digest = {}
    if found is None:
        own: dict[str, Any] = {"enabled": enabled, "fallback": fallback, "position": position, "digest": digest}
        return actions.create(by, kind, name, values[CONFIG], team, **own)
    changes = {"name": name, "fallback": fallback, "enabled": enabled, "config": values[CONFIG], "digest": digest}
    return actions.change(by, found.pk, changes | ({} if position is None else {"position": position}))


def _place(where: str) -> str:
    """Return the entry that a refused field is beside: the config is a part of the form, and so is the rest."""
    part = where.partition(".")[0]
    return where if part in (CONFIG, CHANNEL) else f"{CHANNEL}.{where}"


def _drawn(request: HttpRequest, draft: Draft, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "channel/form.html", {**context, "draft": draft, "forms": draft.forms()}, status=status)
