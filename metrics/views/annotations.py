"""The pages of annotations: the list, chosen by a tag, making and changing, removing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import annotations as actions
from metrics.actions.errors import Errors, Invalid
from metrics.models import Annotation, Team
from metrics.views import local_times
from metrics.views.access import page
from metrics.views.silences import sentence

LISTED = 100


@dataclass(frozen=True, slots=True)
class Typed:
    """An annotation as it was typed, and what is wrong with it, by field."""

    text: str = ""
    at: str = ""
    until: str = ""
    tags: str = ""
    everyone: bool = True
    teams: Sequence[str] = ()
    errors: dict[str, str] = field(default_factory=dict)


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """The newest annotations, those with the `?tag=`, or those behind `?before=`, an annotation's id."""
    by, tag, before = of_visitor(request), request.GET.get("tag", ""), request.GET.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 19 else None
    found = list(actions.listed(by, [tag] if tag else [], before=last)[: LISTED + 1])
    rows = [
        {
            "one": one,
            "tags": actions.tags_of(one),
            "teams": [] if one.for_everyone else actions.access_of(one).teams,
            "may_change": may(by, CHANGE, one),
        }
        for one in found[:LISTED]
    ]
    context = {
        "rows": rows,
        "tag": tag,
        "known_tags": actions.known_tags(by),
        "older": found[LISTED - 1].pk if len(found) > LISTED else None,
        "may_add": may(by, CREATE, Annotation),
        "now": timezone.now(),
    }
    return render(request, "annotation/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Make an annotation."""
    by = of_visitor(request)
    check(by, CREATE, Annotation)
    return _form(request, by, Typed(at=_written(timezone.now()), tags=request.GET.get("tag", "")), None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change an annotation."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, CHANGE, row)
    access = actions.access_of(row)
    typed = Typed(
        text=row.text,
        at=_written(row.at),
        until=_written(row.until),
        tags=", ".join(actions.tags_of(row)),
        everyone=access.everyone,
        teams=access.teams,
    )
    return _form(request, by, typed, row)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove an annotation."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, DELETE, row)
    if request.method != "POST":
        return render(request, "annotation/delete.html", {"row": row})
    actions.delete(by, id)
    messages.success(request, f"{row} was removed.")
    return redirect("annotations")


def _form(request: HttpRequest, by: Principal, typed: Typed, row: Annotation | None) -> HttpResponse:
    if request.method == "POST":
        typed = _typed(request)
        try:
            saved = _save(by, typed, row)
        except Invalid as problem:
            errors = {where.partition(".")[0]: sentence(said) for where, said in problem.all}
            typed = replace(typed, errors=errors)
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect("annotations")
    context: dict[str, Any] = {
        "row": row,
        "typed": typed,
        "known_tags": actions.known_tags(by),
        "teams": [(one.name, one.name in typed.teams) for one in visible(by, Team)],
    }
    return render(request, "annotation/form.html", context, status=422 if typed.errors else 200)


def _typed(request: HttpRequest) -> Typed:
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("text", "at", "until", "tags")}
    return Typed(**given, everyone=request.POST.get("everyone") == "on", teams=request.POST.getlist("teams"))


def _save(by: Principal, typed: Typed, row: Annotation | None) -> Annotation:
    errors = Errors()
    at = until = None
    with errors:
        at = _read(typed.at, "at", row.at if row else None)
    with errors:
        until = _read(typed.until, "until", row.until if row else None)
    errors.check()
    tags = [one for one in typed.tags.split(",") if one.strip()]
    access = Access(everyone=typed.everyone, teams=list(typed.teams))
    if row is None:
        return actions.create(by, typed.text, at, until, tags, access)
    changes = {"text": typed.text, "at": at, "until": until, "tags": tags, "access": access}
    return actions.change(by, row.pk, changes)


def _read(text: str, name: str, was: datetime | None) -> datetime | None:
    """Return the time that was typed: exactly what it `was` if that was left alone, though it shows whole seconds."""
    return was if was is not None and text == _written(was) else local_times.read(text, name)


def _written(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
