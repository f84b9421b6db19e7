"""The page on which a team, or the installation, says who is told of an incident, and when."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.policy import CHANGE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import escalation_specs as actions
from metrics.actions.errors import Errors, Invalid, Missing
from metrics.alerts.escalation import EscalationSpec, is_readable, meaning
from metrics.forms.draft import Draft
from metrics.forms.fields import fields_of
from metrics.models import Escalation, Team
from metrics.views.access import page
from metrics.views.menu import people

PART = "escalation"
TYPED_MOST = 300
PARTS = {PART: fields_of(EscalationSpec, "steps", "repeat", "group_by", "gather", "quiet")}


@require_http_methods(["GET", "HEAD", "POST"])
@page
def escalation(request: HttpRequest, id: int | None = None) -> HttpResponse:
    """How the team `id` answers, or the installation; posted, how it does from now on.

    With `?do=meaning` it is the sentence that says what stands in the form; with `?do=suggest`, whom a step may tell.
    """
    by, team = of_visitor(request), _team(request, id)
    found = actions.find(by, team.name if team else "")
    if request.method != "POST" and request.GET.get("do") == "suggest":
        check(by, CHANGE, found)
        suggested = actions.suggestions(by, team, request.GET.get("q", "")[:TYPED_MOST])
        return render(request, "access/_suggestions.html", {"suggested": suggested})
    draft = Draft.of(PARTS, {PART: actions.facts(found)})
    if request.method != "POST":
        return _page(request, draft, found, _said(actions.spec_of(found), team))
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _page(request, changed, found, _means(by, changed, team))
    if request.GET.get("do") == "meaning":
        return render(request, "access/_meaning.html", _means(by, draft, team))
    try:
        actions.put(by, team.name if team else "", _read(draft))
    except Invalid as problem:
        refused = draft.refused([(f"{PART}.{where}", said) for where, said in problem.all])
        return _page(request, refused, found, {}, status=422)
    messages.success(request, "Saved.")
    return redirect(request.path)


@require_POST
@page
def reset(request: HttpRequest, id: int | None = None) -> HttpResponse:
    """Have the team `id` answer as the installation does again; that, as usual."""
    by, team = of_visitor(request), _team(request, id)
    actions.reset(by, team.name if team else "")
    said = f"{team} answers as the installation does again." if team else "The installation answers as usual again."
    messages.success(request, said)
    return redirect("team-escalation", team.pk) if team else redirect("escalation")


def _team(request: HttpRequest, id: int | None) -> Team | None:
    """Return the team `id`; None stands for the installation. Raises Missing."""
    found = None if id is None else visible(of_visitor(request), Team).filter(pk=id).first()
    if id is not None and found is None:
        raise Missing(f"There is no team {id}.")
    return found


def _read(draft: Draft) -> dict[str, Any]:
    """Return the document that was typed. Raises Invalid with what can't be read."""
    values, unreadable = draft.read()
    errors = Errors()
    errors.found += [(where.removeprefix(f"{PART}."), said) for where, said in unreadable]
    errors.check()
    found = {name: value for name, value in values[PART].items() if value not in (None, "", [])}
    quiet = found.get("quiet")
    if quiet:
        found["quiet"] = {name: value for name, value in quiet.items() if value not in (None, "", [])}
    return found


def _means(by: Principal, draft: Draft, team: Team | None) -> dict[str, Any]:
    """Return what stands in the form, in sentences; nothing while it can't be."""
    try:
        return _said(actions.checked(by, _read(draft), team), team)
    except Invalid:
        return {}


def _said(spec: EscalationSpec, team: Team | None) -> dict[str, Any]:
    return {"means": meaning(spec), "gaps": actions.gaps(spec, team)}


def _page(
    request: HttpRequest, draft: Draft, found: Escalation, more: dict[str, Any], status: int = 200
) -> HttpResponse:
    by = of_visitor(request)
    context = {
        "found": found,
        "draft": draft,
        "form": draft.forms()[PART],
        "form_url": request.path,
        "is_readable": is_readable(found.spec, found.version),
        "may_change": may(by, CHANGE, found),
        "tabs": people(by),
        **more,
    }
    return render(request, "access/escalation.html", context, status=status)
