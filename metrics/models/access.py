"""Tokens of programs."""

import hashlib
import secrets

from django.db import models

from metrics.models.source import Source


class Token(models.Model):
    """A credential of a program. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    class Scope(models.TextChoices):
        PUSH = "push", "push samples"
        READ = "read", "read series and dashboards"
        ADMIN = "admin", "manage everything"

    PREFIX = "wf_"

    name = models.CharField(max_length=100, unique=True)
    scope = models.CharField(max_length=10, choices=Scope)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    source = models.OneToOneField(
        Source, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="token"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"

    @classmethod
    def new_secret(cls) -> str:
        return cls.PREFIX + secrets.token_urlsafe(32)

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()
