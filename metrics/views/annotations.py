"""The pages of annotations: the list, chosen by a tag, making and changing, removing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import annotations as actions
from metrics.actions.errors import Errors, Invalid, Missing
from metrics.actions.teams import access_of
from metrics.models import Annotation, Team
from metrics.views import local_times
from metrics.views.access import page
from metrics.views.removal import Removal, confirm
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
    """The newest annotations, those with the `?tag=`; of an id, those behind it (`?before=`), or it too (`?from=`)."""
    by, tag = of_visitor(request), _tag(request)
    before, first = _id(by, request.GET.get("before", "")), _id(by, request.GET.get("from", ""))
    found = list(actions.listed(by, [tag] if tag else [], before=before, first=first)[: LISTED + 1])
    known_tags = actions.known_tags(by)
    rows = [
        {
            "one": one,
            "tags": actions.tags_of(one),
            "teams": [] if one.for_everyone else access_of(one).teams,
            "may_change": may(by, CHANGE, one),
        }
        for one in found[:LISTED]
    ]
    context = {
        "rows": rows,
        "tag": tag,
        "known_tags": known_tags if tag in ("", *known_tags) else [*known_tags, tag],
        "is_newest": before is None and first is None,
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
    return _form(request, by, Typed(at=_written(timezone.now()), tags=_tag(request)), None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change an annotation."""
    by = of_visitor(request)
    row = actions.find(by, id)
    check(by, CHANGE, row)
    access = access_of(row)
    typed = Typed(
        text=" ".join(row.text.split()),
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
    listed = reverse("annotations")
    way = [("Dashboards", reverse("dashboards")), ("Annotations", listed)]
    removal = Removal(str(row), "It is removed from charts of the past, too.", way, listed)
    return confirm(request, removal, lambda: actions.delete(by, id))


def _tag(request: HttpRequest) -> str:
    return request.GET.get("tag", "").replace("\x00", "")


def _id(by: Principal, text: str) -> int | None:
    """Return the id of an annotation that is asked for; None if there is none, or none any more."""
    try:
        return actions.find(by, int(text)).pk if text.isdecimal() and len(text) < 19 else None
    except Missing:
        return None


def _form(request: HttpRequest, by: Principal, shown: Typed, row: Annotation | None) -> HttpResponse:
    typed = shown
    if request.method == "POST":
        typed, shown = _typed(request), _typed(request, "was_")
        try:
            saved = _make(by, typed) if row is None else _change(by, row.pk, shown, typed)
        except Invalid as problem:
            errors = {where.partition(".")[0]: sentence(said) for where, said in problem.all}
            typed = replace(typed, errors=errors)
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect("annotations")
    names = {*visible(by, Team).values_list("name", flat=True), *(access_of(row).teams if row else ())}
    context: dict[str, Any] = {
        "row": row,
        "typed": typed,
        "shown": shown,
        "known_tags": actions.known_tags(by),
        "teams": [(one, one in typed.teams) for one in sorted(names)],
    }
    return render(request, "annotation/form.html", context, status=422 if typed.errors else 200)


def _typed(request: HttpRequest, prefix: str = "") -> Typed:
    """Return what was typed, or with a prefix what the form showed before."""
    given: dict[str, Any] = {name: request.POST.get(prefix + name, "") for name in ("text", "at", "until", "tags")}
    everyone, teams = request.POST.get(f"{prefix}everyone") == "on", request.POST.getlist(f"{prefix}teams")
    return Typed(**given, everyone=everyone, teams=teams)


def _make(by: Principal, typed: Typed) -> Annotation:
    at, until = _times(typed)
    return actions.create(by, typed.text, at, until, _tags(typed), _access(typed))


def _change(by: Principal, id: int, shown: Typed, typed: Typed) -> Annotation:
    """Change what differs from what was `shown`; the rest stays, also what others changed meanwhile."""
    at, until = _times(typed)
    given = {"text": typed.text, "at": at, "until": until, "tags": _tags(typed), "access": _access(typed)}
    as_shown = {"text": shown.text, "tags": _tags(shown), "access": _access(shown)}
    same = {name for name in ("at", "until") if getattr(shown, name) == getattr(typed, name)}
    same |= {name for name, value in as_shown.items() if value == given[name]}
    return actions.change(by, id, {name: value for name, value in given.items() if name not in same})


def _times(typed: Typed) -> tuple[datetime | None, datetime | None]:
    errors = Errors()
    at = until = None
    with errors:
        at = local_times.read(typed.at, "at")
    with errors:
        until = local_times.read(typed.until, "until")
    errors.check()
    return at, until


def _tags(typed: Typed) -> list[str]:
    return [one for one in typed.tags.split(",") if one.strip()]


def _access(typed: Typed) -> Access:
    return Access(everyone=typed.everyone, teams=sorted(typed.teams))


def _written(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
