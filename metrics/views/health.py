"""Whether the system lives, and how it is."""

import time

from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST
from redis import RedisError

from metrics.actions import access
from metrics.live import exposition, health
from metrics.models import Token

OK = "ok"
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
"""The last is how a socket of IPv6 sees the first."""


def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """The database, Redis, the workers and beat, each `ok` or what is wrong; 503 if one is missing.

    Whether samples arrive is said as well, but is not what others should keep away from this process for.
    """
    now = time.time()
    parts = {"database": _database(), **_redis_and_tasks(now)}
    ready = all(state == OK for state in parts.values())
    return JsonResponse({"ready": ready, **parts, "arrivals": _arrivals(now)}, status=200 if ready else 503)


def own_metrics(request: HttpRequest) -> HttpResponse:
    """This system's own metrics in Prometheus' text format, for a token that may read, or from this machine itself."""
    if not (_is_local(request) or _may_read(request)):
        headers = {"WWW-Authenticate": "Bearer"}
        text = "A token with the scope read is needed.\n"
        return HttpResponse(text, status=401, headers=headers, content_type="text/plain")
    try:
        return HttpResponse(exposition.exposition(time.time()), content_type=CONTENT_TYPE_LATEST)
    except RedisError:
        return HttpResponse("Redis does not answer.\n", status=503, content_type="text/plain")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return OK
    except DatabaseError:
        return "does not answer"


def _redis_and_tasks(now: float) -> dict[str, str]:
    try:
        ages = health.ages(now)
    except RedisError:
        return {"redis": "does not answer", "worker": "unknown without Redis", "beat": "unknown without Redis"}
    workers = [_alive(ages[name]) for name in ("tick", "sweep", "collecting")]
    worker = next((state for state in workers if state != OK), OK)
    return {"redis": OK, "worker": worker, "beat": _alive(ages["beat"])}


def _arrivals(now: float) -> str:
    try:
        stopped = [one for one in health.arriving() if one.stopped_at is not None]
    except RedisError:
        return "unknown without Redis"
    return (
        "; ".join(
            f"nothing is {one.way}: {one.late} of {one.expected} series are late, the newest sample is"
            f" {now - (one.newest_at or now):.0f} s old"
            for one in stopped
        )
        or OK
    )


def _alive(age_s: float | None) -> str:
    if age_s is None:
        return "not seen yet"
    return OK if age_s < health.DEAD_AFTER_S else f"not seen for {age_s:.0f} s"


def _is_local(request: HttpRequest) -> bool:
    return request.META.get("REMOTE_ADDR") in THIS_MACHINE and "X-Forwarded-For" not in request.headers


def _may_read(request: HttpRequest) -> bool:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = access.find_token(secret) if kind.lower() == "bearer" else None
    return token is not None and access.grants(token, Token.Scope.READ)
