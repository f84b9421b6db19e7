"""Bearer tokens: in a request, in the handshake of a socket, and as rows."""

import base64
from datetime import datetime, timedelta

from django.db import Error
from django.db.models import Q, QuerySet
from django.utils import timezone

from metrics.database import impatient
from metrics.models import Link, Token

NOTED_EVERY = timedelta(minutes=1)
"""The last use of a token or a link is known so exactly."""
NOTING_WAITS_S = 0.25


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
    if not secret:
        return None
    now = timezone.now()
    found = valid_tokens(now).filter(digest=Token.digest_of(secret)).first()
    if found is not None:
        note_use(found, now)
    return found


def valid_tokens(now: datetime) -> QuerySet[Token]:
    """Return the tokens that are neither revoked nor expired at `now`."""
    valid = Token.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    return valid.select_related("source").prefetch_related("teams")


def note_use(used: Token | Link, now: datetime) -> None:
    """Write when something was `used`, to the minute; no request fails, or waits for long, because that did."""
    if used.last_used_at is not None and now - used.last_used_at < NOTED_EVERY:
        return
    try:
        with impatient(NOTING_WAITS_S):
            type(used)._default_manager.filter(pk=used.pk).update(last_used_at=now)
    except Error:
        pass
    used.last_used_at = now
