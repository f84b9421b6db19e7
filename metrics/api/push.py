"""What every push format shares: the token's limits, the one way in, and the refusals."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError

from metrics.actions import push
from metrics.actions.samples import accept
from metrics.api import times
from metrics.api.encoding import decoded
from metrics.api.tokens import token_of
from metrics.live import limits
from metrics.models import Source, Token
from metrics.sample import METRIC_NAME_MOST, BadSamples, Sample, named

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
    """Have `store` store what `parse` finds in the body of `request`; return how many samples that was.

    Of requests with the same Idempotency-Key only the first is stored. Raises what `parse` raises, BadSamples,
    TooFastError, push.StillRunningError, Invalid for a key that came with another body, or HttpError for a body that is
    too large or wrongly encoded.
    """
    now, token = time.time(), token_of(request)
    body = decoded(request, settings.PUSH_BODY_LIMIT_BYTES)
    key = _key(request, token, body)
    take_it = partial(_take, partial(parse, body), store, token, now)
    return take_it() if key is None else push.once(key, take_it, now)


def _take(
    parse: Callable[[], list[Sample]], store: Store, token: Token, now: float, keep: push.Keep | None = None
) -> int:
    samples, most = parse(), settings.PUSH_SAMPLES_PER_MINUTE
    if len(samples) > most:
        raise HttpError(413, f"A token may push {most} samples a minute, fewer than this has; split the batch.")
    if wait_s := limits.spend(f"token:{token.pk}", max(1, len(samples)), most, now):
        raise TooFastError(wait_s)
    return store(times.given(samples, now), token.source, now, keep)


def _key(request: HttpRequest, token: Token, body: bytes) -> push.Key | None:
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(text):
        raise HttpError(400, "Idempotency-Key is not 1 to 255 visible ASCII characters.")
    pushed = hashlib.sha256(request.get_full_path().encode() + b"\n" + body)
    return push.Key(token, text, pushed.hexdigest())


@contextmanager
def refused_in_a_sentence(samples: Callable[[], Sequence[Sample]]) -> Iterator[None]:
    """Raise HttpError 400 instead of BadSamples, for protocols whose senders know no other status for that.

    `samples` are those that were checked, if it got so far.
    """
    try:
        yield
    except BadSamples as error:
        found = [one.metric[:METRIC_NAME_MOST] for one in samples()]
        first = (named(error, found) if found else error).problems[0]
        raise HttpError(400, f"Nothing was stored: {first.message}") from None
