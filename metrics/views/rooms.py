"""The pages of rooms: the list, and one room with what is said in it."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from metrics.access.policy import CREATE, DELETE, SAY, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import rooms as actions
from metrics.actions.errors import Invalid
from metrics.models import Room
from metrics.views.access import page


class RoomForm(forms.Form):
    """A new room."""

    title = forms.CharField(label="Title of the room", max_length=actions.TITLE_MOST)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def index(request: HttpRequest) -> HttpResponse:
    """The rooms that the user may see; posted, a new one."""
    by = of_visitor(request)
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("room", actions.create(by, form.cleaned_data["title"]).pk)
        except Invalid as problem:
            form.add_error("title", str(problem))
    context = {"rooms": visible(by, Room), "form": form, "may_add": may(by, CREATE, Room)}
    return render(request, "room/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def room(request: HttpRequest, id: int) -> HttpResponse:
    """A room; posted, a message."""
    by = of_visitor(request)
    found, error, typed = actions.find(by, id), "", ""
    if request.method == "POST":
        typed = request.POST.get("text", "")
        try:
            actions.say(by, id, typed, request.POST.get("client_id", ""))
            return redirect("room", id)
        except Invalid as problem:
            error = str(problem)
    before = request.GET.get("before", "")
    is_past = before.isdecimal() and len(before) < 16
    shown = actions.messages(by, id, int(before) if is_past else None)
    context = {
        "room": found,
        "shown": shown,
        "newest": shown[-1].number if shown else 0,
        "older": shown[0].number if shown and shown[0].number > 1 else None,
        "is_past": is_past,
        "may_say": may(by, SAY, found),
        "may_delete": may(by, DELETE, found),
        "error": error,
        "typed": typed,
        "text_most": actions.TEXT_MOST,
    }
    return render(request, "room/page.html", context, status=422 if error else 200)


@require_POST
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Remove a room."""
    actions.delete(of_visitor(request), id)
    return redirect("rooms")
