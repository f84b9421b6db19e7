"""Silences: alerts whose labels match are not told, for a time."""

import uuid

from django.db import models

from metrics.models.alert import Alert
from metrics.models.team import Shared


class Withholding(Shared):
    """A thing that withholds notifications of the alerts that `matchers` match, as Alertmanager's API has those.

    It concerns only alerts that its maker saw: `reach` are the ids of their teams; None is somebody who sees all.
    """

    matchers = models.JSONField()
    reach = models.JSONField(null=True, editable=False)
    by = models.CharField(max_length=200)
    comment = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Silence(Withholding):
    """A silence from `starts_at` to `ends_at`. Silences that are over are kept for a while, and never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["starts_at", "created_at"]

    def __str__(self) -> str:
        return self.comment[:80]


class Withheld(models.Model):
    """One notification that people were not told: what `alert` became (`key`), and the thing that was the reason.

    `kind` is silence or maintenance, `thing` the id of that; or flapping, of the alert itself; or behind, of the alert
    in front of it; or no data, of the incident that says that nearly all have none.
    """

    kind = models.CharField(max_length=20)
    thing = models.CharField(max_length=40)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="withheld")
    key = models.CharField(max_length=100)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "thing", "key"], name="withheld_once")]

    def __str__(self) -> str:
        return f"{self.key} by {self.kind} {self.thing}"
