"""Watching a thing, or no more."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from metrics.access.principal import of_visitor
from metrics.actions import places, watches
from metrics.views.access import page


@require_POST
@page
def watch(request: HttpRequest) -> HttpResponse:
    """Watch the thing that was posted, or with `on=0` no more; htmx gets the button as it then is."""
    on = request.POST.get("on") != "0"
    noun, id = request.POST.get("noun", ""), request.POST.get("thing", "")
    thing = watches.watch(of_visitor(request), noun, id, on=on)
    if getattr(request, "htmx", False):
        return render(request, "notification/_watch.html", {"noun": noun, "thing": thing, "is_watching": on})
    return redirect(places.path_of(thing))
