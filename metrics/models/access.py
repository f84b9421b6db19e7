"""Credentials of programs, and invitations of people."""

from django.db import models

from metrics.models.secret import HasSecret
from metrics.models.source import Source
from metrics.models.team import Team


class Token(HasSecret):
    """A credential of a program."""

    class Scope(models.TextChoices):
        PUSH = "push", "push samples"
        READ = "read", "read series and dashboards"
        EDIT = "edit", "read, and change dashboards, sources and heartbeats"
        ADMIN = "admin", "manage everything"

    PREFIX = "wf_"

    name = models.CharField(max_length=100, unique=True)
    scope = models.CharField(max_length=10, choices=Scope)
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


class Invitation(HasSecret):
    """A link by which one person makes an account with this role."""

    note = models.CharField(max_length=100, blank=True, help_text="Who it is for.")
    role = models.CharField(max_length=20, choices=[(one, one) for one in ("viewer", "editor", "administrator")])
    teams = models.ManyToManyField(Team, blank=True, related_name="invitations")
    by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["expires_at"]

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"
