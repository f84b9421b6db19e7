"""The list of rooms, in which new ones are opened; conversations of two people; and search in what was said."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.access.policy import CREATE, may
from metrics.access.principal import Principal, of_visitor
from metrics.actions import room_list
from metrics.actions import rooms as actions
from metrics.actions import search as searching
from metrics.actions.errors import Invalid, Missing
from metrics.models import Room
from metrics.views.access import page
from metrics.views.refusals import add_errors
from metrics.views.sharing import SharingForm

EVERYONE, CHOSEN = "everyone", "chosen"


class PeopleForm(SharingForm):
    """A room's title, and whom it is for."""

    title = forms.CharField(label="Title of the room", max_length=actions.TITLE_MOST)
    everyone = forms.ChoiceField(  # type: ignore[assignment]  # one of two instead of yes or no
        label="Who it is for",
        required=False,
        initial=EVERYONE,
        choices=[(EVERYONE, "Everyone who is signed in"), (CHOSEN, "Only these teams and people")],
    )
    people = forms.CharField(
        label="People",
        required=False,
        help_text="Names, separated by commas. You are one of them.",
        widget=forms.TextInput({"list": "people-names", "data-names": "", "autocomplete": "off"}),
    )
    field_order: Sequence[str] = ("title", "everyone", "people", "teams")

    def clean(self) -> dict[str, Any]:
        """Refuse a room for everyone that names people, and one that is for nobody."""
        found = super().clean() or self.cleaned_data
        found["everyone"] = found.get("everyone") != CHOSEN
        found["people"] = [name.strip() for name in found.get("people", "").split(",") if name.strip()]
        if found["everyone"] and found["people"]:
            self.add_error(
                "people", "A room for everyone has no people of its own: choose “Only these teams and people”."
            )
        if not found["everyone"] and not (found["people"] or found.get("teams")):
            self.add_error("everyone", "Name a team or a person.")
        return found


class DirectForm(forms.Form):
    """The name of the other one of two people."""

    name = forms.CharField(
        label="Person", max_length=150, widget=forms.TextInput({"list": "people-names", "autocomplete": "off"})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def index(request: HttpRequest) -> HttpResponse:
    """The rooms that the user may see, found by `q`, or a page of one `kind`; posted, a new one."""
    by = of_visitor(request)
    form = PeopleForm(by, (), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            return redirect("room", actions.create(by, given["title"], form.access(), given["people"]).pk)
        except Invalid as problem:
            add_errors(form, problem)
    return _list(request, by, form, DirectForm())


@require_POST
@page
def favour(request: HttpRequest) -> HttpResponse:
    """Make a room a favourite, or no more; then the list as it was searched."""
    on, by = "on" in request.POST, of_visitor(request)
    id = request.POST.get("on" if on else "off", "")
    room_list.favour(by, int(id) if _is_id(id) else 0, on=on)
    if getattr(request, "htmx", False):
        return render(request, "room/_groups.html", _found(request.POST, by))
    query = {name: request.POST[name] for name in ("q", "kind", "page") if request.POST.get(name)}
    return redirect(reverse("rooms") + (f"?{urlencode(query)}" if query else ""))


@require_POST
@page
def direct(request: HttpRequest) -> HttpResponse:
    """Open the conversation with a person."""
    by = of_visitor(request)
    form = DirectForm(request.POST)
    if form.is_valid():
        try:
            return redirect("room", actions.direct(by, form.cleaned_data["name"]).pk)
        except Invalid as problem:
            add_errors(form, problem)
        except Missing as problem:
            form.add_error("name", str(problem))
    return _list(request, by, PeopleForm(by, ()), form)


@require_safe
@page
def search(request: HttpRequest) -> HttpResponse:
    """Messages that have all the words `q`, in all rooms or in one of the id `room`; older than `before`."""
    by = of_visitor(request)
    query, room, before = (request.GET.get(name, "").strip() for name in ("q", "room", "before"))
    found, error, place = searching.Found([], None), "", None
    if _is_id(room):
        place = actions.find(by, int(room))
    if query:
        try:
            found = searching.search(by, query, place.pk if place else None, int(before) if _is_id(before) else None)
        except Invalid as problem:
            error = str(problem).removeprefix("q: ").capitalize()
    context = {
        "query": query,
        "words": query.split(),
        "room": place,
        "title": place and actions.title_for(by, place),
        "found": [(one, actions.title_for(by, one.room)) for one in found.messages],
        "older": found.older,
        "error": error,
    }
    return render(request, "room/search.html", context, status=422 if error else 200)


def _list(request: HttpRequest, by: Principal, form: PeopleForm, other: DirectForm) -> HttpResponse:
    found = _found(request.GET, by)
    if getattr(request, "htmx", False):
        return render(request, "room/_groups.html", found)
    context = {
        **found,
        "form": form,
        "direct": other,
        "may_add": may(by, CREATE, Room),
        "names": actions.names_of_others(by),
    }
    return render(request, "room/list.html", context, status=422 if form.errors or other.errors else 200)


def _found(asked: Mapping[str, str], by: Principal) -> dict[str, Any]:
    """Return what `room/_groups.html` shows of what was `asked` for: the words `q`, a `kind`, a `page` of it."""
    text, kind, number = (asked.get(name, "").strip() for name in ("q", "kind", "page"))
    kind = kind if kind in room_list.KINDS else ""
    groups = room_list.listed(by, text, kind, int(number) if _is_id(number) else 1)
    return {"groups": groups, "query": text, "kind": kind, "total": sum(one.total for one in groups)}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
