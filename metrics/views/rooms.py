"""The pages of rooms: the list, and one room with what is said in it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from metrics.access.policy import CREATE, DELETE, SAY, check, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import messages as said
from metrics.actions import rooms as actions
from metrics.actions.errors import Invalid
from metrics.models import Room
from metrics.views.access import page
from metrics.views.refusals import add_errors, beside


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
            add_errors(form, problem)
    context = {"rooms": visible(by, Room), "form": form, "may_add": may(by, CREATE, Room)}
    return render(request, "room/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def room(request: HttpRequest, id: int) -> HttpResponse:
    """A room; posted, a message, whose script is answered with 204."""
    by = of_visitor(request)
    found, error, typed = actions.find(by, id), "", ""
    if request.method == "POST":
        typed = request.POST.get("text", "").replace(
            "\r\n", "\n"
        )  # which forms send for the one character of a line's end
        try:
            said.say(by, id, typed, request.POST.get("client_id", ""))
            return HttpResponse(status=204) if getattr(request, "htmx", False) else redirect("room", id)
        except Invalid as problem:
            error = beside(problem.field, str(problem))
    before = request.GET.get("before", "")
    is_past = before.isdecimal() and len(before) < 16
    shown = said.history(by, id, int(before) if is_past else None)
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
        "text_most": said.TEXT_MOST,
    }
    template = "room/_panel.html" if getattr(request, "htmx", False) else "room/page.html"
    return render(request, template, context, status=422 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, id: int) -> HttpResponse:
    """Ask, and then remove a room."""
    by = of_visitor(request)
    found = actions.find(by, id)
    check(by, DELETE, found)
    if request.method != "POST":
        return render(request, "room/delete.html", {"room": found, "count": found.messages.count()})
    actions.delete(by, id)
    messages.success(request, f"The room {found.title} was removed.")
    return redirect("rooms")
