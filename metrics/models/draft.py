"""Drafts: what somebody changed of a dashboard, and has not published yet."""

from django.conf import settings
from django.db import models

from metrics.models.dashboard import Dashboard


class Draft(models.Model):
    """The unpublished state of a dashboard that one person works on: the step at `position`.

    It is made of the revision `base`, as that step is. `version` counts all that happens to it, undoing too, so that
    two tabs of one person notice each other.
    """

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    base = models.PositiveIntegerField(help_text="Number of the revision that it is made of.")
    position = models.PositiveIntegerField(default=0, help_text="Number of the step that is shown.")
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dashboard", "user"], name="draft_of_user")]

    def __str__(self) -> str:
        return f"draft of {self.dashboard_id} by {self.user_id}"


class DraftStep(models.Model):
    """A state that a draft was in: `spec` is all of it. Step 0 is the revision that the draft began with."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    base = models.PositiveIntegerField(help_text="Number of the revision that it is made of.")
    spec = models.JSONField()
    summary = models.CharField(max_length=500, help_text="One sentence: how it differs from the one before.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["draft", "number"], name="step_number_of_draft")]

    def __str__(self) -> str:
        return self.summary
