"""Heartbeats of scheduled jobs, and the pings that arrived."""

import secrets

from django.db import models

from metrics.heartbeat import Signal, State


def new_key() -> str:
    return secrets.token_urlsafe(16)


class Heartbeat(models.Model):
    """A scheduled job that pings when it ran. `metrics.heartbeat` has the rules, and says what the fields mean.

    The `key` lets its holder ping, and nothing else.
    """

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    name = models.CharField(max_length=100, unique=True)
    every_s = models.PositiveIntegerField("every", null=True, blank=True, help_text="Seconds between two pings.")
    cron = models.CharField(max_length=100, blank=True, help_text="Or when it runs, as in a crontab.")
    time_zone = models.CharField(max_length=50, default="UTC", help_text="Where the crontab's clock hangs.")
    grace_s = models.PositiveIntegerField("grace", default=300, help_text="Seconds a ping may be late.")

    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in State], default=State.NEW)
    last_at = models.DateTimeField(null=True, editable=False)
    late_at = models.DateTimeField(null=True, editable=False)
    down_at = models.DateTimeField(null=True, editable=False)
    duration_s = models.FloatField(null=True, editable=False)
    starts = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["state", "down_at"])]

    def __str__(self) -> str:
        return self.name


class Ping(models.Model):
    """One ping as it arrived."""

    heartbeat = models.ForeignKey(Heartbeat, on_delete=models.CASCADE, db_index=False, related_name="pings")
    at = models.DateTimeField()
    signal = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Signal])
    exit_status = models.PositiveSmallIntegerField(null=True)
    run = models.CharField(max_length=100, blank=True)
    duration_s = models.FloatField(null=True)
    body = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["heartbeat", "-id"])]

    def __str__(self) -> str:
        return f"{self.heartbeat_id} {self.signal} @ {self.at}"
