"""Parts that every push format shares: the token's limits, the one way in, and the refusals."""

import hashlib
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from ninja.errors import HttpError

from metrics.actions import idempotency
from metrics.actions.samples import Push, accept, checked, describe
from metrics.api import times
from metrics.api.encoding import decoded
from metrics.api.tokens import token_of
from metrics.batch import Accepted, Parsed, Refused
from metrics.models import Token
from metrics.redis_state import limits
from metrics.sample import BadSamples

REFUSALS = frozenset({400, 401, 403, 409, 413, 415, 422, 429, 503})
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class TooFastError(Exception):
    """A token that pushes more than it may; `wait_s` seconds from now it may again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"A token may push {settings.PUSH_SAMPLES_PER_MINUTE} samples a minute; wait {wait_s} s.")
        self.wait_s = wait_s


Store = Callable[[Push, Parsed, float], Accepted]
"""Stores a push, which was found in what is parsed, at a time (Unix seconds)."""


def store(push: Push, parsed: Parsed, now: float) -> Accepted:
    """Store a push, and what the sender says about its metrics."""
    with transaction.atomic():
        (accepted,) = accept([push], now)
        describe(parsed.metadata, push.source)
    return accepted


def take(
    request: HttpRequest,
    parse: Callable[[bytes], Parsed],
    store: Store = store,
    *,
    whole: bool = True,
    encoding: str = "",
) -> Accepted:
    """Have `store` store what `parse` finds in the body of `request`; return how much that was, and what was refused.

    Of requests with the same Idempotency-Key only the first is stored; as it has one answer, it is stored as a whole.
    A body without Content-Encoding has this `encoding`. Raises what `parse` and `store` raise, BadSamples if a whole
    push has some, TooFastError, StillRunningError, Invalid for a key that came with another body, or HttpError for a
    body that is too large or wrongly encoded.
    """
    now, token = time.time(), token_of(request)
    body = decoded(request, settings.PUSH_BODY_LIMIT_BYTES, encoding)
    key = key_of(request, token, body)
    parsed = parse(body)
    spend(f"token:{token.pk}", len(parsed.samples) + len(parsed.refused), now)
    push = checked(
        times.given(parsed.samples, now),
        token.source,
        now,
        places=parsed.places,
        refused=parsed.refused,
        whole=whole or key is not None,
    )
    if key is None:
        return store(push, parsed, now)
    return Accepted(idempotency.once(key, lambda: store(push, parsed, now).count, now), Refused())


def take_good(request: HttpRequest, parse: Callable[[bytes], Parsed], encoding: str = "") -> Accepted:
    """Store what can be stored of what `parse` finds, as `take` does; HttpError 400 where that raises BadSamples."""
    try:
        return take(request, parse, whole=False, encoding=encoding)
    except BadSamples as refused:
        raise HttpError(400, f"Nothing was stored: {refused.problems[0]}") from None


def refuse(accepted: Accepted) -> None:
    """Raise HttpError 400 if something was refused, with a sentence that says what, and that the rest is stored."""
    if accepted.refused:
        said = accepted.refused.sentence(accepted.count + len(accepted.refused))
        raise HttpError(400, f"{said} The rest is stored." if accepted.count else said)


def wait_s(token_id: int, count: int, now: float) -> int:
    """Take `count` samples from what the token may push in this minute; return 0, or how long it has to wait first."""
    return _wait_s(f"token:{token_id}", count, now)


def give_back(token_id: int, count: int, now: float) -> None:
    """Give the token back what `wait_s` took at `now` for samples that were not stored."""
    limits.give_back(f"token:{token_id}", max(1, count), now)


def _wait_s(limit: str, count: int, now: float) -> int:
    return limits.spend(limit, max(1, count), settings.PUSH_SAMPLES_PER_MINUTE, now)


def spend(limit: str, count: int, now: float) -> None:
    """Take `count` samples from what may be pushed in this minute, by the name of a limit, such as token:1.

    Raises HttpError or TooFastError.
    """
    most = settings.PUSH_SAMPLES_PER_MINUTE
    if count > most:
        raise HttpError(413, f"A token may push {most} samples a minute, fewer than this has; split the batch.")
    if seconds := _wait_s(limit, count, now):
        raise TooFastError(seconds)


def key_of(request: HttpRequest, token: Token, body: bytes) -> idempotency.Key | None:
    """Return the key that came with `request`, None without one. Raises HttpError for one that can't be."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(text):
        raise HttpError(400, "Idempotency-Key is not 1 to 255 visible ASCII characters.")
    pushed = hashlib.sha256(request.get_full_path().encode() + b"\n" + body)
    return idempotency.Key(token, text, pushed.hexdigest())
