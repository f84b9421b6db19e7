"""Making and changing a schedule of who is on call."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import get_current_timezone_name
from django.views.decorators.http import require_http_methods

from metrics.access.policy import CHANGE, CREATE, check, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import schedules as actions
from metrics.actions.errors import Conflict, Errors, Invalid
from metrics.actions.suggested import people
from metrics.actions.teams import access_of
from metrics.alerts.rotation import ScheduleSpec
from metrics.forms.draft import Draft
from metrics.forms.fields import fields_of
from metrics.models import Schedule, Team
from metrics.views.access import page
from metrics.views.dashboard_edit import seen
from metrics.views.refusals import by_field
from metrics.zones import known

SPEC = "spec"
TYPED_MOST = 300


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make a schedule."""
    by = of_visitor(request)
    check(by, CREATE, Schedule)
    return _form(request, by, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a schedule."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, CHANGE, row)
    return _form(request, by, row)


def _form(request: HttpRequest, by: Principal, row: Schedule | None) -> HttpResponse:
    is_posted = request.method == "POST"
    if not is_posted and request.GET.get("do") == "suggest":
        found = people(request.GET.get("q", "")[:TYPED_MOST])
        return render(request, "access/_suggestions.html", {"suggested": found})
    access = Access() if row is None else access_of(row)
    chosen = request.POST.getlist("teams") if is_posted else access.teams
    is_known = row is not None and actions.is_readable(row)
    values = actions.spec_of(row).model_dump(mode="json", by_alias=True) if row and is_known else {"layers": [{}]}
    draft = Draft.of({SPEC: fields_of(ScheduleSpec)}, {SPEC: values})
    typed = {
        "name": row.name if row else "",
        "time_zone": row.time_zone if row else get_current_timezone_name(),
        "url": "",
        "elsewhere": bool(row and row.url),
        "everyone": access.everyone,
    }
    context: dict[str, Any] = {
        "schedule": row,
        "form_url": request.path,
        "typed": typed,
        "zones": sorted(known()),
        "teams": [(team.name, team.name in chosen) for team in visible(by, Team)],
        "seen": seen(request) if is_posted else row.revision if row else 0,
    }
    if not is_posted:
        return _page(request, draft, context)
    typed |= {name: request.POST.get(name, "") for name in ("name", "time_zone", "url")}
    typed |= {name: request.POST.get(name) == "on" for name in ("elsewhere", "everyone")}
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _page(request, changed, context)
    try:
        document = _read(draft, typed, row)
        shared = Access(everyone=bool(typed["everyone"]), teams=chosen)
        if row is None:
            saved = actions.create(by, document, shared)
        else:
            saved = actions.change(by, row.pk, document, shared, context["seen"])
    except Invalid as problem:
        draft = draft.refused([(f"{SPEC}.{where}", said) for where, said in problem.all if _is_of_spec(where)])
        errors = by_field((where, said) for where, said in problem.all if not _is_of_spec(where))
        return _page(request, draft, {**context, "typed": {**typed, "errors": errors}}, status=422)
    except Conflict as problem:
        return _page(request, draft, {**context, "conflict": problem}, status=409)
    messages.success(request, f"{saved.name} is saved.")
    return redirect("on-call-schedule", saved.pk)


def _is_of_spec(where: str) -> bool:
    return where.partition(".")[0] in ("layers", "holidays")


def _read(draft: Draft, typed: dict[str, Any], row: Schedule | None) -> dict[str, Any]:
    """Return the document that was typed. Raises Invalid with what can't be read."""
    values, unreadable = draft.read()
    errors = Errors()
    errors.found += [(where.removeprefix(f"{SPEC}."), said) for where, said in unreadable]
    errors.check()
    document = {"name": typed["name"], "time_zone": typed["time_zone"]}
    for name in ("layers", "holidays"):
        document[name] = _without_nothing(values[SPEC].get(name) or [])
    if typed["url"].strip() or not (typed["elsewhere"] and row is not None and row.url):
        document["url"] = typed["url"].strip()
    return document


def _without_nothing(values: Any) -> Any:
    """Return `values` without fields that are empty: those are as usual."""
    if isinstance(values, list):
        return [_without_nothing(one) for one in values]
    if isinstance(values, dict):
        return {name: _without_nothing(one) for name, one in values.items() if one not in (None, "")}
    return values


def _page(request: HttpRequest, draft: Draft, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "on_call/form.html", {**context, "draft": draft, "forms": draft.forms()}, status=status)
