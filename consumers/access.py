"""Permission to open a socket and keep it: settled before anything is sent, and again whenever it may have changed."""

from collections.abc import Iterable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, NamedTuple, cast
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


class Credential(NamedTuple):
    """Credential that a socket was opened with: the session of a browser, or the bearer token of a program."""

    session: str
    token: str


class Verdict(NamedTuple):
    """Holder of a credential, and the close code if the holder may not have what was asked for.

    `holder` is `user:<id>` or `token:<id>`, `name` what people call them; both are empty for nobody known.
    """

    code: int | None
    holder: str = ""
    name: str = ""


Question = tuple[Credential, str]
"""May the holder of this credential see the dashboard with this slug?"""


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
    try:
        same = urlsplit(origin).netloc == header(scope, b"host")
    except ValueError:  # not an address at all
        return False
    return same or origin in settings.CSRF_TRUSTED_ORIGINS


def credential(scope: dict[str, Any]) -> Credential:
    """Return what the handshake brought."""
    kind, _, secret = header(scope, b"authorization").partition(" ")
    if kind:
        return Credential("", secret if kind.lower() == "bearer" else "?")
    try:
        cookie = SimpleCookie(header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        cookie = None
    return Credential(cookie.value if cookie else "", "")


async def judge(questions: Iterable[Question]) -> dict[Question, Verdict]:
    """Return who may see which dashboard, in one trip to the database for all `questions`."""
    return cast(dict[Question, Verdict], await _verdicts(set(questions)))


# Not on the one thread that all of Django's sync code shares: after a restart a thousand sockets ask at once.
@partial(database_sync_to_async, thread_sensitive=False)
def _verdicts(questions: set[Question]) -> dict[Question, Verdict]:
    return {question: _verdict(*question) for question in questions}


def _verdict(who: Credential, slug: str) -> Verdict:
    if who.token:
        return _token_verdict(who.token, slug)
    if not who.session:
        return Verdict(SIGN_IN)
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).ReadOnlySessionStore(who.session)
    user = get_user(request)
    if not user.is_authenticated:
        return Verdict(SIGN_IN)
    # A dashboard that is not for them gets the answer of one that is not there, as on the page: its name is a secret.
    is_visible = access.visible_dashboards(user).filter(slug=slug).exists()
    return Verdict(None if is_visible else NO_SUCH_THING, f"user:{user.pk}", user.get_username())


def _token_verdict(secret: str, slug: str) -> Verdict:
    token = access.find_token(secret)
    if token is None:
        return Verdict(SIGN_IN)
    if not access.grants(token, Token.Scope.READ):
        return Verdict(NO_ACCESS)
    return Verdict(None if access.dashboard_exists(slug) else NO_SUCH_THING, f"token:{token.pk}", token.name)
