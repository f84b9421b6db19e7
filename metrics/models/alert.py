"""Rules, and their alerts."""

from django.db import models

from metrics.models.incident import Incident
from metrics.models.team import Shared


class Rule(Shared):
    """A condition on series. `spec` is the document without its name, as `metrics.alerts.rule.RuleSpec` has it.

    `metric` is that of its query: a sample that comes is looked up by it. Of alerts that are received it is "", and
    `received` says which ones they are, the same for the same name and the same teams of those who send them.
    """

    name = models.CharField(max_length=100, unique=True)
    metric = models.CharField(max_length=200, db_index=True, editable=False)
    received = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001  # most have none
    spec = models.JSONField()
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of spec.")
    severity = models.CharField(max_length=10, editable=False)
    enabled = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A rule on one series, from the first time that it was bad. `labels` are those of the series and of the rule.

    `key` is `metrics.sample.series_key` of what is looked at, whose labels alone are `series`. `state`, one of
    `metrics.alerts.machine.State`, lasts since `since_ms`, and follows from the samples up to `seen_at_ms`. It last
    began to fire at `fired_at_ms`, and has no data without a sample for `lapses_after_s`. Fields that
    follow from samples have their times, Unix milliseconds; acts of people are at a datetime, as everywhere.

    People `are_told` that it is bad until they are told that it is over. They are not told of changes while it flaps,
    since `flaps_since_ms`. `annotations` are words that came with an alert that somebody else evaluates, `link` the
    address of what is looked at there; its `ends_at_ms` says until when it holds without being sent anew.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, db_index=False, related_name="alerts")
    key = models.CharField(max_length=64, editable=False)
    series = models.JSONField(default=dict)
    labels = models.JSONField(default=dict)
    unit = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, default="ok")
    since_ms = models.BigIntegerField()
    seen_at_ms = models.BigIntegerField()
    lapses_after_s = models.FloatField(null=True)
    value = models.FloatField(null=True)
    fired_at_ms = models.BigIntegerField(null=True)
    flaps_since_ms = models.BigIntegerField(null=True)
    ends_at_ms = models.BigIntegerField(null=True)
    severity = models.CharField(max_length=10, default="warning")
    annotations = models.JSONField(default=dict)
    link = models.TextField(blank=True)
    are_told = models.BooleanField(default=False)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="alerts")

    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    acknowledged_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="alert_not_ok", condition=~models.Q(state="ok")),
            models.Index(fields=["id"], name="alert_told", condition=models.Q(are_told=True)),
            models.Index(fields=["id"], name="alert_flaps", condition=~models.Q(flaps_since_ms=None)),
        ]
        constraints = [models.UniqueConstraint(fields=["rule", "key"], name="alert_once")]

    def __str__(self) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in sorted(self.series.items()))
        return f"{self.rule.name}{{{labels}}}" if labels else self.rule.name
