"""Paired screens: displays on a wall, each with a credential of its own."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from metrics.models.dashboard import Dashboard
from metrics.models.secret import HasSecret
from metrics.models.team import Shared


class Screen(Shared, HasSecret):
    """A display that shows a `dashboard` without anybody's session.

    It belongs to its teams, whose editors say what it shows; it sees nothing else of theirs.
    """

    PREFIX = "ws_"

    name = models.CharField(max_length=100)
    dashboard = models.ForeignKey(
        Dashboard, on_delete=models.SET_NULL, null=True, related_name="screens", help_text="The one it shows, if any."
    )
    range = models.CharField(max_length=4, blank=True, help_text="The range it shows; the dashboard's usual, if empty.")
    by = models.CharField(max_length=200, help_text="Who paired it.")
    paired_from = models.GenericIPAddressField(null=True, help_text="Where its display was when it asked for the code.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=Q(revoked_at=None), name="screen_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown(self) -> Dashboard | None:
        """The dashboard that it shows; one that is deleted it does not show until that is brought back."""
        return self.dashboard if self.dashboard is not None and self.dashboard.deleted_at is None else None
