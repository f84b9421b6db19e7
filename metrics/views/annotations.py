"""The pages of annotations: the list, chosen by a tag, making and changing, removing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import annotations as actions
from metrics.actions.errors import Errors, Invalid, Missing
from metrics.actions.teams import access_of
from metrics.models import Annotation
from metrics.views import local_times
from metrics.views import typed as typed_form
from metrics.views.access import page
from metrics.views.removal import Removal, confirm

LISTED = 100


@dataclass(frozen=True, slots=True)
class Typed(typed_form.Typed):
    """An annotation as it was typed."""

    text: str = ""
    at: str = ""
    until: str = ""
    tags: str = ""


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
        typed, shown = Typed.of(request), Typed.of(request, "was_")
        try:
            saved = _make(by, typed) if row is None else _change(by, row.pk, shown, typed)
        except Invalid as problem:
            typed = typed.refused(problem)
        else:
            messages.success(request, f"{saved} is saved.")
            return redirect("annotations")
    context: dict[str, Any] = {
        "row": row,
        "typed": typed,
        "shown": shown,
        "known_tags": actions.known_tags(by),
        "teams": typed.choices(by, access_of(row).teams if row else ()),
    }
    return render(request, "annotation/form.html", context, status=422 if typed.errors else 200)


def _make(by: Principal, typed: Typed) -> Annotation:
    at, until = _times(typed)
    return actions.create(by, typed.text, at, until, _tags(typed), typed.access)


def _change(by: Principal, id: int, shown: Typed, typed: Typed) -> Annotation:
    """Change what differs from what was `shown`; the rest stays, also what others changed meanwhile."""
    at, until = _times(typed)
    given = {"text": typed.text, "at": at, "until": until, "tags": _tags(typed), "access": typed.access}
    as_shown = {"text": shown.text, "tags": _tags(shown), "access": shown.access}
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


def _written(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
