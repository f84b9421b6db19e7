"""Secrets that others keep: of each, Watchfloor has the SHA-256 alone. 192 random bits and more need no slow hash."""

import hashlib
import secrets
from typing import ClassVar

from django.db import models


def digest_of(secret: str) -> str:
    """Return what is kept of `secret`, 64 characters."""
    return hashlib.sha256(secret.encode()).hexdigest()


class HasSecret(models.Model):
    """A thing that is for whoever has its secret, which begins with `PREFIX`."""

    PREFIX: ClassVar[str] = ""

    digest = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def new_secret(cls) -> str:
        return cls.PREFIX + secrets.token_urlsafe(32 if cls.PREFIX else 24)

    @staticmethod
    def digest_of(secret: str) -> str:
        return digest_of(secret)
