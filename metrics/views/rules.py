"""The pages of rules: the list, making and changing one with a rehearsal, removing one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_http_methods, require_safe

from metrics.access.policy import CHANGE, CREATE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.access.sharing import Access
from metrics.actions import rehearsals
from metrics.actions import rules as actions
from metrics.actions.alert_charts import rehearsal_for
from metrics.actions.errors import Conflict, Errors, Invalid, TooOften
from metrics.actions.incidents import BAD
from metrics.actions.teams import access_of, named
from metrics.alerts.registry import kinds, offered
from metrics.alerts.rehearsal import Episode, Rehearsed
from metrics.alerts.rule import RuleQuery, RuleSpec
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import Field, fields_of
from metrics.forms.labels import label
from metrics.kind_groups import CONDITIONS
from metrics.models import Alert, Rule, Team
from metrics.times import datetime_of
from metrics.views import humanize, rule_draft
from metrics.views.access import page
from metrics.views.dashboard_edit import seen
from metrics.views.removal import Removal, confirm

RULE, QUERY, CALCULATION, CONDITION = "rule", "query", "calculation", "condition"
FIRST = ("name", "severity", "for", "clear_for")
MORE = ("no_data", "text", "runbook", "checklist", "labels", "behind", "enabled")
OF_QUERY = ("metric", "labels", "function", "over", "quantile", "group_by", "aggregate", "top", "name")
OF_CALCULATION = ("queries", "expression", "unit")
FOLDED = {
    RULE: set(MORE),
    QUERY: {"quantile", "group_by", "aggregate", "top", "name"},
    CALCULATION: set(OF_CALCULATION),
}
RECEIVED = ("name", "severity", "text", "runbook", "checklist", "labels", "enabled")
"""Fields of a rule whose alerts are received."""
TEXTS = ("name", "text", "runbook")
"""Fields that may be empty texts; another that is empty is as usual."""
CHART_RANGE = "30d"
"""That of the rehearsal."""
HOUR_WIDTH, HOURS_HEIGHT = 10, 100
LISTED_MOST = 10
SAID_MOST = 5
STRIP_WIDTH, STRIP_LEAST = 1000, 6
"""The width of what a rehearsal lasts, and that of the shortest alert, so that it is seen."""


@dataclass(frozen=True, slots=True)
class Hour:
    """A bar of a chart of the day: its `name`, how often somebody would be told, where it is, and how high."""

    name: str
    count: int
    x: int
    height: int
    is_night: bool

    @property
    def y(self) -> int:
        return HOURS_HEIGHT - self.height


@require_safe
@page
def index(request: HttpRequest) -> HttpResponse:
    """All rules, with how many alerts of each are there now."""
    by = of_visitor(request)
    found = list(visible(by, Rule).prefetch_related("teams"))
    bad = Alert.objects.filter(rule__in=[one.pk for one in found], state__in=BAD).order_by()
    counts = dict(bad.values_list("rule").annotate(Count("pk")))
    rows = [
        {
            "rule": rule,
            "says": actions.says(rule),
            "teams": rule.teams.all(),
            "may_change": may(by, CHANGE, rule),
            "bad": counts.get(rule.pk, 0),
        }
        for rule in found
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
        found = CONDITIONS.of(offered().values())
        groups = [(heading, [actions.about(one) for one in conditions]) for heading, conditions in found]
        context = {"groups": groups, "given": given}
        return render(request, "rule/kinds.html", context)
    looks = rule_draft.read(request.GET, kinds()[kind].metric)
    draft = Draft.of(
        _parts(kind), {RULE: {"enabled": True}, QUERY: looks.query, CALCULATION: looks.calculation}, FOLDED
    )
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
    parts = {RULE: document, CALCULATION: document, QUERY: document["query"], CONDITION: document["condition"]}
    draft = Draft.of(_parts(kind), parts, FOLDED)
    return _form(request, by, draft, kind, rule)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a rule."""
    by = of_visitor(request)
    rule = actions.find(by, id)
    check(by, DELETE, rule)
    lost = (
        "Its alerts are removed with it, and nobody is told anything by it any more. Notifications that it sent stay."
    )
    way = [("Alerts", reverse("alerts")), ("Rules", reverse("rules"))]
    return confirm(request, Removal(rule.name, lost, way, reverse("rules")), lambda: actions.delete(by, id))


def _parts(kind: str) -> Parts:
    every = {field.name: field for field in fields_of(RuleSpec)}
    if not kinds()[kind].is_evaluated:
        return {RULE: tuple(every[name] for name in RECEIVED), QUERY: (), CALCULATION: (), CONDITION: ()}
    rule: list[Field] = [every[name] for name in (*FIRST, *MORE)]
    condition = fields_of(kinds()[kind].config_class)
    calculation = tuple(_of_queries(every[name]) for name in OF_CALCULATION)
    return {RULE: tuple(rule), QUERY: fields_of(RuleQuery, *OF_QUERY), CALCULATION: calculation, CONDITION: condition}


def _of_queries(field: Field) -> Field:
    """Return a list of queries with the fields that rules have of them."""
    return replace(field, fields=tuple(one for one in field.fields if one.name in OF_QUERY))


def _form(request: HttpRequest, by: Principal, draft: Draft, kind: str, rule: Rule | None) -> HttpResponse:
    """Show the form of a rule; rehearse it, or save it, as the button says."""
    is_htmx = bool(getattr(request, "htmx", False))
    url = request.path if rule else f"{request.path}?kind={kind}"
    access = Access() if rule is None else access_of(rule)
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
            spec = actions.checked({**document, "name": document.get("name") or "rule"})
            context |= _rehearsed(by, spec, teams, context["everyone"])
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
    except TooOften as problem:
        return render(request, "rule/_rehearsal.html", {"refused": [str(problem)]}, status=200 if is_htmx else 429)
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
    calculation = {name: value for name, value in values[CALCULATION].items() if value is not None}
    calculation["queries"] = [
        {name: value for name, value in one.items() if value not in (None, "", {})}
        for one in calculation.get("queries", [])
    ]
    condition = {name: value for name, value in values[CONDITION].items() if value is not None}
    if not kinds()[kind].is_evaluated:
        return given
    return {**given, **calculation, QUERY: query, CONDITION: {**condition, "kind": kind}}


def _place(where: str) -> str:
    """Return the entry that a refused field of a document is beside: a query and a condition are parts of the form."""
    part = where.partition(".")[0]
    if part in (QUERY, CONDITION):
        return where
    if part in OF_CALCULATION:
        return f"{CALCULATION}.{where}"
    return where if part == "access" else f"{RULE}.{where}"


def _rehearsed(by: Principal, spec: RuleSpec, teams: Sequence[str], everyone: bool) -> dict[str, Any]:
    """Return what a rehearsal found, for people who would be told: `teams`, or everyone who may see the rule."""
    now, owners = time.time(), named(teams)
    rehearsal = rehearsals.rehearsed(by, spec, owners, now, get_current_timezone())
    shown = None if spec.kind.of_sources else rehearsal_for(by, spec, owners, CHART_RANGE, now)
    return {
        "rehearsal": rehearsal,
        "shown": shown,
        "handles": [(f"{CONDITION}-{name}", label(name)) for name in spec.kind.lines(spec.config())],
        "fired_for": humanize.lasted(rehearsal.fired_s),
        "hours": hours(rehearsal.told),
        "told": " and ".join(teams) or ("everyone" if everyone else "nobody"),
        "listed": [_line(one, now, rehearsal.days) for one in rehearsal.series[:LISTED_MOST]],
        "not_listed": max(0, len(rehearsal.series) - LISTED_MOST),
    }


def hours(told: Sequence[int]) -> list[Hour]:
    """Return the bars of what would be told in each hour of the day."""
    most = max(told, default=0)
    return [
        Hour(f"{hour:02}:00", count, HOUR_WIDTH * hour, round(HOURS_HEIGHT * count / most), hour >= 22 or hour < 6)
        for hour, count in enumerate(told)
        if most
    ]


def _line(one: Rehearsed, now: float, days: int) -> dict[str, Any]:
    newest = one.episodes[-1]
    return {
        "name": one.name,
        "count": len(one.episodes),
        "flaps": one.flaps,
        "lasted": humanize.lasted(one.fired_s),
        "newest": datetime_of(newest.start),
        "still": newest.end is None,
        "strips": strips(one.episodes, now - days * rehearsals.DAY_S, now),
        "times": [
            (datetime_of(at.start), humanize.lasted((at.end or now) - at.start)) for at in one.episodes[-SAID_MOST:]
        ],
    }


def strips(episodes: Sequence[Episode], start: float, end: float) -> list[tuple[int, int]]:
    """Return from where on, and how wide, each of `episodes` is drawn; those that would touch are one."""
    found: list[tuple[int, int]] = []
    for one in episodes:
        left, right = (
            round(STRIP_WIDTH * (min(max(at, start), end) - start) / (end - start))
            for at in (one.start, one.end or end)
        )
        left = min(left, STRIP_WIDTH - STRIP_LEAST)
        right = max(right, left + STRIP_LEAST)
        if found and left <= sum(found[-1]):
            left = found.pop()[0]
        found.append((left, right - left))
    return found


def _page(request: HttpRequest, draft: Draft, context: dict[str, Any], status: int = 200) -> HttpResponse:
    forms = draft.forms()
    return render(request, "rule/form.html", {**context, "draft": draft, "forms": forms}, status=status)
