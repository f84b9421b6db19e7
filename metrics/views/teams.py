"""The pages of teams: the list, and one team with its members."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from metrics.access.policy import CHANGE, CREATE, DELETE, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import teams as actions
from metrics.actions.errors import Invalid
from metrics.models import Team
from metrics.views.access import page, page_for
from metrics.views.menu import people
from metrics.views.refusals import add_errors
from metrics.views.removal import Removal, confirm


class TeamForm(forms.Form):
    """A new team."""

    name = forms.CharField(label="Name of the team", max_length=actions.NAME_MOST)


class MembersForm(TeamForm):
    """The name and the members of a team."""

    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.order_by("username"), required=False, widget=forms.CheckboxSelectMultiple
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def index(request: HttpRequest) -> HttpResponse:
    """The teams that the user may see; posted, a new one."""
    by = of_visitor(request)
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create(by, form.cleaned_data["name"])
            return redirect("team", made.pk)
        except Invalid as problem:
            add_errors(form, problem)
    rows = visible(by, Team).order_by("name").prefetch_related("user_set", "dashboards", "sources", "tokens")
    context = {"rows": rows, "form": form, "may_add": may(by, CREATE, Team), "tabs": people(by)}
    return render(request, "access/teams.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CHANGE, Team)
def team(request: HttpRequest, id: int) -> HttpResponse:
    """Rename a team, and say who is in it."""
    by, found = of_visitor(request), actions.find(id)
    initial: dict[str, Any] = {"name": found.name, "members": found.user_set.all()}
    form = MembersForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.rename(by, id, form.cleaned_data["name"])
            actions.set_members(by, id, form.cleaned_data["members"])
            messages.success(request, "Saved.")
            return redirect("teams")
        except Invalid as problem:
            add_errors(form, problem)
    context = {"form": form, "found": found, "tabs": people(by)}
    return render(request, "access/team.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(DELETE, Team)
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a team."""
    found = actions.find(id)
    lost = (
        "Its members stay, and its tokens are revoked. Things that only they saw are then seen by administrators only."
    )
    way = [("Teams", reverse("teams")), (found.name, reverse("team", args=[id]))]
    done = f"The team {found.name} was removed. Administrators now see the things that only its members saw."
    removal = Removal(found.name, lost, way, reverse("teams"), done)
    return confirm(request, removal, lambda: actions.delete(of_visitor(request), id))
