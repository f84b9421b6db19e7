"""The pages of rules: the list, making and changing one with a rehearsal, removing one."""

import time
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, hidden_from, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import rehearsals
from metrics.actions import rules as actions
from metrics.actions.alert_charts import chart
from metrics.actions.errors import Conflict, Errors, Invalid
from metrics.alerts.registry import kinds, offered
from metrics.alerts.rehearsal import Rehearsed
from metrics.alerts.rule import RuleQuery, RuleSpec
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import Field, fields_of
from metrics.models import Rule, Team
from metrics.times import datetime_of
from metrics.views import humanize
from metrics.views.access import page
from metrics.views.dashboard_edit import seen

RULE, QUERY, CONDITION = "rule", "query", "condition"
FIRST = ("name", "severity", "for", "clear_for")
MORE = ("no_data", "text", "runbook", "checklist", "labels", "enabled")
RECEIVED = ("name", "severity", "text", "runbook", "checklist", "labels", "enabled")
"""Fields of a rule whose alerts are received."""
OF_QUERY = ("metric", "labels", "function", "over", "quantile")
FOLDED = {RULE: set(MORE), QUERY: {"quantile"}}
TEXTS = ("name", "text", "runbook")
"""Fields that may be empty texts; another that is empty is as usual."""
CHART_RANGE = "24h"
LISTED_MOST = 10


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All rules, with how many alerts of each are there now."""
    by = of_visitor(request)
    rows = [
        {
            "rule": rule,
            "says": actions.says(rule),
            "teams": rule.teams.all(),
            "may_change": may(by, CHANGE, rule),
            "bad": [one for one in rule.alerts.all() if one.state in ("firing", "nodata", "recovering")],
        }
        for rule in visible(by, Rule).prefetch_related("teams", "alerts")
    ]
    return render(request, "rule/list.html", {"rows": rows, "may_add": may(by, CREATE, Rule)})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponse:
    """Choose a condition, then make a rule of it; a query may come with the address."""
    by, kind = of_visitor(request), request.GET.get("kind", "")
    check(by, CREATE, Rule)
    if kind not in offered():
        given = request.GET.urlencode()
        context = {"kinds": [actions.about(one) for _, one in sorted(offered().items())], "given": given}
        return render(request, "rule/kinds.html", context)
    query = {"metric": request.GET.get("metric", ""), "labels": _labels(request)}
    draft = Draft.of(_parts(kind), {RULE: {"enabled": True}, QUERY: query}, FOLDED)
    return _form(request, by, draft, kind, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a rule."""
    by = of_visitor(request)
    rule = actions.find(by, id)
    check(by, CHANGE, rule)
    kind = rule.spec["condition"]["kind"]
    if kind not in kinds():
        raise Http404(f"There is no condition {kind} any more.")
    document = actions.whole(rule)
    draft = Draft.of(_parts(kind), {RULE: document, QUERY: document["query"], CONDITION: document["condition"]}, FOLDED)
    return _form(request, by, draft, kind, rule)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a rule."""
    by = of_visitor(request)
    rule = actions.find(by, id)
    check(by, DELETE, rule)
    if request.method != "POST":
        return render(request, "rule/delete.html", {"rule": rule})
    actions.delete(by, id)
    messages.success(request, f"{rule.name} was removed.")
    return redirect("rules")


def _labels(request: HttpRequest) -> dict[str, str]:
    pairs = (one.partition("=") for one in request.GET.getlist("label"))
    return {name: value for name, _, value in pairs if name}


def _parts(kind: str) -> Parts:
    every = {field.name: field for field in fields_of(RuleSpec)}
    if not kinds()[kind].is_evaluated:
        return {RULE: tuple(every[name] for name in RECEIVED), QUERY: (), CONDITION: ()}
    rule: list[Field] = [every[name] for name in (*FIRST, *MORE)]
    condition = fields_of(kinds()[kind].config_class)
    return {RULE: tuple(rule), QUERY: fields_of(RuleQuery, *OF_QUERY), CONDITION: condition}


def _form(request: HttpRequest, by: Principal, draft: Draft, kind: str, rule: Rule | None) -> HttpResponse:
    """Show the form of a rule; rehearse it, or save it, as the button says."""
    is_htmx = bool(getattr(request, "htmx", False))
    url = request.path if rule else f"{request.path}?kind={kind}"
    access = Access() if rule is None else actions.access_of(rule)
    teams = request.POST.getlist("teams") if request.method == "POST" else access.teams
    context: dict[str, Any] = {
        "rule": rule,
        "kind": kind,
        "about": _about(kind, rule),
        "is_evaluated": kinds()[kind].is_evaluated,
        "form_url": url,
        "rehearse_url": f"{url}{'&' if '?' in url else '?'}do=rehearse",
        "teams": [(team.name, team.name in teams) for team in visible(by, Team)],
        "everyone": request.POST.get("everyone") == "on" if request.method == "POST" else access.everyone,
        "seen": seen(request) if request.method == "POST" else rule.revision if rule else 0,
    }
    if request.method != "POST":
        return _page(request, draft, context)
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _page(request, changed, context)
    try:
        document = _read(draft, kind)
        if request.GET.get("do") == "rehearse":
            context |= _rehearsed(by, actions.checked({"name": "rule", **document}))
            return render(request, "rule/_rehearsal.html", context) if is_htmx else _page(request, draft, context)
        saved_for = Access(everyone=context["everyone"], teams=teams)
        if rule is None:
            saved = actions.create(by, document, saved_for)
        else:
            saved = actions.change(by, rule.pk, document, saved_for, context["seen"])
    except Invalid as problem:
        draft = draft.refused([(_place(where), said) for where, said in problem.all])
        if is_htmx:
            return render(request, "rule/_rehearsal.html", {"refused": draft.sentences()})
        return _page(request, draft, context, status=422)
    except Conflict as problem:
        return _page(request, draft, {**context, "conflict": problem}, status=409)
    messages.success(request, f"{saved.name} is saved.")
    return redirect("rules")


def _about(kind: str, rule: Rule | None) -> str:
    """Return what a rule of this kind is; of alerts that are received, from whom."""
    if rule is None or kinds()[kind].is_evaluated:
        return str(actions.about(kinds()[kind])["about"])
    return f"Its alerts are {actions.says(rule)}."


def _read(draft: Draft, kind: str) -> dict[str, Any]:
    """Return the document that was typed. Raises Invalid with what can't be read."""
    values, unreadable = draft.read()
    errors = Errors()
    errors.found += unreadable
    errors.check()
    given = {name: value for name, value in values[RULE].items() if value != "" or name in TEXTS}
    query = {name: value for name, value in values[QUERY].items() if value not in (None, "", {})}
    condition = {name: value for name, value in values[CONDITION].items() if value is not None}
    if not kinds()[kind].is_evaluated:
        return given
    return {**given, QUERY: query, CONDITION: {**condition, "kind": kind}}


def _place(where: str) -> str:
    """Return the entry that a refused field of a document is beside: a query and a condition are parts of the form."""
    part = where.partition(".")[0]
    if part in (QUERY, CONDITION):
        return where
    return where if part == "access" else f"{RULE}.{where}"


def _rehearsed(by: Principal, spec: RuleSpec) -> dict[str, Any]:
    now = time.time()
    shown = chart(spec, spec.query.labels, CHART_RANGE, now, hidden_from(by))
    rehearsal = rehearsals.rehearsed(by, spec, now, get_current_timezone())
    return {
        "rehearsal": rehearsal,
        "shown": shown,
        "fired_for": humanize.age(rehearsal.fired_s),
        "listed": [_line(one) for one in rehearsal.series[:LISTED_MOST]],
        "not_listed": max(0, len(rehearsal.series) - LISTED_MOST),
    }


def _line(one: Rehearsed) -> dict[str, Any]:
    newest = one.episodes[-1]
    return {
        "name": one.name,
        "count": len(one.episodes),
        "lasted": humanize.age(one.fired_s),
        "newest": datetime_of(newest.start),
        "still": newest.end is None,
    }


def _page(request: HttpRequest, draft: Draft, context: dict[str, Any], status: int = 200) -> HttpResponse:
    forms = draft.forms()
    return render(request, "rule/form.html", {**context, "draft": draft, "forms": forms}, status=status)
