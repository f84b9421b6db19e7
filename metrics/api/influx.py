"""InfluxDB's paths to write to, of versions 1 and 2, so that Telegraf and the clients of both write here.

https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint and
https://docs.influxdata.com/influxdb/v2/api/v2/#operation/PostWrite
"""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router
from ninja.errors import HttpError

from metrics.api.hints import with_hints
from metrics.api.push import take_good
from metrics.api.refusals import Refusal
from metrics.api.tokens import Pushing
from metrics.batch import Accepted
from metrics.ingest.influx import parse
from metrics.models import Token

router = Router()

DATABASE = "watchfloor"
"""The only one that is shown; any other may be written to as well."""
SHOWS = re.compile(r"\s*SHOW\s+DATABASES\s*$", re.IGNORECASE)
CREATES = re.compile(r"\s*CREATE\s+(?:DATABASE|RETENTION\s+POLICY)\s", re.IGNORECASE)

WRITE = Pushing(parameter="p")
VERSION = {"X-Influxdb-Version": "1.8-watchfloor"}
"""Clients ask for it to know what they may do: write, and not much more."""
CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    413: "request too large",
    429: "too many requests",
    503: "unavailable",
}


@router.post("write", auth=WRITE)
@router.post("api/v2/write", auth=WRITE)
def write(request: HttpRequest) -> HttpResponse:
    """Store what lines say, but those that can't be stored. Which database, organization and bucket is all the same."""
    accepted = take_good(request, lambda body: with_hints(request, parse(body, request.GET.get("precision", ""))))
    if accepted.refused:
        return _partly(accepted)
    return HttpResponse(status=204, headers=VERSION)


@router.api_operation(["GET", "HEAD"], "ping")
def ping(request: HttpRequest) -> HttpResponse:
    """Say that there is somebody to write to."""
    return HttpResponse(status=204, headers=VERSION)


@router.get("health")
def health(request: HttpRequest) -> HttpResponse:
    """Say in the form of version 2 that lines can be stored; 503 if the database does not answer."""
    Token.objects.exists()
    said = {"name": "influxdb", "message": "ready for queries and writes", "status": "pass", "checks": []}
    return JsonResponse({**said, "version": VERSION["X-Influxdb-Version"]}, headers=VERSION)


@router.get("ready")
def ready(request: HttpRequest) -> HttpResponse:
    """Say the same in another form of version 2."""
    Token.objects.exists()
    return JsonResponse({"status": "ready"}, headers=VERSION)


@router.api_operation(["GET", "POST"], "query", auth=WRITE)
def query(request: HttpRequest) -> HttpResponse:
    """Answer the statements by which clients of version 1 make sure, before they write, that there is a database."""
    asked = request.POST.get("q") or request.GET.get("q") or ""
    results: list[dict[str, Any]] = []
    for number, statement in enumerate(filter(str.strip, asked.split(";"))):
        if SHOWS.match(statement):
            names = dict.fromkeys([DATABASE, request.GET.get("db") or DATABASE])
            series = [{"name": "databases", "columns": ["name"], "values": [[name] for name in names]}]
            results.append({"statement_id": number, "series": series})
        elif CREATES.match(statement):
            results.append({"statement_id": number})
        else:
            raise HttpError(400, "only CREATE DATABASE and SHOW DATABASES are answered here")
    if not results:
        raise HttpError(400, 'missing required parameter "q"')
    return JsonResponse({"results": results}, headers=VERSION)


def as_influx(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The form of both versions: one has `error`, the other `code`, `message` and, where it is known, the first `line`.

    Statuses that clients of version 2 do not know are 400.
    """
    status = refusal.status if refusal.status in CODES else 400
    first = refusal.errors[0] if refusal.errors else None
    return _answer(status, first.message if first else refusal.detail)


def _partly(accepted: Accepted) -> HttpResponse:
    """Say which line is the first that was not stored, and how many were not, as InfluxDB does."""
    first = accepted.refused.problems[0]
    place = min(accepted.refused.places) if first.index is None else first.index
    message = f"line {place}: {first.message.rstrip('.')}"
    if accepted.count:
        message = f"partial write: {message} dropped={len(accepted.refused)}"
    return _answer(400, message, line=place)


def _answer(status: int, message: str, **more: int) -> HttpResponse:
    body = {"code": CODES[status], "message": message, "error": message, **more}
    return JsonResponse(body, status=status, headers=VERSION)
