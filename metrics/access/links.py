"""Links to dashboards: the cookie that their secret is kept in, and the rows that are valid."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from metrics.access.bearer import note_use
from metrics.models import Link

COOKIE = "watchfloor-link-"
"""Name of a link's cookie, before its id: a browser may have opened several."""
COOKIES_MOST = 20
"""Browsers send them all with each request, and servers take only so much."""
COOKIE_AGE_S = 365 * 24 * 3600


def cookie_of(link: int | str) -> str:
    """Return the name of the cookie of a link (id)."""
    return f"{COOKIE}{link}"


def too_many(cookies: Mapping[str, str], link: int) -> list[str]:
    """Return the names of cookies to delete before that of `link` (id) is set: those of the oldest links."""
    ids = [name.removeprefix(COOKIE) for name in cookies if name.startswith(COOKIE)]
    others = sorted(int(id) for id in ids if id.isdecimal() and int(id) != link)
    return [cookie_of(id) for id in others[: len(others) - COOKIES_MOST + 1]] if len(others) >= COOKIES_MOST else []


def opened(secret: str, id: int | None = None) -> Link | None:
    """Return the link of `secret`, unless it is revoked or expired, and note that it was used; with an `id`, only that.

    A link to a dashboard that is deleted is none, until the dashboard is brought back.
    """
    if not secret:
        return None
    now = timezone.now()
    found = valid_links(now).filter(digest=Link.digest_of(secret)).first()
    if found is None or id not in (None, found.pk):
        return None
    note_use([found], now)
    return found


def to_dashboard(cookies: Mapping[str, str], slug: str) -> Link | None:
    """Return a valid link to the dashboard `slug` among those whose `cookies` a browser sends."""
    secrets = [secret for name, secret in cookies.items() if name.startswith(COOKIE)]
    if not secrets:
        return None
    digests = [Link.digest_of(secret) for secret in secrets]
    return valid_links(timezone.now()).filter(digest__in=digests, dashboard__slug=slug).first()


def valid_links(now: datetime) -> QuerySet[Link]:
    """Return the links that are neither revoked nor expired at `now`."""
    valid = Link.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, dashboard__deleted_at=None)
    return valid.select_related("dashboard")


def is_over(secret: str, id: int | None = None) -> bool:
    """Return whether `secret`, which opens nothing, was that of a link; with an `id`, of that one.

    If only its dashboard is deleted, it may be valid again.
    """
    known = Link.objects.filter(digest=Link.digest_of(secret)) if secret else Link.objects.none()
    return (known if id is None else known.filter(pk=id)).exists()
