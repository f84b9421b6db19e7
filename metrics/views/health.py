"""Whether the system lives, and how it is."""

import math
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from redis import RedisError

from metrics.access.bearer import bearer
from metrics.access.policy import OWN_METRICS, SEE, may, without_scope
from metrics.access.principal import of_token
from metrics.actions.writable import Writable
from metrics.health import own_metrics as own
from metrics.health import standstill
from metrics.health import store as health
from metrics.health.standstill import Part, PartStatus, State
from metrics.models import Token
from metrics.redis_state import outage

OK = "ok"
PROCESSES = (Part.BEAT, Part.RENDER, Part.COLLECT)
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
"""The last is how a socket of IPv6 sees the first."""

_writable = Writable()


def answer_first(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer `PROBES` before a session is read or the host looked at: they ask by any address, at any time."""

    def answer(request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path, respond)(request)

    return answer


def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """The database, Redis, beat and the workers, each `ok` or what is wrong; 503 if one is missing.

    Whether samples arrive is said as well, but is not what others should keep away from this process for.
    """
    now = time.time()
    parts = {"database": _writable.trouble(time.monotonic()) or OK, **_redis_and_processes(now)}
    ready = all(state == OK for state in parts.values())
    return JsonResponse({"ready": ready, **parts, "arrivals": _arrivals(now)}, status=200 if ready else 503)


@csrf_exempt  # it changes nothing; programs that push get the wrong path, and are told
@require_safe
def own_metrics(request: HttpRequest) -> HttpResponse:
    """This system's own metrics in Prometheus' text format, for a token that may read, or from this machine itself."""
    if not _is_local(request):
        token = _token(request)
        if token is None:
            headers = {"WWW-Authenticate": "Bearer"}
            text = "A token with the scope read is needed.\n"
            return HttpResponse(text, status=401, headers=headers, content_type="text/plain")
        if not may(of_token(token), SEE, OWN_METRICS):
            return HttpResponse(f"{without_scope(token, Token.Scope.READ)}\n", status=403, content_type="text/plain")
    try:
        return HttpResponse(own.exposition(time.time()), content_type=CONTENT_TYPE_LATEST)
    except RedisError:
        return HttpResponse("Redis does not answer.\n", status=503, content_type="text/plain")


def _redis_and_processes(now: float) -> dict[str, str]:
    try:
        health.try_to_write()
        statuses = standstill.look(now)
    except RedisError as error:
        wrong = outage.words(error).removeprefix("Redis ").removesuffix(".")
        return {"redis": wrong, **dict.fromkeys(PROCESSES, "unknown without Redis")}
    return {"redis": OK, **{part: _said(statuses[part]) for part in PROCESSES}}


def _arrivals(now: float) -> str:
    try:
        stopped = [one for one in health.arriving() if one.stopped_at is not None]
    except RedisError:
        return "unknown without Redis"
    return (
        "; ".join(
            f"nothing is {one.way}: {one.late} of {one.expected} series are late, the newest sample is"
            f" {max(0.0, now - (one.newest_at or now)):.0f} s old"
            for one in stopped
        )
        or OK
    )


def _said(status: PartStatus) -> str:
    for_s = f" for {status.for_s:.0f} s" if math.isfinite(status.for_s) else ", its clock is ahead"
    match status.state:
        case State.UNSEEN:
            return "not seen yet"
        case State.SILENT:
            return f"not seen{for_s}"
        case State.BUSY:
            return f"has no thread to spare{for_s}"
    return OK


def _is_local(request: HttpRequest) -> bool:
    return request.META.get("REMOTE_ADDR") in THIS_MACHINE and "X-Forwarded-For" not in request.headers


def _token(request: HttpRequest) -> Token | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return bearer(secret.strip()) if kind.lower() == "bearer" else None


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz}
