"""Signing out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from metrics.actions import access


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and everything that was opened with it."""
    access.sign_out(request)
    return redirect("sign-in")
