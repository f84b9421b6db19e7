"""Pings of scheduled jobs: `/ping/<key>`, `/ping/<key>/start`, `/ping/<key>/fail`, `/ping/<key>/<exit code>`."""

import time

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from metrics.actions import heartbeats
from metrics.actions.heartbeats import Arrived
from metrics.api.refusals import refusal
from metrics.ingest import ping


@csrf_exempt  # the key is the credential
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HttpRequest, key: str, word: str = "") -> HttpResponse:
    """Take one ping, and answer when it is stored."""
    try:
        found = ping.parse(word, request.GET.get("rid", ""), _body(request), time.time())
    except ping.BadPing as problem:
        return _answer(str(problem), 400)
    try:
        known = heartbeats.record([Arrived(key, found)])[0]
    except Error as away:
        refused = refusal(away)
        response = _answer(refused.detail, refused.status)
        for name, value in refused.headers.items():
            response[name] = value
        return response
    return _answer("OK", 200) if known else _answer("There is no heartbeat with this key.", 404)


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body[: settings.PING_BODY_LIMIT_BYTES]
    except RequestDataTooBig:
        return b""


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
