"""Screens: the cookie that their secret is kept in, and the rows that are valid."""

from collections.abc import Iterable

from django.utils import timezone

from metrics.access.bearer import note_use
from metrics.models import Screen

COOKIE = "watchfloor-screen"
COOKIE_AGE_S = 400 * 24 * 3600
"""The longest that browsers keep one. It begins anew every six hours at least while a page is open."""


def opened(secret: str) -> Screen | None:
    """Return the screen of `secret`, unless it is revoked, and note that it was used."""
    return of_secrets([secret]).get(secret)


def of_secrets(secrets: Iterable[str]) -> dict[str, Screen]:
    """Return the screen of each of `secrets` that has one, unless it is revoked; and note that they were used."""
    digests = {secret: Screen.digest_of(secret) for secret in secrets if secret}
    if not digests:
        return {}
    rows = Screen.objects.filter(digest__in=digests.values(), revoked_at=None).select_related("dashboard")
    found = {screen.digest: screen for screen in rows}
    note_use(found.values(), timezone.now())
    return {secret: found[digest] for secret, digest in digests.items() if digest in found}
