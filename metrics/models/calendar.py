"""Calendars: windows of maintenance, and schedules of who is on call."""

from django.contrib.auth.models import User
from django.db import models

from metrics.models.silence import Withholding
from metrics.models.team import Shared


class Feed(models.Model):
    """A thing whose times may come from a calendar elsewhere. `url` is sealed, as its path may be a key.

    `text` is the newest calendar that could be read, of `good_at`. It is asked for again at `next_at`, by what it said
    of itself (`etag`, `modified`). `problem` is why that failed the last time, `doubts` are sentences about events that
    are left out.
    """

    time_zone = models.CharField(max_length=50, default="UTC")
    url = models.TextField(blank=True, editable=False)
    place = models.CharField(max_length=300, blank=True, editable=False, help_text="Scheme and host of the address.")
    is_trusted = models.BooleanField(default=False, editable=False, help_text="Whether an administrator gave it.")
    text = models.TextField(blank=True, editable=False)
    etag = models.CharField(max_length=300, blank=True, editable=False)
    modified = models.CharField(max_length=100, blank=True, editable=False)
    good_at = models.DateTimeField(null=True, editable=False)
    next_at = models.DateTimeField(null=True, editable=False, db_index=True)
    problem = models.CharField(max_length=300, blank=True, editable=False)
    doubts = models.JSONField(default=list, editable=False)

    class Meta:
        abstract = True


class Maintenance(Withholding, Feed):
    """Windows in which what `matchers` match is worked on: of a calendar elsewhere, or from `start`, a local time.

    Such a window lasts `lasts_s`, and comes again by the rule `repeat` (RRULE), if there is one.
    """

    start = models.CharField(max_length=20, blank=True)
    lasts_s = models.PositiveIntegerField(default=0)
    repeat = models.CharField(max_length=300, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["comment", "pk"]
        verbose_name = "maintenance"
        verbose_name_plural = "maintenance"

    def __str__(self) -> str:
        return self.comment[:80]


class MaintenanceSpan(models.Model):
    """One window of a maintenance. Those to come are made anew with each change; those that are over stay."""

    maintenance = models.ForeignKey(Maintenance, on_delete=models.CASCADE, db_index=False, related_name="spans")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["maintenance", "ends_at"], name="span_of_maintenance"),
            models.Index(fields=["ends_at"], name="span_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at} to {self.ends_at}"


class Schedule(Shared, Feed):
    """A plan of who is on call when: `spec`, as `metrics.alerts.rotation.ScheduleSpec` has it, or a calendar elsewhere.

    `shifts` are those of that calendar, lists of (who, mail, start, end) in Unix seconds. Before `known_from` nobody
    knows them any more: they are left out, or the calendar said something else of then. The secret of `digest`
    (SHA-256) lets its holder read who is on call as a calendar.
    """

    name = models.CharField(max_length=100, unique=True)
    spec = models.JSONField(default=dict)
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of spec.")
    shifts = models.JSONField(default=list, editable=False)
    known_from = models.DateTimeField(null=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Override(models.Model):
    """Somebody who is on call instead, from `starts_at` to `ends_at`."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, db_index=False, related_name="overrides")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["schedule", "ends_at"], name="override_of_schedule")]

    def __str__(self) -> str:
        return f"{self.user.get_username()} from {self.starts_at} to {self.ends_at}"
