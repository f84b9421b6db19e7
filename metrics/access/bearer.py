"""Bearer tokens: in a request, in the handshake of a socket, and as rows."""

import base64
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, DateTimeField, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from metrics.database import best_effort
from metrics.models import Link, Screen, Token
from metrics.prepared_query import PreparedQuery

NOTED_EVERY = timedelta(minutes=1)
"""The last use of a token, a link or a screen is known so exactly."""


def secret_in(authorization: str) -> str:
    """Return the token in a header `Authorization`, empty if there is none.

    It is behind `Bearer`, behind `Token` as InfluxDB has it, there perhaps behind the name of a user and a colon, or
    the password of Basic authentication, whose user may have any name.
    """
    kind, _, credentials = authorization.strip().partition(" ")
    if kind.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode()
        except ValueError:  # of base64 as well as of UTF-8
            return ""
    elif kind.lower() not in ("bearer", "token"):
        return ""
    return credentials.strip().rpartition(":")[2]


def bearer(secret: str) -> Token | None:
    """Return the token of `secret`, unless it is revoked or expired, and note that it was used."""
    now = timezone.now()
    found = _VALID_TOKEN.objects(Token, Token.digest_of(secret), now) if secret else []
    prefetch_related_objects([one for one in found if one.scope != Token.Scope.ADMIN], "teams")  # those are of no team
    note_use(found, now)
    return next(iter(found), None)


def bearers(secrets: Iterable[str]) -> dict[str, Token]:
    """Return the token of each of `secrets` that has one, neither revoked nor expired; and note that they were used."""
    digests = {secret: Token.digest_of(secret) for secret in secrets if secret}
    if not digests:
        return {}
    now = timezone.now()
    found = {token.digest: token for token in valid_tokens(now).filter(digest__in=digests.values())}
    note_use(found.values(), now)
    return {secret: found[digest] for secret, digest in digests.items() if digest in found}


def valid_tokens(now: datetime) -> QuerySet[Token]:
    """Return the tokens that are neither revoked nor expired at `now`."""
    return _valid(now).select_related("source").prefetch_related("teams")


def _valid(now: Any) -> QuerySet[Token]:
    return Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


# Every request of a program asks this.
_VALID_TOKEN = PreparedQuery(
    lambda digest, now: _valid(now).filter(digest=digest).order_by(), CharField(), DateTimeField()
)


def note_use(used: Iterable[Token] | Iterable[Link] | Iterable[Screen], now: datetime) -> None:
    """Write when those `used` were, to the minute; no request fails, or waits for long, because that did."""
    due = [one for one in used if one.last_used_at is None or now - one.last_used_at >= NOTED_EVERY]
    if not due:
        return
    rows = type(due[0])._default_manager.filter(pk__in=[one.pk for one in due])
    best_effort(lambda: rows.update(last_used_at=now))
    for one in due:
        one.last_used_at = now
