"""The pages that make, change, restore and delete a dashboard."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import dashboards as actions
from metrics.actions.errors import Conflict, Invalid
from metrics.forms.draft import Draft
from metrics.forms.fields import fields_of
from metrics.models import Dashboard, Widget
from metrics.views.access import page, page_for
from metrics.widgets.spec import DashboardSpec

NAMES = ("title", "slug", "description", "range")
FIELDS = fields_of(DashboardSpec, *NAMES)
VARIABLES = "variables"
EDITED = (*NAMES, VARIABLES)
EDITED_FIELDS = fields_of(DashboardSpec, *EDITED)
PLACE = ("x", "y", "w", "h")
REVISIONS_LISTED = 10
OF_WIDGET = re.compile(r"widgets\.(\d+)\.?")


@dataclass(frozen=True, slots=True)
class Place:
    """A `widget` in the list, the `places` it is given (name and text), and `errors`, sentences about them."""

    widget: Widget
    places: list[tuple[str, str]]
    errors: list[str] = field(default_factory=list)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CREATE, Dashboard)
def new(request: HttpRequest) -> HttpResponse:
    """Make a dashboard, which has no widgets yet."""
    slug = replace(FIELDS[1], required=False, help="Its part of the address. Empty, it is made from the title.")
    draft = Draft.of({"dashboard": (FIELDS[0], slug, *FIELDS[2:])}, {})
    if request.method != "POST":
        return render(request, "dashboard/new.html", {"forms": draft.forms()})
    draft = replace(draft, typed=request.POST.dict())
    given = draft.read()[0]["dashboard"]
    try:
        document = {"title": "", "slug": actions.slug_for(str(given.get("title", ""))), **given}
        made = actions.create(of_visitor(request), document)
    except Invalid as problem:
        draft = draft.refused(_beside_fields(problem))
        return render(request, "dashboard/new.html", {"forms": draft.forms(), "draft": draft}, status=422)
    messages.success(request, f"{made.title} is made. Everyone who is signed in sees it, until you change its access.")
    return redirect("dashboard-edit", made.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the fields of a dashboard; with its widgets, and its newest revisions."""
    found = changeable(request, slug)
    draft = _draft(found)
    if request.method != "POST":
        return _edit(request, found, draft)
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _edit(request, found, changed)
    given = draft.read()[0]["dashboard"]
    changes = {"title": "", "slug": "", "description": "", "range": "", VARIABLES: [], **given}
    try:
        saved = actions.change(of_visitor(request), found.slug, changes, seen(request))
    except Invalid as problem:
        return _edit(request, found, draft.refused(_beside_fields(problem)), status=422)
    except Conflict as problem:
        return _edit(request, found, draft, conflict=problem)
    messages.success(request, f"{saved.title} is saved.")
    return redirect("dashboard-edit", saved.slug)


@require_POST
@page
def place(request: HttpRequest, slug: str) -> HttpResponse:
    """Place all widgets of a dashboard anew."""
    found = changeable(request, slug)
    rows = [
        Place(one, [(name, request.POST.get(f"{name}-{one.key}", "").strip()) for name in PLACE])
        for one in found.widgets.all()
    ]
    places = {row.widget.key: {name: text or None for name, text in row.places} for row in rows}
    draft = _draft(found)
    try:
        actions.place_widgets(of_visitor(request), found.slug, places, seen(request))
    except Invalid as problem:
        above, inside = [], [list[str]() for _ in rows]
        for where, said in refusals(problem):
            number = OF_WIDGET.match(where)
            if number and int(number[1]) < len(rows):
                name = where[number.end() :]
                inside[int(number[1])].append(f"{name}: {said}" if name else said)
            else:
                above.append(said)
        rows = [replace(row, errors=errors) for row, errors in zip(rows, inside, strict=True)]
        return _edit(request, found, draft, rows=rows, wrong_places=above or ["Nothing was moved."], status=422)
    except Conflict as problem:
        return _edit(request, found, draft, rows=rows, conflict=problem, of_places=True)
    messages.success(request, "The places are saved.")
    return redirect("dashboard-edit", found.slug)


@require_POST
@page
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a dashboard the state that it had in an earlier revision."""
    found, number = changeable(request, slug), number_of(request.POST.get("number"))
    said = f"It is as it was in revision {number}."
    return done(request, found, lambda by: actions.restore_revision(by, found.slug, number or 0, seen(request)), said)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, and then delete a dashboard."""
    by = of_visitor(request)
    found = actions.find(by, slug)
    check(by, DELETE, found)
    error = ""
    if request.method == "POST":
        try:
            actions.delete(by, found.slug, seen(request))
        except Conflict as problem:
            error = str(problem)
            found.refresh_from_db()
        else:
            messages.success(request, f"{found.title} was deleted.")
            return redirect("dashboards")
    context = {"dashboard": found, "error": error, "days": actions.DELETED_KEPT.days}
    return render(request, "dashboard/delete.html", context, status=409 if error else 200)


def _draft(found: Dashboard) -> Draft:
    return Draft.of({"dashboard": EDITED_FIELDS}, {"dashboard": actions.spec_of(found).model_dump(include=set(EDITED))})


def changeable(request: HttpRequest, slug: str) -> Dashboard:
    """Return the dashboard `slug`. Raises Missing, and Forbidden unless the one who asks may change it."""
    by = of_visitor(request)
    found = actions.find(by, slug)
    check(by, CHANGE, found)
    return found


def seen(request: HttpRequest) -> int:
    """Return the revision that a form was made of, or the newest one if what is typed should hold anyway.

    A form that says neither was made of no revision that there is.
    """
    return number_of(request.POST.get("anyway")) or number_of(request.POST.get("seen")) or 0


def number_of(text: str | None) -> int | None:
    """Return the number that `text` is; None if it is none, or too large to count anything."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def refusals(problem: Invalid) -> list[tuple[str, str]]:
    """Return the field and the sentence of all that is wrong, without the field's name in the sentence."""
    return [(where, said.removeprefix(f"{where}: ")) for where, said in problem.all]


def _beside_fields(problem: Invalid) -> list[tuple[str, str]]:
    return [(f"dashboard.{where}", said) for where, said in refusals(problem)]


def done(request: HttpRequest, found: Dashboard, do: Callable[[Principal], object], said: str) -> HttpResponse:
    """Do something to a dashboard, and show its page with what came of it."""
    try:
        do(of_visitor(request))
        messages.success(request, said)
    except (Invalid, Conflict) as problem:
        messages.error(request, str(problem))
    return redirect("dashboard-edit", found.slug)


def _edit(
    request: HttpRequest,
    found: Dashboard,
    draft: Draft,
    *,
    rows: list[Place] | None = None,
    conflict: Conflict | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    found.refresh_from_db()
    saved = [Place(one, [(name, str(getattr(one, name))) for name in PLACE]) for one in found.widgets.all()]
    context = {
        "dashboard": found,
        "form_url": reverse("dashboard-edit", args=[found.slug]),
        "draft": draft,
        "forms": draft.forms(),
        # After a conflict a form goes on to say what it was made of, so that saving it once more is refused as well.
        "seen": seen(request) if conflict else found.revision,
        "rows": saved if rows is None else rows,
        "revisions": found.revisions.all()[:REVISIONS_LISTED],
        "may_delete": may(of_visitor(request), DELETE, found),
        "conflict": conflict,
        **more,
    }
    return render(request, "dashboard/edit.html", context, status=409 if conflict else status)
