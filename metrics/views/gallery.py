"""The gallery: each kind of widget in each of its states."""

import inspect
from functools import cache

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from metrics.times import datetime_of
from metrics.widgets import gallery
from metrics.widgets.registry import kinds


@cache
def _shown() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return of each kind its name, what it is, and of each of its states what that is, and its tile as HTML.

    They are always the same, so a process draws them once.
    """
    return [
        (
            name,
            (inspect.getdoc(type(kind)) or "").partition("\n")[0],
            [(gallery.about(name, state), _tile(name, state)) for state in gallery.states(name)],
        )
        for name, kind in sorted(kinds().items())
    ]


def _tile(kind: str, state: str) -> str:
    return render_to_string("widgets/widget.html", {"widget": gallery.tile(kind, state)})


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All of them, as the pages of dashboards draw them."""
    moment = f"{datetime_of(gallery.AT):%Y-%m-%d %H:%M} UTC"
    return render(request, "gallery/gallery.html", {"kinds": _shown(), "moment": moment})
