"""The rate at which a token may write in rooms and tell people something."""

import time

from django.conf import settings
from django.http import HttpRequest

from metrics.access.principal import Principal
from metrics.actions.errors import TooOften
from metrics.api.tokens import principal_of, token_of
from metrics.redis_state import limits


def writer_of(request: HttpRequest) -> Principal:
    """Return the holder of the token that let this request in, and count it as a write.

    Raises TooOften for a token that wrote as often in this minute as it may.
    """
    most = settings.MESSAGES_PER_MINUTE
    if wait_s := limits.spend(f"messages:{token_of(request).pk}", 1, most, time.time()):
        raise TooOften(f"A token may send {most} messages and notifications a minute; wait {wait_s} s.", wait_s)
    return principal_of(request)
