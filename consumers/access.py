"""Who may open a socket: settled once, before anything is sent, in one trip to the database."""

from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from metrics.actions import access
from metrics.models import Token

SIGN_IN = 4401
NO_ACCESS = 4403
NO_SUCH_THING = 4404


def header(scope: dict[str, Any], name: bytes) -> str:
    """Return a header of the handshake, "" if it was not sent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def origin_allowed(scope: dict[str, Any]) -> bool:
    """Return whether the handshake comes from a page of ours.

    The origin must be the very host and port that was asked, or one that PUBLIC_URL names. Programs send none;
    they show a token instead of a cookie, which no other site's page can make a browser do.
    """
    origin = header(scope, b"origin")
    if not origin:
        return bool(header(scope, b"authorization"))
    return urlsplit(origin).netloc == header(scope, b"host") or origin in settings.CSRF_TRUSTED_ORIGINS


@database_sync_to_async
def refusal(scope: dict[str, Any], slug: str) -> int | None:
    """Return the close code for whom the dashboard `slug` is not to be shown, None for whom it is."""
    authorization = header(scope, b"authorization")
    if authorization:
        return _token_refusal(authorization, slug)
    user = get_user(_request(scope))
    if not user.is_authenticated:
        return SIGN_IN
    if access.visible_dashboards(user).filter(slug=slug).exists():
        return None
    return NO_ACCESS if access.dashboard_exists(slug) else NO_SUCH_THING


def _token_refusal(authorization: str, slug: str) -> int | None:
    kind, _, secret = authorization.partition(" ")
    token = access.find_token(secret) if kind.lower() == "bearer" else None
    if token is None:
        return SIGN_IN
    if not access.grants(token, Token.Scope.READ):
        return NO_ACCESS
    return None if access.dashboard_exists(slug) else NO_SUCH_THING


def _request(scope: dict[str, Any]) -> HttpRequest:
    """Return what Django's own authentication reads: a request with the session of the cookie."""
    cookies = SimpleCookie(header(scope, b"cookie"))
    cookie = cookies.get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value if cookie else None)
    return request
