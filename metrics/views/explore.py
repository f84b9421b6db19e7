"""Any series as a chart, without a dashboard: looked at, shared by its address, and added to a dashboard."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from pydantic import ValidationError

from metrics.access.policy import CHANGE, CREATE, SEE, hidden_from, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import chart_facts, dashboards, drafts
from metrics.actions import live_queries as asking
from metrics.actions.errors import Conflict, Invalid, check_storable, sentences
from metrics.forms.draft import Draft
from metrics.forms.fields import Field, fields_of, offering
from metrics.models import Dashboard, Rule, Series, Source
from metrics.views import rule_draft
from metrics.views.access import page, page_for
from metrics.views.dashboard_edit import refusals
from metrics.widgets import explored, live_queries
from metrics.widgets.base import QueryConfig
from metrics.widgets.ranges import DEFAULT, RANGES_S
from metrics.widgets.suggestions import title_of

QUERY = "query"
SHOWN = ("metric", "labels")
FOLDED = ("legend", "function", "over", "group_by", "aggregate", "top")
LIVE = ("source", "promql", "unit")
"""Fields of a query that a server is asked for."""
FIELDS = fields_of(QueryConfig, *SHOWN, *LIVE, *FOLDED)
SERVER_S = 3.0
"""Time that a server which is asked live has to answer, before the page is shown."""
MAY_NOT_ASK = ("query.promql", "Those who may change a dashboard may ask a server live.")
LISTS = ("group_by",)
KIND = "line"
NEW = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Address of the page, read: a `query` as a widget's config has it, over `range`, drawn as `kind`."""

    query: Mapping[str, Any]
    range: str
    kind: str

    @property
    def address(self) -> str:
        """The address that shows this, which holds still: it may be shared."""
        given = [
            (name, str(one))
            for name in ("metric", *LIVE, *FOLDED)
            if (value := self.query.get(name)) is not None
            for one in (value if isinstance(value, list) else [value])
        ]
        labels = self.query.get("labels", {}).items()
        several = ((label, value if isinstance(value, list) else [value]) for label, value in labels)
        given += [("label", f"{label}={text}") for label, texts in several for text in texts]
        usual = {"range": DEFAULT, "kind": KIND}
        given += [(name, getattr(self, name)) for name in usual if getattr(self, name) != usual[name]]
        return f"{reverse('explore')}?{urlencode(given)}" if given else reverse("explore")

    @property
    def title(self) -> str:
        """A title for a widget of it: in the words of its metric, or the beginning of its PromQL."""
        if text := self.query.get("promql"):
            return live_queries.short(text)
        return title_of(self.query.get("metric", ""), _single(self.query))

    @property
    def rule_address(self) -> str:
        """The address that makes a rule of its series."""
        given = rule_draft.of_config({"queries": [self.query]})
        return given.address if given else ""


def address_of(metric: str, labels: Mapping[str, str] | None = None) -> str:
    """Return the address of the series of `metric` that have `labels`."""
    return Asked({"metric": metric, "labels": dict(labels or {})}, DEFAULT, KIND).address


@require_safe
@page_for(SEE, Series)
def index(request: HttpRequest) -> HttpResponse:
    """A form for a query, and what it shows; what the form sends leads to the address that holds still."""
    by = of_visitor(request)
    asked = _asked(request.GET)
    changeable = [one for one in visible(by, Dashboard).prefetch_related("teams") if may(by, CHANGE, one)]
    may_add = may(by, CREATE, Dashboard)
    may_ask = may_add or bool(changeable)
    servers = live_queries.to_choose(visible(by, Source)) if may_ask else []
    folded = (*FOLDED, "unit") if servers else FOLDED
    draft = Draft.of({QUERY: _fields(servers)}, {QUERY: asked.query}, {QUERY: folded})
    if f"{QUERY}-metric" in request.GET:
        draft = replace(draft, typed={**draft.typed, **request.GET.dict()})
        values, wrong = draft.read()
        if not wrong:
            asked = replace(asked, query=values[QUERY])
            if not (wrong := _wrong(asked.query)):
                return redirect(asked.address)
        found = wrong
    else:
        found = _wrong(asked.query)
    if asked.query.get("promql") and not may_ask:
        found = [*found, MAY_NOT_ASK]
    status, shown = (422, None) if found else (200, None)
    if asked.query and not found:
        hidden, at = hidden_from(by), time.time()
        widget = explored.widget_of(asked.query, asked.kind)
        for fine in (False, True):  # what is drawn, and the numbers beside it
            asking.wait([widget], asked.range, at, at, hidden, fine=fine, most_s=SERVER_S / 2)
        shown = explored.explored(widget, asked.range, at, hidden, chart_facts.seen_by(by, at))
    draft = draft.refused(found)
    context = {
        "asked": asked,
        "shown": shown,
        "refused": draft.sentences(),
        "draft": draft,
        "form": draft.forms()[QUERY],
        "kinds": explored.kinds_of_queries(),
        "ranges": list(RANGES_S),
        "servers": servers,
        "dashboards": changeable,
        "may_add": may_add,
        "alert_on": asked.rule_address if may(by, CREATE, Rule) and asked.query.get("metric") else "",
    }
    if getattr(request, "htmx", False):
        return render(request, "explore/_explored.html", context)
    return render(request, "explore/page.html", context, status=status)


@require_POST
@page
def add(request: HttpRequest) -> HttpResponse:
    """Add what is explored to a dashboard, in the person's draft, or to a new one; it leads to the editor."""
    by = of_visitor(request)
    asked = _asked(QueryDict(request.POST.get("asked", "").rpartition("?")[2]))
    title = request.POST.get("title", "").strip() or asked.title
    w, h = explored.size_of(asked.kind)
    try:
        config = {"queries": [_checked(asked.query)]}
        dashboards.check_widget(asked.kind, config)
        slug = request.POST.get("dashboard", NEW)
        if slug == NEW:
            slug = dashboards.create(by, {"title": title, "slug": dashboards.slug_for(title)}).slug
        widget = {"kind": asked.kind, "title": title, "config": config, "w": w, "h": h}
        drafts.add_widget(by, slug, widget, drafts.current(by, slug).version)
    except (Invalid, Conflict) as problem:
        messages.error(request, str(problem))
        return redirect(asked.address)
    messages.success(request, f"{title} is in your draft. Publish it to have it everywhere.")
    return redirect("dashboard-edit", slug)


def _fields(servers: Sequence[str]) -> tuple[Field, ...]:
    """Return the fields of a query; those for PromQL only if there are `servers` to ask."""
    if not servers:
        return tuple(replace(one, required=one.name == "metric") for one in FIELDS if one.name not in LIVE)
    return offering(FIELDS, "source", servers)


def _asked(given: QueryDict) -> Asked:
    """Return what an address asks for; what is no field of a query is left out."""
    query: dict[str, Any] = {
        name: given[name] for name in ("metric", *LIVE, *FOLDED) if given.get(name) and name not in LISTS
    }
    query |= {name: [one for one in given.getlist(name) if one] for name in LISTS if name in given}
    labels: dict[str, list[str]] = {}
    for one in given.getlist("label"):
        name, _, value = one.partition("=")
        labels.setdefault(name, []).append(value)
    if labels:
        query["labels"] = {name: values if len(values) > 1 else values[0] for name, values in labels.items()}
    range, kind = given.get("range", DEFAULT), given.get("kind", KIND)
    known = explored.kinds_of_queries()
    return Asked(query, range if range in RANGES_S else DEFAULT, kind if kind in known else KIND)


def _checked(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return `query` as a config has it. Raises Invalid with all that is wrong."""
    check_storable(dict(query), QUERY)
    try:
        return QueryConfig.model_validate(query).model_dump(mode="json", exclude_unset=True)
    except ValidationError as problem:
        first, *others = sentences(problem, QUERY)
        raise Invalid(*first, *others) from None


def _wrong(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return place and sentence of all that is wrong with `query`; an address without one is only empty."""
    try:
        if query:
            _checked(query)
    except Invalid as problem:
        return refusals(problem)
    return []


def _single(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in query.get("labels", {}).items() if isinstance(value, str) and value}
