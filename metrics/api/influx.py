"""InfluxDB's paths to write to, of versions 1 and 2, so that Telegraf and the clients of both write here.

https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint and
https://docs.influxdata.com/influxdb/v2/api/v2/#operation/PostWrite
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from metrics.actions.push import Keep
from metrics.actions.samples import accept
from metrics.api.push import take
from metrics.api.refusals import Refusal
from metrics.api.tokens import Foreign
from metrics.api.told import tell
from metrics.ingest.influx import Written, parse
from metrics.models import Source, Token
from metrics.sample import BadSamples, Sample

router = Router()

WRITE = Foreign(Token.Scope.PUSH, parameter="p")
VERSION = {"X-Influxdb-Version": "1.8-watchfloor"}
"""Clients ask for it to know what they may do: write, and not much more."""
CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    413: "request too large",
    429: "too many requests",
    503: "unavailable",
}


@router.post("write", auth=WRITE)
@router.post("api/v2/write", auth=WRITE)
def write(request: HttpRequest) -> HttpResponse:
    """Store what lines say, all or none. Which database, organization and bucket is all the same."""
    written = Written([], [])

    def read(body: bytes) -> list[Sample]:
        nonlocal written
        written = parse(body, request.GET.get("precision", ""))
        return tell(request, written.samples)

    def store(samples: Sequence[Sample], source: Source | None, now: float, keep: Keep | None) -> int:
        try:
            return accept(samples, source, now, keep)
        except BadSamples as refused:
            raise _by_line(refused, written.lines) from None

    take(request, read, store)
    return HttpResponse(status=204, headers=VERSION)


@router.api_operation(["GET", "HEAD"], "ping")
def ping(request: HttpRequest) -> HttpResponse:
    """Say that there is somebody to write to."""
    return HttpResponse(status=204, headers=VERSION)


def as_influx(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The form of both versions: one has `error`, the other `code`, `message` and, where it is known, the first `line`.

    What version 2 says with other statuses than its clients know is 400.
    """
    status = refusal.status if refusal.status in CODES else 400
    first = refusal.errors[0] if refusal.errors else None
    message = first.message if first else refusal.detail
    body: dict[str, Any] = {"code": CODES[status], "message": message, "error": message}
    if first and first.index is not None:
        body["line"] = first.index
    return JsonResponse(body, status=status, headers=VERSION)


def _by_line(refused: BadSamples, lines: Sequence[int]) -> BadSamples:
    """Return `refused` with numbers of lines in the place of those of samples."""
    return BadSamples(
        [
            one
            if one.index is None
            else replace(one, index=lines[one.index], message=f"line {lines[one.index]}: {one.message}")
            for one in refused.problems
        ]
    )
