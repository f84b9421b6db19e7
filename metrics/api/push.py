"""What every push format shares: the token's limits, the one way in, and the refusals."""

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError

from metrics.actions import push
from metrics.actions.samples import accept, accept_good, describe
from metrics.api import times
from metrics.api.encoding import decoded
from metrics.api.tokens import token_of
from metrics.batch import Accepted, Parsed, Refused
from metrics.live import limits
from metrics.models import Source, Token
from metrics.sample import BadSamples, Sample

REFUSALS = frozenset({400, 401, 403, 409, 413, 415, 422, 429, 503})
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class TooFastError(Exception):
    """A token that pushes more than it may; `wait_s` seconds from now it may again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"A token may push {settings.PUSH_SAMPLES_PER_MINUTE} samples a minute; wait {wait_s} s.")
        self.wait_s = wait_s


Store = Callable[[Sequence[Sample], Source | None, float, push.Keep | None], int]
"""What stores samples as `actions.samples.accept` does, and takes the same arguments."""


def take(request: HttpRequest, parse: Callable[[bytes], list[Sample]], store: Store = accept) -> int:
    """Have `store` store what `parse` finds in the body of `request`, all or none; return how many samples that was.

    Of requests with the same Idempotency-Key only the first is stored. Raises what `parse` raises, BadSamples,
    TooFastError, push.StillRunningError, Invalid for a key that came with another body, or HttpError for a body that is
    too large or wrongly encoded.
    """
    now, token = time.time(), token_of(request)
    body = decoded(request, settings.PUSH_BODY_LIMIT_BYTES)
    key = _key(request, token, body)

    def take_it(keep: push.Keep | None = None) -> int:
        samples = parse(body)
        _spend(token, len(samples), now)
        return store(times.given(samples, now), token.source, now, keep)

    return take_it() if key is None else push.once(key, take_it, now)


def take_good(request: HttpRequest, parse: Callable[[bytes], Parsed], encoding: str = "") -> Accepted:
    """Store what can be stored of what `parse` finds in the body of `request`; return how much, and what was refused.

    A body without `Content-Encoding` has this `encoding`. With an Idempotency-Key it is all or none, since there is one
    answer to it. Raises what `take` raises, but HttpError 400 where that raises BadSamples.
    """
    now, token = time.time(), token_of(request)
    body = decoded(request, settings.PUSH_BODY_LIMIT_BYTES, encoding)
    key, parsed = _key(request, token, body), parse(body)
    try:
        if key:
            accepted = Accepted(push.once(key, partial(_take_whole, parsed, token, now), now), Refused())
        else:
            accepted = _take_good(parsed, token, now)
    except BadSamples as refused:
        raise HttpError(400, f"Nothing was stored: {refused.problems[0]}") from None
    describe(parsed.about, token.source)
    return accepted


def refuse(accepted: Accepted) -> None:
    """Raise HttpError 400 if something was refused, with a sentence that says what, and that the rest is stored."""
    if accepted.refused:
        said = accepted.refused.sentence(accepted.count + len(accepted.refused))
        raise HttpError(400, f"{said} The rest is stored." if accepted.count else said)


def _take_whole(parsed: Parsed, token: Token, now: float, keep: push.Keep) -> int:
    if parsed.refused:
        raise BadSamples(parsed.refused.problems)
    _spend(token, len(parsed.samples), now)
    return accept(times.given(parsed.samples, now), token.source, now, keep)


def _take_good(parsed: Parsed, token: Token, now: float) -> Accepted:
    _spend(token, len(parsed.samples) + len(parsed.refused), now)
    accepted = accept_good(times.given(parsed.samples, now), token.source, now, parsed.places)
    parsed.refused.update(accepted.refused)
    return Accepted(accepted.count, parsed.refused)


def _spend(token: Token, count: int, now: float) -> None:
    """Take `count` samples from what `token` may push in this minute. Raises HttpError or TooFastError."""
    most = settings.PUSH_SAMPLES_PER_MINUTE
    if count > most:
        raise HttpError(413, f"A token may push {most} samples a minute, fewer than this has; split the batch.")
    if wait_s := limits.spend(f"token:{token.pk}", max(1, count), most, now):
        raise TooFastError(wait_s)


def _key(request: HttpRequest, token: Token, body: bytes) -> push.Key | None:
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(text):
        raise HttpError(400, "Idempotency-Key is not 1 to 255 visible ASCII characters.")
    pushed = hashlib.sha256(request.get_full_path().encode() + b"\n" + body)
    return push.Key(token, text, pushed.hexdigest())
