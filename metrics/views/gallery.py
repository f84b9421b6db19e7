"""The gallery: each kind of widget in each of its states."""

import inspect
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from metrics.kind_groups import WIDGETS
from metrics.times import datetime_of
from metrics.widgets import gallery
from metrics.widgets.base import WidgetKind
from metrics.widgets.registry import kinds

Shown = tuple[str, str, list[tuple[str, str]]]
"""Of a kind, its name, what it is, and of each of its states what that is, and its tile as HTML."""


@cache
def _shown() -> list[tuple[str, list[Shown]]]:
    """Return the heading of each group, and its kinds. They are always the same, so a process draws them once."""
    return [(heading, [_kind(one) for one in found]) for heading, found in WIDGETS.of(kinds().values())]


def _kind(kind: WidgetKind[Any]) -> Shown:
    tiles = [(gallery.about(kind.kind, state), _tile(kind.kind, state)) for state in gallery.states(kind.kind)]
    return kind.kind, (inspect.getdoc(type(kind)) or "").partition("\n")[0], tiles


def _tile(kind: str, state: str) -> str:
    return render_to_string("widgets/widget.html", {"widget": gallery.tile(kind, state)})


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All of them, as the pages of dashboards draw them."""
    moment = f"{datetime_of(gallery.AT):%Y-%m-%d %H:%M} UTC"
    return render(request, "gallery/gallery.html", {"groups": _shown(), "moment": moment})
