"""The fast path: pushes and pings, taken before Django's handler and stored in groups.

At every full minute a thousand cron jobs push one number each. The fast path takes what is plain: a known token,
a JSON body that is not large and has no further wishes, a ping with a known key. Everything else goes on to Django,
with the body that was read, and is answered there: so there is one place that refuses, and it gives the same reasons.
"""

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware

from metrics.access.bearer import bearer, secret_in
from metrics.access.policy import PUSH, SAMPLES, may
from metrics.access.principal import of_token
from metrics.actions import heartbeats, samples
from metrics.actions.heartbeats import Arrived
from metrics.actions.samples import Push, checked
from metrics.api import times
from metrics.api.push import give_back, wait_s
from metrics.api.refusals import refusal
from metrics.database import unavailable
from metrics.group_commit import FullError, GroupCommit
from metrics.ingest import json_samples, ping
from metrics.models import Source
from metrics.sample import BadSamples

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

SAMPLES_PATH, PING_PATH = "/api/v1/samples", "/ping/"
BODY_MOST_BYTES = 128 * 1024
"""About 1,500 samples, which take one or two milliseconds. That holds up open pages: more goes to a thread."""
TOKEN_HOLDS_S = 1.0
WISHES = frozenset({b"content-encoding", b"idempotency-key"})
"""Headers whose meaning Django's side knows."""
PLAIN, JSON = "text/plain; charset=utf-8", "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Holder:
    """A token that lets pushes in, for `source`; believed until `until`, monotonic."""

    token_id: int
    source: Source | None
    until: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A push that waits to be stored, and the token that sent it."""

    token_id: int
    push: Push


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class FastPath:
    """An ASGI application in front of `django`."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._holders: dict[bytes, Holder] = {}
        self._pushes = GroupCommit("pushes", _store, weigh=lambda one: len(one.push.samples), writers=2)
        self._pings = GroupCommit("pings", heartbeats.record)
        self._common = cache(_common)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        take = self._way(scope)
        if take is None:
            await self._django(scope, receive, send)
            return
        first = await _read(receive)
        whole = first["type"] == "http.request" and not first["more_body"] and len(first["body"]) <= BODY_MOST_BYTES
        answer = await take(scope, first["body"]) if whole else None
        if answer is None:
            await self._django(scope, _again(first, receive), send)
        else:
            await _send(send, answer, self._common(scope.get("scheme", "http")))

    def _way(self, scope: Scope) -> Callable[[Scope, bytes], Awaitable[Answer | None]] | None:
        if scope["path"] == SAMPLES_PATH and scope["method"] == "POST":
            return self._push
        if scope["path"].startswith(PING_PATH) and scope["method"] in ("GET", "HEAD", "POST"):
            return self._ping
        return None

    async def _push(self, scope: Scope, body: bytes) -> Answer | None:
        headers = dict(scope["headers"])
        if not WISHES.isdisjoint(headers):
            return None
        now = time.time()
        try:
            holder = await self._holder(headers.get(b"authorization", b""))
            found = json_samples.read(body) if holder else None
            if holder is None or found is None:
                return None
            push = checked(times.given(found, now), holder.source, now)
            accepted = await self._pushes.add(Waiting(holder.token_id, push))
        except BadSamples:
            return None
        except Exception as error:
            return _refused(error)
        return None if accepted is None else Answer(202, JSON, b'{"accepted": %d}' % accepted)

    async def _ping(self, scope: Scope, body: bytes) -> Answer | None:
        key, _, word = scope["path"].removeprefix(PING_PATH).partition("/")
        run = parse_qs(scope["query_string"].decode("latin-1")).get("rid", [""])[0]
        try:
            arrived = Arrived(key, ping.parse(word, run, body[: settings.PING_BODY_LIMIT_BYTES], time.time()))
            known = await self._pings.add(arrived)
        except Exception as error:
            return _refused(error)
        return Answer(200, PLAIN, b"OK\n") if known else None

    async def _holder(self, authorization: bytes) -> Holder | None:
        """Return whom the header lets push, None if nobody."""
        now = time.monotonic()  # a clock that is set back must not have a token that was deleted believed for longer
        known = self._holders.get(authorization)
        if known is None or known.until < now:
            known = await database_sync_to_async(_find_holder)(authorization, now)
            self._holders = {key: one for key, one in self._holders.items() if one.until >= now}
            if known is not None:
                self._holders[authorization] = known
        return known


def _store(group: Sequence[Waiting]) -> list[int | None]:
    """Store the pushes of those who keep to their rate; the others get None, and Django's word for it.

    A request that can't be stored costs nothing here: it is tried again one by one, or counted by Django.
    """
    now = time.time()
    spent = Counter[int]()
    for one in group:
        spent[one.token_id] += max(1, len(one.push.samples))
    kept = {token_id for token_id, count in spent.items() if not wait_s(token_id, count, now)}
    try:
        samples.accept([one.push for one in group if one.token_id in kept], now)
    except Exception:
        for token_id in kept:
            give_back(token_id, spent[token_id], now)
        raise
    return [len(one.push.samples) if one.token_id in kept else None for one in group]


def _find_holder(authorization: bytes, now: float) -> Holder | None:
    token = bearer(secret_in(authorization.decode("latin-1")))
    if token is None or not may(of_token(token), PUSH, SAMPLES):
        return None
    return Holder(token.pk, token.source, now + TOKEN_HOLDS_S)


async def _read(receive: Receive) -> Message:
    """Return the body as one message; `more_body` if that is not all of it, since it is not small."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body") or len(body) > BODY_MOST_BYTES:
            return {**message, "body": body, "more_body": message.get("more_body", False)}


def _again(first: Message, receive: Receive) -> Receive:
    """Return a `receive` that begins with what was read already."""
    waiting = [first]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _refused(error: Exception) -> Answer | None:
    """Return the refusal of a database that is away or has too much to do; None for what Django's side is to refuse."""
    if not isinstance(error, FullError) and not unavailable(error):
        return None
    refused = refusal(error)
    return Answer(refused.status, JSON, json.dumps({"detail": refused.detail}).encode(), refused.headers)


async def _send(send: Send, answer: Answer, common: Mapping[str, str]) -> None:
    said = {**common, "Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}
    start = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": start})
    await send({"type": "http.response.body", "body": answer.body})


def _common(scheme: str) -> dict[str, str]:
    """Return the headers that every answer to a request by `scheme` has, as Django's own middleware sets them."""
    request = HttpRequest()
    request.is_secure = lambda: scheme == "https"  # type: ignore[method-assign]
    answer = HttpResponse(headers={"Cache-Control": "no-store"})
    return dict(SecurityMiddleware(lambda _: answer).process_response(request, answer).items())
