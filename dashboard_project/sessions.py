"""Sessions of browsers: where they are kept, and how seldom a page view writes them.

Django names the store by this module.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Self

import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error
from django.db.models import CharField, DateTimeField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from metrics.access.principal import address_of
from metrics.database import impatient, unavailable
from metrics.models import Session
from metrics.prepared_query import PreparedQuery

__all__ = ["ReadOnlySessionStore", "SessionStore"]

log = structlog.get_logger(__name__)

RENEWED_EVERY = timedelta(hours=1)
RENEWAL_WAITS_S = 0.25
RESTS_S = 60.0
"""After a renewal that failed, so that a database in trouble is not asked on each page view, nor the log filled."""


_VALID_SESSION = PreparedQuery(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), CharField(), DateTimeField()
)


class SessionStore(DatabaseSessionStore):
    """Django's sessions in the database, in a table that also says whose they are.

    The database is not asked for a key that can't be one, such as with a NUL.
    """

    key_salt = "django.contrib.sessions.SessionStore"
    browser = ""
    address: str | None = None
    row: Session | None = None
    """As it was loaded, if it was."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and len(str(key)) >= 8 and str(key).isascii() and str(key).isalnum()

    def load(self) -> dict[str, Any]:
        self.row = next(iter(_VALID_SESSION.objects(Session, self.session_key, timezone.now())), None)
        if self.row is None:
            self._session_key = None  # as Django does: it is given a new key if anything is kept
            return {}
        return self.decode(self.row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        made = super().create_model_instance(data)
        assert isinstance(made, Session)
        made.user_id = data.get(SESSION_KEY)
        made.browser, made.address = self.browser, self.address
        if self.row is not None and self.row.user_id is not None:  # signed in already when the request began
            made.since = self.row.since
            made.browser, made.address = made.browser or self.row.browser, made.address or self.row.address
        return made

    def save(self, must_create: bool = False) -> None:
        """Do as Django does, but say what is wrong with the database, and not that the session was ended."""
        try:
            super().save(must_create)
        except UpdateError as ended:
            reason = ended.__context__
            if isinstance(reason, Error) and unavailable(reason):
                raise reason from reason.__cause__
            raise

    def renew(self) -> bool:
        """Have the session last anew from now on; False if it was ended meanwhile. Raises django.db.Error."""
        now = timezone.now()
        with impatient(RENEWAL_WAITS_S):
            return bool(
                Session.objects.filter(session_key=self.session_key).update(
                    expire_date=self.get_expiry_date(modification=now),
                    seen_at=now,
                    browser=self.browser,
                    address=self.address,
                )
            )


class ReadOnlySessionStore(SessionStore):
    """The session that a socket was opened with, only looked at.

    On finding one outdated, Django ends it or gives it a new key. A socket can't tell the browser, so that is left to
    the browser's next request.
    """

    @classmethod
    def several(cls, keys: Iterable[str]) -> list[Self]:
        """Return the sessions of those of `keys` that have one, in one query."""
        stores = {store.session_key: store for store in map(cls, keys) if store.session_key}
        if not stores:
            return []
        found = []
        for row in Session.objects.filter(session_key__in=stores, expire_date__gt=timezone.now()):
            store = stores[row.session_key]
            store.row = row
            store._session_cache = store.decode(row.session_data)  # type: ignore[attr-defined]  # as Django keeps it
            found.append(store)
        return found

    def delete(self, session_key: str | None = None) -> None:
        """Nothing."""

    def cycle_key(self) -> None:
        """Nothing."""


class RarelyRenewed(SessionMiddleware):
    """Django's, which also renews sessions: once an hour, when somebody opens a page. Polls write nothing.

    No page fails, or waits for long, because that did.
    """

    _rests_until = 0.0

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        browser = request.headers.get("User-Agent", "").replace("\x00", "")
        request.session.browser = browser[: Session.BROWSER_MOST]  # type: ignore[attr-defined]
        request.session.address = address_of(request)  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if response.status_code < 500 and _is_due(request) and self._renew(request.session):
            response.set_cookie(
                settings.SESSION_COOKIE_NAME,
                str(request.session.session_key),
                max_age=request.session.get_expiry_age(),
                domain=settings.SESSION_COOKIE_DOMAIN,
                path=settings.SESSION_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=settings.SESSION_COOKIE_HTTPONLY,
                samesite=settings.SESSION_COOKIE_SAMESITE,
            )
        return response

    def _renew(self, session: Any) -> bool:
        if time.monotonic() < self._rests_until:
            return False
        try:
            return bool(session.renew())
        except Error as error:
            self._rests_until = time.monotonic() + RESTS_S
            log.warning("sessions are not renewed", error=str(error))
            return False


def _is_due(request: HttpRequest) -> bool:
    row = getattr(request.session, "row", None)
    if row is None or row.user_id is None or request.session.modified or request.session.is_empty():
        return False
    return "HX-Request" not in request.headers and timezone.now() - row.seen_at >= RENEWED_EVERY
