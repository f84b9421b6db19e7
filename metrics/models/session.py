"""Sessions of signed-in browsers."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class Session(AbstractBaseSession):
    """Somebody's browser that is signed in: `browser` is what it says of itself, `address` where it was seen last."""

    BROWSER_MOST = 300

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    browser = models.CharField(max_length=BROWSER_MOST, blank=True)
    address = models.GenericIPAddressField(null=True)
    since = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore

    def __str__(self) -> str:
        return f"since {self.since:%Y-%m-%d %H:%M}"  # the key is a credential
