"""The pages of webhooks for alerts: the list, making and changing one with the alerts of an example, removing one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import BaseModel, Field

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import alert_webhooks as actions
from metrics.actions.errors import Errors, Invalid
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import fields_of
from metrics.ingest.alert_mapping import AlertMapping
from metrics.models import AlertWebhook
from metrics.times import datetime_of
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.removal import Removal, confirm
from metrics.views.sharing import names_for

WEBHOOK, MAPPING = "webhook", "mapping"
FOLDED = {MAPPING: {"link", "value", "since"}}
EXAMPLE = '{"check": {"title": "Backup", "ok": false, "host": "web-1"}, "message": "No backup since Monday."}'
STARTS_WITH = {"name": "check.title", "state": "!(check.ok)", "text": "message", "labels": {"host": "check.host"}}
"""A mapping of the example that a new webhook begins with."""


class WebhookFields(BaseModel):
    """The fields of every webhook beside its mapping."""

    name: str = Field(max_length=actions.NAME_MOST, description="The name that people call it by, such as uptime.")


@dataclass(frozen=True, slots=True)
class Found:
    """The alerts that a mapping finds in an example: the first of `alerts`, how many `more`, and what is `wrong`."""

    alerts: list[dict[str, Any]]
    more: int
    wrong: list[str]


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All webhooks for alerts, and when something came last."""
    return _list(request)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make a webhook; its address is shown this once."""
    by = of_visitor(request)
    check(by, CREATE, AlertWebhook)
    return _form(request, by, Draft.of(_parts(), {MAPPING: STARTS_WITH}, FOLDED), None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change the name and the mapping of a webhook; its address stays."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, CHANGE, found)
    mapping = actions.document_of(found) if actions.is_readable(found) else STARTS_WITH
    return _form(request, by, Draft.of(_parts(), {WEBHOOK: {"name": found.name}, MAPPING: mapping}, FOLDED), found)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a webhook."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, DELETE, found)
    used, listed = _used(found), reverse("alert-webhooks")
    came = f" Something came {used}." if used else ""
    lost = f"Its address takes no alerts any more.{came} Alerts that it took stay until they are over."
    way = [("Alerts", reverse("alerts")), ("Incoming webhooks", listed)]
    return confirm(request, Removal(found.name, lost, way, listed), lambda: actions.delete(by, id))


def _list(request: HttpRequest, made: AlertWebhook | None = None, url: str = "") -> HttpResponse:
    by = of_visitor(request)
    check(by, CREATE, AlertWebhook)
    rows = [
        {
            "webhook": one,
            "mapping": actions.document_of(one),
            "teams": sorted(team.name for team in one.teams.all()),
            "used": _used(one),
            "may_change": may(by, CHANGE, one),
        }
        for one in visible(by, AlertWebhook).prefetch_related("teams")
    ]
    return render(request, "alert_webhook/list.html", {"rows": rows, "made": made, "url": url})


def _used(webhook: AlertWebhook) -> str:
    return humanize.ago(webhook.last_used_at, time.time()) or ""


def _parts() -> Parts:
    return {WEBHOOK: fields_of(WebhookFields), MAPPING: fields_of(AlertMapping)}


def _form(request: HttpRequest, by: Principal, draft: Draft, found: AlertWebhook | None) -> HttpResponse:
    """Show the form of a webhook with the alerts of the example, or save it."""
    chosen = request.POST.getlist("teams")
    context: dict[str, Any] = {
        "webhook": found,
        "is_unreadable": found is not None and not actions.is_readable(found),
        "teams": [(name, name in chosen) for name in sorted(names_for(by))],
        "everyone": request.method != "POST" or "everyone" in request.POST,
        "example": request.POST.get("example", "" if found else EXAMPLE),
        "example_most": actions.EXAMPLE_MOST,
    }
    if request.method != "POST":
        return _drawn(request, draft, context)
    draft = replace(draft, typed=request.POST.dict())
    if request.GET.get("do") == "look":
        if getattr(request, "htmx", False):
            return render(request, "alert_webhook/_found.html", {"found": _found(draft, context["example"])})
        return _drawn(request, draft, context)
    try:
        made, key = _save(by, draft, found, Access(everyone=context["everyone"], teams=chosen))
    except Invalid as problem:
        refused = draft.refused([(_place(where), said) for where, said in problem.all])
        return _drawn(request, refused, context, status=422)
    if found is not None:
        messages.success(request, f"{made.name} is saved.")
        return redirect("alert-webhooks")
    return _list(request, made, request.build_absolute_uri(f"/api/v1/alerts/webhook/{key}"))


def _save(by: Principal, draft: Draft, found: AlertWebhook | None, access: Access) -> tuple[AlertWebhook, str]:
    values, unreadable = draft.read()
    errors = Errors()
    errors.found += unreadable
    errors.check()
    name = str(values[WEBHOOK].get("name", ""))
    if found is None:
        return actions.create(by, name, values[MAPPING], access)
    return actions.change(by, found.pk, name, values[MAPPING]), ""


def _found(draft: Draft, example: str) -> Found | None:
    """Return what a draft finds in the example, None without one."""
    if not example.strip():
        return None
    values, unreadable = draft.read()
    if unreadable:
        return Found([], 0, [said for _, said in unreadable])
    try:
        sent = actions.rehearse(values[MAPPING], example, time.time())
    except Invalid as problem:
        return Found([], 0, [said for _, said in problem.all])
    now = time.time()
    alerts = [
        {
            "alert": one,
            "is_over": one.ends_at <= now,
            "since": datetime_of(one.starts_at),
            "labels": sorted(one.labels.items()),
        }
        for one in sent.alerts
    ]
    return Found(alerts, sent.more, list(dict.fromkeys(sent.wrong)))


def _place(where: str) -> str:
    """Return the entry that a refused field is beside."""
    return where if where.partition(".")[0] == MAPPING else f"{WEBHOOK}.{where}"


def _drawn(request: HttpRequest, draft: Draft, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    found = _found(draft, context["example"])
    given = {**context, "draft": draft, "forms": draft.forms(), "found": found, "url": reverse("alert-webhooks")}
    return render(request, "alert_webhook/form.html", given, status=status)
