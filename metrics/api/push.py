"""What every push format shares: the token's limits, the one way in, and the refusals."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest

from metrics.actions.samples import accept
from metrics.api.encoding import decoded
from metrics.api.tokens import token_of
from metrics.live import limits
from metrics.sample import Sample


class TooFastError(Exception):
    """A token that pushes more than it may; `wait_s` seconds from now it may again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"A token may push {settings.PUSH_SAMPLES_PER_MINUTE} samples a minute; wait {wait_s} s.")
        self.wait_s = wait_s


def take(request: HttpRequest, parse: Callable[[bytes], list[Sample]]) -> int:
    """Store what `parse` finds in the body of `request`, all or nothing; return how many samples that was.

    Raises what `parse` raises, BadSamples, TooFastError, or HttpError for a body that is too large or wrongly encoded.
    """
    now, token = time.time(), token_of(request)
    samples = parse(decoded(request, settings.PUSH_BODY_LIMIT_BYTES))
    if wait_s := limits.spend(f"token:{token.pk}", max(1, len(samples)), settings.PUSH_SAMPLES_PER_MINUTE, now):
        raise TooFastError(wait_s)
    return accept(samples, token.source, now)
