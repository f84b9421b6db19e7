"""The page on which a thing is given to teams, or shown to everyone."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from metrics.access.policy import CHANGE, check, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import dashboards, sources
from metrics.actions.errors import Invalid
from metrics.actions.teams import access_of
from metrics.models import Dashboard, Source, Team
from metrics.views.access import page
from metrics.views.refusals import add_errors


class SharingForm(forms.Form):
    """Everyone or not, and which teams."""

    everyone = forms.BooleanField(
        label="Everyone who is signed in may see it",
        required=False,
        help_text="Unchecked, only members of its teams see it, and administrators.",
    )
    teams = forms.MultipleChoiceField(
        label="Teams",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Their members see it, and the editors among them change it. With no team, every editor changes it.",
    )

    def __init__(self, by: Principal, had: Iterable[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = names_for(by) | set(had)
        self.fields["teams"].choices = [(name, name) for name in sorted(names)]  # type: ignore[attr-defined]

    def access(self) -> dict[str, Any]:
        return {"everyone": self.cleaned_data["everyone"], "teams": self.cleaned_data["teams"]}


def names_for(by: Principal) -> set[str]:
    """Return the names of the teams that `by` may give things to."""
    return set(visible(by, Team).values_list("name", flat=True))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def source(request: HttpRequest, id: int) -> HttpResponse:
    """Share a source, and with it its series."""
    by = of_visitor(request)
    found = sources.find(by, id)
    check(by, CHANGE, found)
    form = _form(request, by, access_of(found).model_dump())
    if form.is_valid() and _is_done(form, lambda access: sources.change(by, id, {"access": access})):
        messages.success(request, "Saved.")
        return redirect("source", id) if _is_seen(by, found) else redirect("sources")
    return _page(
        request, form, found.name, reverse("source", args=[id]), "People who may not see it see none of its series."
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Share a dashboard."""
    by = of_visitor(request)
    found = dashboards.find(by, slug)
    check(by, CHANGE, found)
    form = _form(request, by, dashboards.spec_of(found).access.model_dump())
    if form.is_valid() and _is_done(form, lambda access: dashboards.change(by, found.slug, {"access": access}, None)):
        messages.success(request, "Saved.")
        return redirect("sharing-dashboard", found.slug) if _is_seen(by, found) else redirect("dashboards")
    note = "It draws the sources that its teams may see, for everyone who may see the dashboard."
    return _page(request, form, found.title, reverse("dashboard", args=[found.slug]), note)


def _form(request: HttpRequest, by: Principal, access: dict[str, Any]) -> SharingForm:
    return SharingForm(by, access["teams"], request.POST if request.method == "POST" else None, initial=access)


def _is_seen(by: Principal, thing: Dashboard | Source) -> bool:
    """Return whether `by` may still see `thing`: an editor may have taken it from their own team."""
    return visible(by, type(thing)).filter(pk=thing.pk).exists()


def _is_done(form: SharingForm, do: Any) -> bool:
    try:
        do(form.access())
    except Invalid as problem:
        add_errors(form, problem)
    return not form.errors


def _page(request: HttpRequest, form: SharingForm, name: str, url: str, note: str) -> HttpResponse:
    context = {"form": form, "name": name, "url": url, "note": note}
    return render(request, "access/sharing.html", context, status=422 if form.errors else 200)
