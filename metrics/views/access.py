"""Signing out, and pages that are not for everyone."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from metrics.access.principal import of_visitor
from metrics.actions import access

R = TypeVar("R", bound=HttpResponseBase)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and everything that was opened with it."""
    access.sign_out(request)
    return redirect("sign-in")


def administrators_only(view: Callable[[HttpRequest], R]) -> Callable[[HttpRequest], R]:
    """Have `view` shown to administrators; others are told that it is not for them."""

    @login_required
    @wraps(view)
    def shown(request: HttpRequest) -> R:
        if not of_visitor(request).is_admin:
            raise PermissionDenied("This page is for administrators. If you should see it, ask one of them.")
        return view(request)

    return shown


def staff_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Have `view` shown to staff; others are told that it is not for them, as they would not be by another page."""

    @login_required
    @wraps(view)
    def shown(request: HttpRequest) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied("This page is for staff. If you should see it, ask whoever runs this Watchfloor.")
        return view(request)

    return shown
