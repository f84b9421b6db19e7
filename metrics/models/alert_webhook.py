"""Webhooks that take alerts in a form of the sender's own."""

import hashlib
import secrets

from django.db import models

from metrics.models.team import Shared


class AlertWebhook(Shared):
    """An address for alerts of a sender that can't set headers; its alerts are for its teams.

    Only the SHA-256 of the key in the address is kept. `mapping` is the document
    `metrics.ingest.alert_mapping.AlertMapping`.
    """

    name = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    mapping = models.JSONField()
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of mapping.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def new_key() -> str:
        return secrets.token_urlsafe(24)

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()
