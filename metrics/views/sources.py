"""The pages of sources: the list, one source, making and changing one, and trying it."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE_CONFIG, TRUSTED, check, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import ready_made, source_configs, source_kinds, trials
from metrics.actions import sources as actions
from metrics.actions.errors import Invalid, NoAnswer, TooOften
from metrics.forms.labels import label
from metrics.kind_groups import SOURCES
from metrics.models import Dashboard, Source
from metrics.sources.registry import kinds
from metrics.views import humanize, source_list
from metrics.views import source_view as views
from metrics.views.access import page
from metrics.views.source_draft import TIMES, Draft

PER_PAGE = 100
RUNS_LISTED = 20


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All sources; htmx fetches the rows anew every few seconds, and while somebody types what to search for."""
    search = request.GET.get("q", "").replace("\x00", "").strip()
    now = time.time()
    found, counts = source_list.search(of_visitor(request), search, now)
    chosen = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "search": search,
        "chosen": chosen,
        "counts": counts,
        "rows": [views.row(source, now) for source in chosen],
        "may_add": may(of_visitor(request), CREATE, Source),
    }
    return render(request, _part(request, "source/_rows.html", "source/list.html"), context)


@require_safe
@page
def source(request: HttpRequest, id: int) -> HttpResponse:
    """One source; htmx fetches how it stands anew every few seconds."""
    found = actions.find(of_visitor(request), id)
    part = _part(request, "source/_state.html", "source/page.html")
    return render(request, part, _context(request, found))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Choose a kind, then make a source of it."""
    by, kind = of_visitor(request), request.GET.get("kind", "")
    check(by, CREATE, Source)
    if kind not in kinds():
        groups = [
            (heading, [source_kinds.about(one) for one in found]) for heading, found in SOURCES.of(kinds().values())
        ]
        return render(request, "source/kinds.html", {"groups": groups, "may_trust": may(by, CREATE, TRUSTED)})
    actions.check_right(by, CREATE, Source(kind=kind))
    if source_kinds.comes_from(kind):
        raise Http404(f"Sources of the kind {kind} come from {source_kinds.comes_from(kind)}.")
    return _form(request, Draft.of_kind(kind), by)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a source."""
    by = of_visitor(request)
    found = actions.find(by, id)
    actions.check_right(by, CHANGE, found)
    if found.kind not in kinds() and found.kind != Source.PUSH:
        raise Http404(f"There is no source kind {found.kind} any more.")
    return _form(request, Draft.of(found), by)


@page
@require_POST
def test(request: HttpRequest, id: int) -> HttpResponse:
    """Run a source once, and show what it would store."""
    by = of_visitor(request)
    found = actions.find(by, id)
    context, status = _tried(lambda: trials.try_saved(by, id))
    if not getattr(request, "htmx", False):
        context |= _context(request, found)
    return render(request, _part(request, "source/_trial.html", "source/page.html"), context, status=status)


@page
@require_POST
def run(request: HttpRequest, id: int) -> HttpResponse:
    """Have a source run now."""
    return _done(request, id, lambda by: actions.run_now(by, id), "It runs as soon as a worker is free.")


@page
@require_POST
def enable(request: HttpRequest, id: int) -> HttpResponse:
    """Turn a source on or off."""
    on = request.POST.get("on") == "1"
    said = "It is on." if on else "It is off. Its series stay."
    return _done(request, id, lambda by: actions.change(by, id, {"enabled": on}), said)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a source."""
    by = of_visitor(request)
    found = actions.find(by, id)
    actions.check_right(by, DELETE, found)
    error = ""
    if request.method == "POST":
        try:
            actions.delete(by, id)
        except Invalid as problem:
            error = str(problem)
        else:
            messages.success(request, f"{found.name} was removed.")
            return redirect("sources")
    context = {"source": found, "series": found.series.count(), "error": error}
    return render(request, "source/delete.html", context, status=422 if error else 200)


def _form(request: HttpRequest, draft: Draft, by: Principal) -> HttpResponse:
    context: dict[str, Any] = {"may_trust": may(by, CREATE, TRUSTED)}
    status = 200
    if request.method == "POST":
        draft = draft.typed(request.POST)
        try:
            if request.GET.get("do") == "test" and draft.is_made:
                context, status = context | (answer := _tried(lambda: draft.test(by)))[0], answer[1]
            else:
                saved = draft.save(by)
                messages.success(request, f"{saved.name} is saved.")
                return redirect("source", saved.pk)
        except Invalid as problem:
            draft, status = draft.refused(problem), 422
    if getattr(request, "htmx", False):
        return render(request, "source/_trial.html", context | {"refused": draft.sentences()}, status=status)
    return render(request, "source/form.html", context | {"draft": draft, "form": draft.form()}, status=status)


def _tried(attempt: Callable[[], trials.Trial]) -> tuple[dict[str, Any], int]:
    """Return what to show of an attempt, and with which status."""
    try:
        return {"trial": views.trial_view(attempt())}, 200
    except TooOften as problem:
        return {"refused": [str(problem)]}, 429
    except NoAnswer as problem:
        return {"refused": [str(problem)]}, 503


def _done(request: HttpRequest, id: int, do: Callable[[Principal], object], said: str) -> HttpResponse:
    try:
        do(of_visitor(request))
        messages.success(request, said)
    except (Invalid, NoAnswer) as problem:
        messages.error(request, str(problem))
    return redirect("source", id)


def _context(request: HttpRequest, found: Source) -> dict[str, Any]:
    by, now = of_visitor(request), time.time()
    newest = list(found.runs.all()[: views.RUNS_DRAWN])
    series, total = views.series_lines(found, now)
    return {
        "source": found,
        "row": views.row(found, now),
        "next_run": views.next_run(found, now),
        "last_success": humanize.ago(found.last_success_at, now),
        "bars": views.run_bars(newest),
        "runs": views.run_lines(newest[:RUNS_LISTED]),
        "series": series,
        "series_total": total,
        "shows_config": may(by, SEE_CONFIG, found),
        "token": token.name if (token := getattr(found, "token", None)) else "",
        "ready_made": ready_made.fitting(found) if may(by, CREATE, Dashboard) else "",
        "comes_from": source_kinds.comes_from(found.kind),
        "is_pushed": found.kind == Source.PUSH,
        "is_gone": found.kind != Source.PUSH and found.kind not in kinds(),
        "kept": [(said, value) for name, said in TIMES.items() if (value := getattr(found, name)) is not None],
        "settings": views.settings_of(found.config),
        "credentials": [label(name) for name in source_configs.credentials_of(found)],
        "key_is_lost": source_configs.key_is_lost(found),
        "may": {right: actions.may(by, right, found) for right in (CHANGE, DELETE)},
    }


def _part(request: HttpRequest, part: str, whole: str) -> str:
    return part if getattr(request, "htmx", False) else whole
