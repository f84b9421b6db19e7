"""The fast lane: pushes and pings, taken before Django's handler and stored in groups.

At every full minute a thousand cron jobs push one number each. The lane takes what is plain and right: a known token,
a JSON body that is not large and has no further wishes, a ping with a known key. Everything else goes on to Django,
with the body that was read, and is answered there: so there is one place that refuses, and it gives the same reasons.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.conf import settings

from metrics.actions import access, heartbeats, samples
from metrics.actions.heartbeats import Arrived
from metrics.actions.samples import Push
from metrics.api import times
from metrics.api.refusals import refusal
from metrics.api.together import FullError, Together
from metrics.api.tokens import secret_in
from metrics.batch import sift
from metrics.database import unavailable
from metrics.ingest import json_samples, ping
from metrics.live import limits
from metrics.models import Source, Token

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
    """Whom a token lets in: `name` is for the rate, `source` of what is pushed; believed until `until`, monotonic."""

    name: str
    source: Source | None
    until: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Lane:
    """An ASGI application in front of `django`."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._holders: dict[bytes, Holder] = {}
        self._pushes = Together("pushes", _store, weigh=lambda push: len(push.samples), writers=2)
        self._pings = Together("pings", heartbeats.record)

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
            await _send(send, answer, is_secure=scope.get("scheme") == "https")

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
            sifted = sift(found, now)
            if sifted.refused:
                return None
            accepted = await self._pushes.add(Push(holder.name, times.given(sifted.good, now), holder.source))
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


def _store(pushes: Sequence[Push]) -> list[int | None]:
    """Store the pushes of those who keep to their rate; the others get None, and Django's word for it."""
    now = time.time()
    spent: dict[str, int] = {}
    for one in pushes:
        spent[one.holder] = spent.get(one.holder, 0) + max(1, len(one.samples))
    kept = {holder for holder, n in spent.items() if not limits.spend(holder, n, settings.PUSH_SAMPLES_PER_MINUTE, now)}
    samples.accept_all([one for one in pushes if one.holder in kept], now)
    return [len(one.samples) if one.holder in kept else None for one in pushes]


def _find_holder(authorization: bytes, now: float) -> Holder | None:
    token = access.find_token(secret_in(authorization.decode("latin-1")))
    if token is None or not access.grants(token, Token.Scope.PUSH):
        return None
    return Holder(f"token:{token.pk}", token.source, now + TOKEN_HOLDS_S)


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


async def _send(send: Send, answer: Answer, *, is_secure: bool) -> None:
    headers = {
        "content-type": answer.kind,
        "content-length": str(len(answer.body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **answer.headers,
    }
    if is_secure and settings.SECURE_HSTS_SECONDS:
        headers["strict-transport-security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    start = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": start})
    await send({"type": "http.response.body", "body": answer.body})
