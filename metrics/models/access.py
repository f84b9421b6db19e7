"""Credentials of programs, and invitations of people."""

import hashlib
import secrets

from django.db import models

from metrics.models.source import Source
from metrics.models.team import Team


class Token(models.Model):
    """A credential of a program. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    class Scope(models.TextChoices):
        PUSH = "push", "push samples"
        READ = "read", "read series and dashboards"
        EDIT = "edit", "read, and change dashboards, sources and heartbeats"
        ADMIN = "admin", "manage everything"

    PREFIX = "wf_"

    name = models.CharField(max_length=100, unique=True)
    scope = models.CharField(max_length=10, choices=Scope)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    source = models.OneToOneField(
        Source, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="token"
    )
    teams = models.ManyToManyField(
        Team, blank=True, related_name="tokens", help_text="It acts as a member of these; without any, for all teams."
    )
    face = models.CharField(max_length=32, blank=True, help_text="An emoji that its messages in rooms begin with.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
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


class Invitation(models.Model):
    """A link by which one person makes an account with this role. Only the SHA-256 of its secret is kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(max_length=100, blank=True, help_text="Who it is for.")
    role = models.CharField(max_length=20, choices=[(one, one) for one in ("viewer", "editor", "administrator")])
    teams = models.ManyToManyField(Team, blank=True, related_name="invitations")
    by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["expires_at"]

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"
