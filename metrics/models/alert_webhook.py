"""Webhooks that take alerts in a form of the sender's own."""

from django.db import models

from metrics.models.secret import HasSecret
from metrics.models.team import Shared


class AlertWebhook(Shared, HasSecret):
    """An address for alerts of a sender that can't set headers; its alerts are for its teams.

    The secret is the key in its address. `mapping` is the document `metrics.ingest.alert_mapping.AlertMapping`.
    """

    name = models.CharField(max_length=100, unique=True)
    mapping = models.JSONField()
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of mapping.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
