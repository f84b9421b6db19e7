"""Where sessions are kept; Django names the class by this module."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

__all__ = ["SessionStore"]


class SessionStore(DatabaseSessionStore):
    """Django's sessions in the database, which is not asked for a key that can't be one, such as with a NUL."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and len(str(key)) >= 8 and str(key).isascii() and str(key).isalnum()
