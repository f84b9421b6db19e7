"""The settings of a room: its title, whom it is for, how long it keeps messages; closing, exporting, removing it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.policy import CHANGE, DELETE, check, may, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import rooms as actions
from metrics.actions.errors import Invalid
from metrics.models import Room
from metrics.views.access import page
from metrics.views.refusals import add_errors
from metrics.views.room_list import CHOSEN, EVERYONE, PeopleForm


class KeepForm(forms.Form):
    """How long messages are kept."""

    keep_days = forms.IntegerField(
        label="Days to keep messages",
        required=False,
        min_value=1,
        max_value=actions.KEPT_DAYS_MOST,
        help_text="Older ones are removed, and their files with them. Empty: all are kept.",
    )

    def changes(self) -> dict[str, Any]:
        return {"keep_days": self.cleaned_data["keep_days"]}


class SettingsForm(PeopleForm, KeepForm):
    """All that a room of its own has."""

    field_order = ("title", "everyone", "people", "teams", "keep_days")

    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "title": given["title"],
            "access": self.access(),
            "people": given["people"],
            "keep_days": given["keep_days"],
        }


@require_http_methods(["GET", "HEAD", "POST"])
@page
def settings(request: HttpRequest, id: int) -> HttpResponse:
    """Show the settings of a room; posted, change them."""
    by = of_visitor(request)
    room = actions.find(by, id)
    may_change = may(by, CHANGE, room)
    if request.method == "POST":
        check(by, CHANGE, room)
    form = _form(by, room, request.POST if request.method == "POST" else None) if may_change else None
    if form is not None and form.is_valid():
        try:
            actions.change(by, id, form.changes())
            messages.success(request, "Saved.")
            return redirect("room-settings", id) if visible(by, Room).filter(pk=id).exists() else redirect("rooms")
        except Invalid as problem:
            add_errors(form, problem)
    context = {
        "room": room,
        "title": actions.title_for(by, room),
        "form": form,
        "may_delete": may(by, DELETE, room) and room.owner is room,
        "names": actions.names_of_others(by) if may_change else (),
    }
    return render(request, "room/settings.html", context, status=422 if form and form.errors else 200)


@require_POST
@page
def close(request: HttpRequest, id: int) -> HttpResponse:
    """Close a room, or open it again."""
    closed = request.POST.get("closed") == "yes"
    actions.close(of_visitor(request), id, closed=closed)
    messages.success(request, "Closed: nobody writes in it any more." if closed else "Open again.")
    return redirect("room-settings", id)


def _form(by: Principal, room: Room, typed: Any) -> SettingsForm | KeepForm:
    had: dict[str, Any] = {"keep_days": room.keep_days}
    if not room.is_own:
        return KeepForm(typed, initial=had)
    teams = [team.name for team in room.teams.all()]
    had |= {"title": room.title, "everyone": EVERYONE if room.for_everyone else CHOSEN, "teams": teams}
    had["people"] = ", ".join(sorted(user.get_username() for user in room.people.all()))
    return SettingsForm(by, teams, typed, initial=had)
