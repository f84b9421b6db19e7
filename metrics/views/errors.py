"""Answers to requests that fail: a sentence that says why, made of nothing that might fail again."""

import sys

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults

from metrics.database import RETRY_AFTER_S, unavailable

NO_SENSE = "The request makes no sense here."
OTHER_HOST = (
    "No page opens at this address: its name is missing in ALLOWED_HOSTS, or is not that of PUBLIC_URL. The people who"
    " run this Watchfloor can set that."
)
SIGNED_OUT = "You were signed out meanwhile. Nothing was changed."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, with a sentence that fits."""
    sentence = {DisallowedHost: OTHER_HOST, SessionInterrupted: SIGNED_OUT}.get(type(exception), NO_SENSE)
    context = {"sentence": sentence, "is_elsewhere": sentence is OTHER_HOST}
    return HttpResponse(loader.render_to_string("400.html", context), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 if the database can't do its work just now, which passes; else 500."""
    reason = unavailable(sys.exc_info()[1])
    if not reason:
        return defaults.server_error(request)
    sentence = f"{reason}. Nothing was changed; try again."
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"detail": sentence}, status=503)
    elif "HX-Request" in request.headers or not request.accepts("text/html"):
        response = HttpResponse(sentence + "\n", status=503, content_type="text/plain; charset=utf-8")
    else:
        context = {"reason": reason, "comes_back": request.method == "GET"}
        response = HttpResponse(loader.render_to_string("503.html", context), status=503)
    response["Retry-After"] = RETRY_AFTER_S
    return response
