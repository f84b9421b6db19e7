"""Signing in: what the pause after failures counts by, and what is left to see for who is signed out."""

from collections.abc import Callable
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from metrics.access.principal import address_of, machine_at

Respond = Callable[[HttpRequest], HttpResponse]

NAME_MOST = 150


def username(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """Return the name that was tried, cut to what a name may be."""
    given = (credentials or {}).get("username") or (request.POST.get("username", "") if request else "")
    return str(given).replace("\x00", "")[:NAME_MOST]


def counted_address(request: HttpRequest) -> str:
    """Return what failures from the client's address count under."""
    return machine_at(address_of(request))


class Pauses(AxesDatabaseHandler):
    """Pauses after failed sign-ins: of a user at an address after a few, of an address after many, by any user."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures of user and address; those at which a pause begins, if the address alone deserves one."""
        failures: int = super().get_failures(request, credentials)
        since = get_cool_off_threshold(request)
        of_address = AccessAttempt.objects.filter(ip_address=counted_address(request), attempt_time__gte=since)
        total = of_address.aggregate(total=Sum("failures_since_start"))["total"] or 0
        if total >= settings.SIGN_IN_FAILURES_PER_ADDRESS:
            return max(failures, settings.AXES_FAILURE_LIMIT)
        return failures


def keep_nothing(respond: Respond) -> Respond:
    """Have browsers and proxies keep no answer that says nothing of it, as static files do.

    Else the browser's back button may show, after signing out, what was there before.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def reload_signed_out(respond: Respond) -> Respond:
    """Have a page load itself anew when a part of it is asked for by who is signed out.

    The part would be the page to sign in, drawn in the midst of the other.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        is_part = bool(getattr(request, "htmx", False)) and isinstance(response, HttpResponseRedirect)
        if is_part and response.headers["Location"].startswith(resolve_url(settings.LOGIN_URL)):
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        return response

    return answer
