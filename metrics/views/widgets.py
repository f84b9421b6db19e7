"""The pages that make and change one widget, with a preview of it."""

import inspect
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from metrics.access.policy import visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import dashboards as actions
from metrics.actions import drafts
from metrics.actions.errors import Conflict, Errors, Invalid, Missing, sentences
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import Field, fields_of, offering
from metrics.kind_groups import WIDGETS
from metrics.models import Source
from metrics.views.access import page
from metrics.views.dashboard_edit import done, refusals, seen, to_editor
from metrics.widgets import filled, freshness, live_queries
from metrics.widgets.base import Config, Rows
from metrics.widgets.examples import example
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView
from metrics.widgets.spec import DashboardSpec, WidgetSpec

NAMES = ("title", "w", "h", "x", "y")
FIELDS = fields_of(WidgetSpec, *NAMES)
(REPEAT,) = fields_of(WidgetSpec, "repeat")
CONFIG = "config"
TITLE, METRIC = "widget-title", "config-queries-0-metric"
FOLDED = {CONFIG: set(Rows.model_fields) - {"queries", "unit"}}
"""Fields that every kind has, and few people need."""
SECRETS = ("password",)
"""Fields of configs that are never shown, and stay as they are while nothing is typed into them."""
LIVE = ("source", "promql", "unit")
"""Fields of a query that a server is asked for."""
OF_WIDGET = re.compile(r"widgets?(\.\d+)?\.?")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a kind, then make a widget of it."""
    state, kind = drafts.current(of_visitor(request), slug), request.GET.get("kind", "")
    if kind not in kinds():
        now = time.time()
        groups = [
            (
                heading,
                [(one.kind, (inspect.getdoc(type(one)) or "").partition("\n")[0], example(one, now)) for one in found],
            )
            for heading, found in WIDGETS.of(kinds().values())
        ]
        return render(request, "dashboard/kinds.html", {"dashboard": state.dashboard, "groups": groups})
    widget = WidgetSpec.model_construct(kind=kind, title="", config={})
    w, h = kinds()[kind].size
    draft = Draft.of(_parts(request, kind, state.spec, {}), {"widget": {"w": w, "h": h}}, FOLDED)
    return _form(request, state, widget, draft, f"{request.path}?kind={kind}")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Change a widget."""
    state = drafts.current(of_visitor(request), slug)
    widget = next((one for one in state.spec.widgets if one.key == key), None)
    if widget is None:
        raise Missing(f"The dashboard {slug!r} has no widget {key!r}.")
    if widget.kind not in kinds():
        raise Http404(f"There is no widget kind {widget.kind} any more.")
    saved = {name: getattr(widget, name) for name in (*NAMES, REPEAT.name)}
    parts = _parts(request, widget.kind, state.spec, widget.config)
    draft = Draft.of(parts, {"widget": saved, CONFIG: widget.config}, FOLDED)
    draft = replace(draft, kept={CONFIG: [name for name in SECRETS if widget.config.get(name)]})
    return _form(request, state, widget, draft, request.path)


@require_POST
@page
def delete(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Remove a widget from the draft."""
    return done(request, slug, lambda by: drafts.delete_widget(by, slug, key, seen(request)))


@require_POST
@page
def duplicate(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Add a copy of a widget to the draft."""
    return done(request, slug, lambda by: drafts.duplicate_widget(by, slug, key, seen(request)))


def _parts(request: HttpRequest, kind: str, spec: DashboardSpec, config: Mapping[str, Any]) -> Parts:
    names = [one.name for one in spec.variables]
    chosen = replace(REPEAT, type="select", values=dict.fromkeys(["", *names], "") | {name: name for name in names})
    return {"widget": (*FIELDS, *([chosen] if names else [])), CONFIG: _fields(request, kind, config)}


def _fields(request: HttpRequest, kind: str, config: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a config of `kind`; its queries offer the servers that the visitor and `config` know."""
    config_class = kinds()[kind].config_class
    servers = live_queries.to_choose(visible(of_visitor(request), Source))
    servers += sorted({name for one in config.get("queries", ()) if (name := one.get("source"))} - set(servers))
    if getattr(config_class, "needs_stored", False):
        servers = []
    return tuple(_offering(one, servers) if one.name == "queries" else one for one in fields_of(config_class))


def _offering(queries: Field, servers: Sequence[str]) -> Field:
    if not servers:
        stored = [one for one in queries.fields if one.name not in LIVE]
        return replace(queries, fields=tuple(replace(one, required=one.name == "metric") for one in stored))
    fields = offering(queries.fields, "source", servers)
    return replace(queries, fields=tuple(replace(one, shown=one.name in ("source", "promql")) for one in fields))


def _form(request: HttpRequest, state: drafts.State, widget: WidgetSpec, draft: Draft, url: str) -> HttpResponse:
    """Show the form of `widget`; draw it, save it, or add and remove an item of a list, as the button says."""
    dashboard = state.dashboard
    preview_url = f"{url}{'&' if '?' in url else '?'}do=preview"
    context: dict[str, Any] = {"state": state, "dashboard": dashboard, "widget": widget}
    context |= {"form_url": url, "preview_url": preview_url, "seen": state.version}
    if request.method != "POST":
        return _page(request, draft, context)
    context["seen"] = seen(request)
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _page(request, changed, context, part="dashboard/_widget_form.html")
    is_preview = request.GET.get("do") == "preview"
    try:
        fields = _read(_titled(draft, widget.kind) if is_preview else draft, widget)
        if is_preview:
            context["preview"] = preview = _preview(of_visitor(request), state, widget, fields)
            if preview.error_of is not None:
                raise Invalid(f"{CONFIG}.queries.{preview.error_of}.promql", preview.error)
            context["doubts"] = _doubts(state, fields[CONFIG], preview)
            return _page(request, draft, context, part="dashboard/_preview.html")
        _save(request, dashboard.slug, widget, fields)
    except Invalid as problem:
        found = [(_place(where), said) for where, said in refusals(problem)]
        draft = draft.refused(found)
        if getattr(request, "htmx", False):
            return render(request, "dashboard/_preview.html", {"refused": draft.sentences()})
        return _page(request, draft, context, status=422)
    except Conflict as problem:
        return _page(request, draft, {**context, "conflict": problem}, status=409)
    return to_editor(request, dashboard.slug)


def _titled(draft: Draft, kind: str) -> Draft:
    """Return the draft with a title: a preview is drawn before there is one."""
    title = draft.typed.get(TITLE, "").strip() or draft.typed.get(METRIC, "") or kind.replace("_", " ").capitalize()
    return replace(draft, typed={**draft.typed, TITLE: title})


def _read(draft: Draft, widget: WidgetSpec) -> dict[str, Any]:
    """Return the fields of the widget as its dashboard's document has them. Raises Invalid with all that is wrong."""
    kind = widget.kind
    values, unreadable = draft.read()
    values[CONFIG] = {name: widget.config[name] for name in draft.kept.get(CONFIG, ())} | values[CONFIG]
    config_class: type[Config] = kinds()[kind].config_class
    errors, config, places = Errors(), values[CONFIG], {"x": None, "y": None}
    errors.found += unreadable
    if not any(place.startswith(f"{CONFIG}.") for place, _ in unreadable):
        with errors:
            actions.check_widget(kind, config)
            config = config_class.model_validate(config).model_dump(mode="json", exclude_unset=True)
    fields = {"title": "", "repeat": "", **places, **values["widget"], "kind": kind}
    try:
        WidgetSpec.model_validate({**fields, CONFIG: {}})
    except ValidationError as problem:
        errors.found += sentences(problem, "widget")
    errors.check()
    return {**fields, CONFIG: config}


def _save(request: HttpRequest, slug: str, widget: WidgetSpec, fields: dict[str, Any]) -> None:
    by = of_visitor(request)
    if widget.key:
        drafts.change_widget(by, slug, widget.key, fields, seen(request))
    else:
        drafts.add_widget(by, slug, fields, seen(request))


def _preview(by: Principal, state: drafts.State, widget: WidgetSpec, fields: dict[str, Any]) -> WidgetView:
    """Return the widget as the page of its dashboard would draw it now. Raises Invalid if it can't be made."""
    document = {**state.spec.model_dump(include={"title", "variables"}), "slug": "preview"}
    (spec,) = actions.parse({**document, "widgets": [{**fields, "x": None, "y": None}]}).widgets
    return drafts.views(by, state, [spec.model_copy(update={"key": widget.key or "new"})], time.time())[0]


def _doubts(state: drafts.State, config: Mapping[str, Any], preview: WidgetView) -> list[str]:
    """Return what may be mistyped in queries of stored series: a variable, and where nothing is found, a metric."""
    stored = [one for one in config.get("queries", ()) if one.get("metric")]
    variables = {one.name for one in state.spec.variables}
    unknown = dict.fromkeys(name for one in stored for name in filled.unknown(one.get("labels", {}), variables))
    if unknown:
        return [f"The dashboard has no variable {name}, so ${name} is taken as it stands." for name in unknown]
    if preview.freshness != freshness.NO_DATA:
        return []
    asked = dict.fromkeys(one["metric"] + (" with these labels" if one.get("labels") else "") for one in stored)
    return [f"There is no series of {one} yet: the widget waits for it." for one in asked]


def _place(where: str) -> str:
    """Return the place in the page's forms of a field of the dashboard's document, such as `widgets.3.config.unit`."""
    found = OF_WIDGET.match(where)
    inside = where[found.end() :] if found else where
    return inside if inside.partition(".")[0] == CONFIG else f"widget.{inside}"


def _page(
    request: HttpRequest, draft: Draft, context: dict[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    template = part if part and getattr(request, "htmx", False) else "dashboard/widget.html"
    forms = draft.forms()
    wrong = any(entry.error for entry in forms["widget"].entries[1:])
    return render(
        request, template, {**context, "draft": draft, "forms": forms, "place_is_wrong": wrong}, status=status
    )
