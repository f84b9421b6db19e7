"""The gallery: each kind of widget in each of its states."""

import inspect

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metrics.times import datetime_of
from metrics.widgets import gallery
from metrics.widgets.registry import kinds


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All of them, as the pages of dashboards draw them."""
    shown = [
        (
            name,
            (inspect.getdoc(type(kind)) or "").partition("\n")[0],
            [(gallery.about(name, state), gallery.tile(name, state)) for state in gallery.states(name)],
        )
        for name, kind in sorted(kinds().items())
    ]
    return render(
        request, "gallery/gallery.html", {"kinds": shown, "moment": f"{datetime_of(gallery.AT):%Y-%m-%d %H:%M} UTC"}
    )
