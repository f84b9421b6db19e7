"""Requests that come with an Idempotency-Key: what they ask is done once, however often they are sent.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from redis import RedisError

from metrics.actions.errors import Invalid
from metrics.models import IdempotencyKey, Token
from metrics.redis_state import slots
from metrics.times import datetime_of

KEPT = timedelta(hours=24)
USED = "Nothing was stored: this Idempotency-Key came with another request before."
UNKNOWN = "Nothing was stored: this Idempotency-Key was used before, and what was answered then is not known."
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
    """Return the number of samples that `store` accepts, or accepted when it was called first for `key`.

    `store` runs in the transaction that keeps its answer. Raises StillRunningError, Invalid if the key was used for
    another request, and what `store` raises; then the key is not kept.
    """
    return _once(key, lambda: (store(), None), now).accepted


def made_once(key: Key, make: Callable[[], dict[str, Any]], now: float) -> dict[str, Any]:
    """Return the document that `make` answers, or answered when it was called first for `key`; raises as `once` does.

    It is the first answer, whatever became of the thing since: its maker knows it, and learns nothing more.
    """
    answer = _once(key, lambda: (1, make()), now).answer
    if answer is None:  # of a release before, which kept none
        raise Invalid("Idempotency-Key", UNKNOWN)
    return dict(answer)


def _once(key: Key, do: Callable[[], tuple[int, Any]], now: float) -> IdempotencyKey:
    with ExitStack() as held:
        if not _is_only_one(key, held):
            raise StillRunningError
        if found := _answered(key, now):
            return found
        try:
            with transaction.atomic():
                return _keep(key, *do(), now)
        except IntegrityError:  # without Redis two can get here, and the other one was first
            if found := _answered(key, now):
                return found
            raise


def forget(now: float) -> None:
    """Forget the keys that no longer count."""
    IdempotencyKey.objects.filter(at__lte=_oldest(now)).delete()


def _is_only_one(key: Key, held: ExitStack) -> bool:
    try:
        return held.enter_context(slots.hold(f"push:{key.token.pk}:{key.text}", LONGEST_S))
    except RedisError:
        return True


def _answered(key: Key, now: float) -> IdempotencyKey | None:
    found = IdempotencyKey.objects.filter(token=key.token, key=key.text, at__gt=_oldest(now)).first()
    if found is not None and found.digest != key.digest:
        raise Invalid("Idempotency-Key", USED)
    return found


def _keep(key: Key, accepted: int, answer: Any, now: float) -> IdempotencyKey:
    IdempotencyKey.objects.filter(token=key.token, key=key.text, at__lte=_oldest(now)).delete()
    return IdempotencyKey.objects.create(
        token=key.token, key=key.text, digest=key.digest, accepted=accepted, answer=answer, at=datetime_of(now)
    )


def _oldest(now: float) -> datetime:
    return datetime_of(now) - KEPT
