"""Drafts: undoing, dropping, merging and publishing them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.principal import of_visitor
from metrics.actions import drafts
from metrics.actions.errors import Conflict, Invalid
from metrics.views.access import page
from metrics.views.dashboard_edit import done, number_of, seen, to_editor


@require_POST
@page
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Go back one step."""
    return done(request, slug, lambda by: drafts.undo(by, slug, seen(request)))


@require_POST
@page
def redo(request: HttpRequest, slug: str) -> HttpResponse:
    """Go one step on again."""
    return done(request, slug, lambda by: drafts.redo(by, slug, seen(request)))


@require_POST
@page
def discard(request: HttpRequest, slug: str) -> HttpResponse:
    """Drop the draft, and show the dashboard as it is published."""
    drafts.discard(of_visitor(request), slug)
    return to_editor(request, slug)


@require_POST
@page
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Publish the draft; if somebody was faster, merge first."""
    by = of_visitor(request)
    if drafts.current(by, slug).is_behind:
        return redirect("draft-merge", slug)
    try:
        made = drafts.publish(by, slug, seen(request))
    except (Invalid, Conflict) as problem:
        messages.error(request, str(problem))
        return to_editor(request, slug)
    messages.success(request, f"Published as revision {made.revision}. Every open page shows it now.")
    return to_editor(request, made.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def merge(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose between what one drafted and what others published meanwhile."""
    by = of_visitor(request)
    state, found = drafts.differences(by, slug)
    if not state.is_behind:
        return redirect("dashboard-edit", slug)
    taken = {one.key: request.POST.get(one.key, one.usual or "") for one in found}
    context = {"state": state, "dashboard": state.dashboard, "seen": state.version}
    status = 200
    if request.method == "POST":
        try:
            drafts.merge_newest(by, slug, taken, seen(request), number_of(request.POST.get("newest")) or 0)
        except (Invalid, Conflict) as problem:
            context |= {"errors": [said for _, said in problem.all] if isinstance(problem, Invalid) else [str(problem)]}
            status = 409 if isinstance(problem, Conflict) else 422
        else:
            messages.success(request, "Merged. Look it over, then publish it.")
            return redirect("dashboard-edit", slug)
    since = state.dashboard.revisions.filter(number__gt=state.base).order_by("number")
    context |= {"choices": [(one, taken[one.key]) for one in found], "since": since}
    return render(request, "dashboard/merge.html", context, status=status)
