"""The pages that make and change one widget, with a preview of it."""

import inspect
import re
import time
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from metrics.access.principal import of_visitor
from metrics.actions import dashboards as actions
from metrics.actions.errors import Conflict, Errors, Invalid, Missing, sentences
from metrics.actions.variables import drawn, variables_of
from metrics.forms.draft import Draft, Parts
from metrics.forms.fields import fields_of
from metrics.models import Dashboard, Widget
from metrics.views.access import page
from metrics.views.dashboard_edit import changeable, done, refusals, seen
from metrics.widgets import ranges
from metrics.widgets.base import Config
from metrics.widgets.examples import example
from metrics.widgets.registry import kinds
from metrics.widgets.render import WidgetView, widget_views
from metrics.widgets.spec import WidgetSpec

FIELDS = fields_of(WidgetSpec, "title", "w", "h", "x", "y")
(REPEAT,) = fields_of(WidgetSpec, "repeat")
SIZE = {name: WidgetSpec.model_fields[name].default for name in ("w", "h")}
CONFIG = "config"
OF_WIDGET = re.compile(r"widgets?(\.\d+)?\.?")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a kind, then make a widget of it."""
    dashboard, kind = changeable(request, slug), request.GET.get("kind", "")
    if kind not in kinds():
        about = [
            (name, (inspect.getdoc(type(one)) or "").partition("\n")[0], example(one, time.time()))
            for name, one in sorted(kinds().items())
        ]
        return render(request, "dashboard/kinds.html", {"dashboard": dashboard, "kinds": about})
    url = f"{reverse('widget-new', args=[dashboard.slug])}?kind={kind}"
    return _form(
        request,
        dashboard,
        Widget(dashboard=dashboard, kind=kind, key="new"),
        Draft.of(_parts(kind, dashboard), {}),
        url,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Change a widget."""
    dashboard = changeable(request, slug)
    widget = _widget(dashboard, key)
    if widget.kind not in kinds():
        raise Http404(f"There is no widget kind {widget.kind} any more.")
    saved = {name: getattr(widget, name) for name in ("title", "x", "y", "w", "h", "repeat")}
    draft = Draft.of(_parts(widget.kind, dashboard), {"widget": saved, CONFIG: widget.config})
    return _form(request, dashboard, widget, draft, reverse("widget-edit", args=[dashboard.slug, key]))


@require_POST
@page
def delete(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Remove a widget; the revision before has it still."""
    dashboard = changeable(request, slug)
    said = f"{_widget(dashboard, key).title} was removed; the revision before has it still."
    return done(request, dashboard, lambda by: actions.delete_widget(by, dashboard.slug, key, seen(request)), said)


def _parts(kind: str, dashboard: Dashboard) -> Parts:
    names = [one.name for one in variables_of(dashboard)]
    chosen = replace(REPEAT, type="select", values=dict.fromkeys(["", *names], "") | {name: name for name in names})
    return {"widget": (*FIELDS, *([chosen] if names else [])), CONFIG: fields_of(kinds()[kind].config_class)}


def _widget(dashboard: Dashboard, key: str) -> Widget:
    found = dashboard.widgets.filter(key=key).first()
    if found is None:
        raise Missing(f"The dashboard {dashboard.slug!r} has no widget {key!r}.")
    return found


def _form(request: HttpRequest, dashboard: Dashboard, widget: Widget, draft: Draft, url: str) -> HttpResponse:
    """Show the form of `widget`; draw it, save it, or add and remove an item of a list, as the button says."""
    context: dict[str, Any] = {"dashboard": dashboard, "widget": widget, "form_url": url, "seen": dashboard.revision}
    if request.method != "POST":
        return _page(request, draft, context)
    context["seen"] = seen(request)
    draft = replace(draft, typed=request.POST.dict())
    if changed := draft.pressed():
        return _page(request, changed, context, part="dashboard/_widget_form.html")
    try:
        fields = _read(draft, widget.kind)
        if request.GET.get("do") == "preview":
            context["preview"] = _preview(dashboard, widget, fields)
            return _page(request, draft, context, part="dashboard/_preview.html")
        _save(request, dashboard, widget, fields)
    except Invalid as problem:
        found = [(_place(where), said) for where, said in refusals(problem)]
        draft = draft.refused(found)
        if getattr(request, "htmx", False):
            return render(request, "dashboard/_preview.html", {"refused": draft.sentences()}, status=422)
        return _page(request, draft, context, status=422)
    except Conflict as problem:
        return _page(request, draft, {**context, "conflict": problem}, status=409)
    messages.success(request, f"{fields['title']} is saved.")
    return redirect("dashboard-edit", dashboard.slug)


def _read(draft: Draft, kind: str) -> dict[str, Any]:
    """Return the fields of the widget as its dashboard's document has them. Raises Invalid with all that is wrong."""
    values, unreadable = draft.read()
    config_class: type[Config] = kinds()[kind].config_class
    errors, config, places = Errors(), values[CONFIG], {"x": None, "y": None, **SIZE}
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


def _save(request: HttpRequest, dashboard: Dashboard, widget: Widget, fields: dict[str, Any]) -> None:
    by = of_visitor(request)
    if widget.pk is None:
        actions.add_widget(by, dashboard.slug, fields, seen(request))
    else:
        actions.change_widget(by, dashboard.slug, widget.key, fields, seen(request))


def _preview(dashboard: Dashboard, widget: Widget, fields: dict[str, Any]) -> WidgetView:
    """Return the widget as the page of its dashboard would draw it now. Raises Invalid if it can't be made."""
    document = {
        "slug": dashboard.slug,
        "title": dashboard.title,
        "variables": dashboard.variables,
        "widgets": [{**fields, "x": None, "y": None}],
    }
    (spec,) = actions.parse(document).widgets
    one = Widget(dashboard=dashboard, key=widget.key, **spec.model_dump(exclude={"key"}))
    range = dashboard.range if dashboard.range in ranges.RANGES_S else ranges.DEFAULT
    return widget_views(drawn(dashboard, [one], ""), range, time.time())[0]


def _place(where: str) -> str:
    """Return the place in the page's forms of a field of the dashboard's document, such as `widgets.3.config.unit`."""
    found = OF_WIDGET.match(where)
    inside = where[found.end() :] if found else where
    return inside if inside.partition(".")[0] == CONFIG else f"widget.{inside}"


def _page(
    request: HttpRequest, draft: Draft, context: dict[str, Any], *, part: str = "", status: int = 200
) -> HttpResponse:
    template = part if part and getattr(request, "htmx", False) else "dashboard/widget.html"
    return render(request, template, {**context, "draft": draft, "forms": draft.forms()}, status=status)
