"""Read-only links to dashboards."""

from django.db import models

from metrics.models.dashboard import Dashboard
from metrics.models.secret import HasSecret


class Link(HasSecret):
    """A read-only view of one dashboard, for whoever has its address.

    With a `range` it shows that one alone, and of each variable in `variables` those values alone.
    """

    PREFIX = "wl_"

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="links")
    name = models.CharField(max_length=100)
    range = models.CharField(max_length=4, blank=True, help_text="The only range it shows; any, if empty.")
    variables = models.JSONField(
        default=dict, blank=True, help_text="The only values it shows, by the variable's name."
    )
    by = models.CharField(max_length=200, help_text="Who made it.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
