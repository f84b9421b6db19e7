"""Incidents: alerts that are handled together, and how people answer them."""

from django.db import models

from metrics.models.team import Shared


class Incident(Shared):
    """Alerts that belong together, from the first that fires until all are over. Its room is its timeline.

    Alerts with the same `key` gather in it: those for the same people, and with the same values of the labels that
    their teams group by. `severity` is the worst that it had, `newest_at` when the newest of its alerts began.

    Channels have not been told of what changed since `untold_since`, last at `changed_at`; `told_at` is when they were
    told last, and `told` counts how often. `step` counts the steps of escalation that were taken; the next one is due
    at `next_step_at`; it was brought forward at `unseen_at` because nobody had seen it. `checklist` is [{"text",
    "done_by", "done_at"}].
    """

    key = models.CharField(max_length=64, editable=False)
    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10)
    checklist = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    newest_at = models.DateTimeField()

    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    acknowledged_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True, help_text="Nobody, if all of its alerts ended.")

    untold_since = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    told = models.PositiveIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True)
    unseen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["key"], name="incident_open", condition=models.Q(resolved_at=None)),
            models.Index(fields=["next_step_at"], name="incident_step", condition=~models.Q(next_step_at=None)),
            models.Index(fields=["untold_since"], name="incident_untold", condition=~models.Q(untold_since=None)),
        ]

    def __str__(self) -> str:
        return self.title


class Sighting(models.Model):
    """A tab or a wall that had drawn that an incident is bad, and when it first had.

    `viewer` tells apart those of an incident: `user:5` for all tabs of a person, and what a wall calls itself. `name`
    is that of the person, whose session a wall has, too. `dashboard` is the address of the one that was shown, empty
    for the page of the incident or of its alert.
    """

    TAB, WALL = "tab", "wall"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="sightings", db_index=False)
    kind = models.CharField(max_length=10)
    viewer = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    dashboard = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["incident", "kind", "viewer"], name="sighting_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.name}"


class Escalation(models.Model):
    """How a team answers; a row without a team is for all that have none of their own.

    `spec` is the document `metrics.alerts.escalation.EscalationSpec`.
    """

    team = models.OneToOneField("metrics.Team", null=True, on_delete=models.CASCADE, related_name="escalation")
    spec = models.JSONField()
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of spec.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(team=None), name="escalation_of_the_installation_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.team) if self.team else "everyone"
