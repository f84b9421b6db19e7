"""Requests that come with an Idempotency-Key: what they ask is done once, however often they are sent.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from redis import RedisError

from metrics.actions.errors import Invalid
from metrics.models import IdempotencyKey, Token
from metrics.redis_state import slots
from metrics.times import datetime_of

KEPT = timedelta(hours=24)
LONGEST_S = 30.0
"""A push that is in progress for longer than this was given up by its sender, or its process died."""


@dataclass(frozen=True, slots=True)
class Key:
    """The `text` that `token` gave a request whose content has this `digest`, 64 hex digits."""

    token: Token
    text: str
    digest: str


class StillRunningError(Exception):
    """The first request with a key is still in progress."""


def once(key: Key, store: Callable[[], int], now: float) -> int:
    """Return the number that `store` answers, now or when it was called first for `key`.

    Of samples that is how many were accepted, of what is made its id.

    `store` runs in the transaction that keeps its answer. Raises StillRunningError, Invalid if the key was used for
    another request, and what `store` raises; then the key is not kept.
    """
    with ExitStack() as held:
        if not _is_only_one(key, held):
            raise StillRunningError
        accepted = _answered(key, now)
        if accepted is not None:
            return accepted
        try:
            with transaction.atomic():
                accepted = store()
                _keep(key, accepted, now)
        except IntegrityError:  # without Redis two can get here, and the other one was first
            accepted = _answered(key, now)
            if accepted is None:
                raise
        return accepted


def forget(now: float) -> None:
    """Forget the keys that no longer count."""
    IdempotencyKey.objects.filter(at__lte=_oldest(now)).delete()


def _is_only_one(key: Key, held: ExitStack) -> bool:
    try:
        return held.enter_context(slots.hold(f"push:{key.token.pk}:{key.text}", LONGEST_S))
    except RedisError:
        return True


def _answered(key: Key, now: float) -> int | None:
    found = IdempotencyKey.objects.filter(token=key.token, key=key.text, at__gt=_oldest(now)).first()
    if found is None:
        return None
    if found.digest != key.digest:
        raise Invalid("Idempotency-Key", "Nothing was stored: this Idempotency-Key came with another request before.")
    return found.accepted


def _keep(key: Key, accepted: int, now: float) -> None:
    IdempotencyKey.objects.filter(token=key.token, key=key.text, at__lte=_oldest(now)).delete()
    IdempotencyKey.objects.create(
        token=key.token, key=key.text, digest=key.digest, accepted=accepted, at=datetime_of(now)
    )


def _oldest(now: float) -> datetime:
    return datetime_of(now) - KEPT
