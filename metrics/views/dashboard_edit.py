"""The pages that arrange, restore and delete a dashboard. All but the last change a draft of it."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import DELETE, check, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import dashboards as actions
from metrics.actions import drafts, variables
from metrics.actions.errors import Conflict, Invalid
from metrics.forms.draft import Draft
from metrics.forms.fields import fields_of
from metrics.views.access import page
from metrics.widgets.spec import HEIGHT_MOST, DashboardSpec, in_column

NAMES = ("title", "slug", "description", "range")
SETTINGS = (*NAMES, "tags", "variables")
EMPTY = {"title": "", "slug": "", "description": "", "range": "", "tags": [], "variables": []}
PHONE = "phone"
"""The view of the page that shows a draft as it is on phones."""
PLACE = {"x": "column", "y": "row", "w": "width", "h": "height"}
ON_PHONE = {"phone": "on phones"}
SEEN = re.compile(r"-?[0-9]{1,9}")
OF_WIDGET = re.compile(r"widgets\.(\d+)\.?(\w*)")
REVISIONS_LISTED = 50
SERVERS_S = 3.0
"""Time that servers which are asked live have to answer, before the page is shown."""


@require_safe
@page
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft of a dashboard, drawn as it would be, with what arranges it."""
    return editor(request, drafts.current(of_visitor(request), slug))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the fields of a draft that are about the dashboard as a whole."""
    by = of_visitor(request)
    state = drafts.current(by, slug)
    fields = fields_of(DashboardSpec, *SETTINGS)
    form = Draft.of({"dashboard": fields}, {"dashboard": state.spec.model_dump(include=set(SETTINGS))})
    context = {"state": state, "dashboard": state.dashboard, "form_url": request.path, "seen": state.version}
    status = 200
    if request.method == "POST":
        form = replace(form, typed=request.POST.dict())
        if after := form.pressed():
            form = after
        else:
            try:
                saved = drafts.edit(by, slug, {**EMPTY, **form.read()[0]["dashboard"]}, seen(request))
                for doubt in variables.doubts(saved.dashboard, saved.spec.variables):
                    messages.warning(request, doubt)
                return to_editor(request, slug)
            except Invalid as problem:
                form, status = form.refused(_beside_fields(problem)), 422
            except Conflict as problem:
                context |= {"conflict": problem, "seen": seen(request)}
                status = 409
    return render(request, "dashboard/settings.html", {**context, "forms": form.forms(), "draft": form}, status=status)


@require_POST
@page
def place(request: HttpRequest, slug: str) -> HttpResponse:
    """Place the widgets of a draft anew: those that the form names, in columns and rows from 0."""
    places = {
        key: {name: request.POST.get(f"{name}-{key}", "").strip() or None for name in PLACE}
        for key in request.POST.getlist("key")
    }
    return _done_to_widgets(request, slug, lambda by: drafts.place_widgets(by, slug, places, seen(request)))


@require_POST
@page
def arrange(request: HttpRequest, slug: str) -> HttpResponse:
    """Close the gaps of a draft, or widen its widgets."""
    how = {"compact": drafts.compact, "fit": drafts.fit}.get(request.POST.get("how", ""))
    if how is None:
        raise Http404("There is no such way to arrange a dashboard.")
    return done(request, slug, lambda by: how(by, slug, seen(request)))


@require_POST
@page
def phone(request: HttpRequest, slug: str) -> HttpResponse:
    """Order the widgets of a draft on phones as the form does, with their heights and those that are hidden.

    One that goes `up` or `down` changes places with its neighbour.
    """
    keys = list(dict.fromkeys(request.POST.getlist("key")))
    for name, way in (("up", -1), ("down", 1)):
        if (key := request.POST.get(name)) in keys:
            place = keys.index(key)
            keys.insert(max(0, place + way), keys.pop(place))
    column = {key: _on_phone(request.POST, key) for key in keys}
    return _done_to_widgets(request, slug, lambda by: drafts.arrange_on_phones(by, slug, column, seen(request)))


def _on_phone(form: QueryDict, key: str) -> dict[str, str]:
    given = {name: form.get(f"{name}-{key}", "").strip() for name in ("h", "hidden")}
    return {name: value for name, value in given.items() if value}


@require_safe
@page
def revisions(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest revisions of a dashboard."""
    state = drafts.current(of_visitor(request), slug)
    newest = state.dashboard.revisions.all()[:REVISIONS_LISTED]
    context = {"state": state, "dashboard": state.dashboard, "revisions": newest, "now": int(time.time())}
    return render(request, "dashboard/revisions.html", context)


@require_POST
@page
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the state of an earlier revision into the draft."""
    number = number_of(request.POST.get("number"))
    said = f"This is revision {number}. Publish it to have it everywhere, or undo."
    return done(request, slug, lambda by: drafts.restore(by, slug, number or 0, seen(request)), said)


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


def seen(request: HttpRequest) -> int:
    """Return the version of the draft that a form was made of, or the newest one if what is typed should hold anyway.

    Of a page that changes the dashboard itself it is the revision. A form that says neither was made of none: 0.
    """
    found = SEEN.fullmatch(request.POST.get("anyway") or request.POST.get("seen") or "")
    return int(found[0]) if found else 0


def number_of(text: str | None) -> int | None:
    """Return the number that `text` is; None if it is none, or too large to count anything."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def refusals(problem: Invalid) -> list[tuple[str, str]]:
    """Return the field and the sentence of all that is wrong, without the field's name in the sentence."""
    return [(where, said.removeprefix(f"{where}: ")) for where, said in problem.all]


def _beside_fields(problem: Invalid) -> list[tuple[str, str]]:
    return [(f"dashboard.{where}", said) for where, said in refusals(problem)]


def _with_title(where: str, said: str, titles: Sequence[str]) -> str:
    """Return the sentence `said` with the title of the widget that `where` ("widgets.1.x") counts to."""
    found = OF_WIDGET.match(where)
    if not found or int(found[1]) >= len(titles):
        return said
    return said.replace(where, f"{titles[int(found[1])]}, {(PLACE | ON_PHONE).get(found[2], found[2])}".rstrip(", "), 1)


def _done_to_widgets(request: HttpRequest, slug: str, do: Callable[[Principal], object]) -> HttpResponse:
    """Do something to several widgets; what is wrong with one is said with its title."""
    titles = [one.title for one in drafts.current(of_visitor(request), slug).spec.widgets]

    def titled(by: Principal) -> None:
        try:
            do(by)
        except Invalid as problem:
            first, *others = [(where, _with_title(where, said, titles)) for where, said in problem.all]
            raise Invalid(*first, *others) from None

    return done(request, slug, titled)


def done(request: HttpRequest, slug: str, do: Callable[[Principal], object], said: str = "") -> HttpResponse:
    """Do something to a draft, and show it with what came of it."""
    try:
        do(of_visitor(request))
        if said:
            messages.success(request, said)
    except (Invalid, Conflict) as problem:
        messages.error(request, str(problem))
    return to_editor(request, slug)


def to_editor(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the way back to the page of a draft, in the view that the form was sent from."""
    view = f"?view={PHONE}" if request.POST.get("view") == PHONE else ""
    return redirect(reverse("dashboard-edit", args=[slug]) + view)


def editor(request: HttpRequest, state: drafts.State) -> HttpResponse:
    """Return the page of a draft: its grid, or the column that it is on phones."""
    is_phone = request.GET.get("view") == PHONE
    widgets = in_column(state.spec.widgets) if is_phone else state.spec.widgets
    context = {
        "state": state,
        "dashboard": state.dashboard,
        "tiles": list(
            zip(widgets, drafts.views(of_visitor(request), state, widgets, time.time(), SERVERS_S), strict=True)
        ),
        "is_phone": is_phone,
        "heights": range(1, HEIGHT_MOST + 1),
        "may_delete": may(of_visitor(request), DELETE, state.dashboard),
    }
    return render(request, "dashboard/edit.html", context)
