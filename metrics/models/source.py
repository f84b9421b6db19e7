"""Sources of samples, and their runs."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from metrics.schedule import BadSchedule, Schedule
from metrics.verdict import Verdict

RETENTION_MOST_DAYS = 36_500
VERDICTS = [(one.value, one.value) for one in Verdict]


class Source(models.Model):
    """Something that yields samples: a collector on a schedule, or a named stream that is pushed (kind `push`)."""

    PUSH = "push"

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=100, unique=True)
    every_s = models.PositiveIntegerField(
        "every",
        null=True,
        blank=True,
        help_text="Seconds between two runs; empty for what is pushed, or runs by cron.",
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
    )
    cron = models.CharField(max_length=100, blank=True, help_text="Minute, hour, day, month, weekday.")
    time_zone = models.CharField(max_length=50, blank=True, help_text="Of cron, such as Europe/Zurich.")
    config = models.JSONField(default=dict, blank=True)
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of config.")
    secrets = models.TextField(blank=True, editable=False, help_text="As metrics.actions.credentials keeps them.")
    trusted = models.BooleanField(
        default=False, editable=False, help_text="Its config was last set by an administrator: it may connect anywhere."
    )
    enabled = models.BooleanField(default=True)
    raw_retention_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Hours to keep every sample; empty for what the settings say.",
        validators=[MinValueValidator(1), MaxValueValidator(RETENTION_MOST_DAYS * 24)],
    )
    minute_retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Days to keep the rollups of minutes; empty for what the settings say.",
        validators=[MinValueValidator(1), MaxValueValidator(RETENTION_MOST_DAYS)],
    )
    hour_retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Days to keep the rollups of hours; empty for what the settings say.",
        validators=[MinValueValidator(1), MaxValueValidator(RETENTION_MOST_DAYS)],
    )

    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_duration_s = models.FloatField(null=True, blank=True, editable=False)
    last_samples = models.PositiveIntegerField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    last_note = models.CharField(max_length=300, blank=True, editable=False, help_text="A line that the run said.")
    last_verdict = models.CharField(
        max_length=10,
        blank=True,
        editable=False,
        choices=VERDICTS,
        help_text="Of what the last run checked; empty if it checked nothing, or failed.",
    )
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Runs in a row that failed.")
    recent = models.JSONField(
        default=list,
        editable=False,
        help_text="The newest runs, oldest first, each [seconds, one of GOOD, FAILED, … of metrics.actions.runs].",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def schedule(self) -> Schedule | None:
        """When it runs; None for what is pushed. Raises BadSchedule if the row has one that can't be."""
        if self.every_s is None and not self.cron:
            return None
        return Schedule(self.every_s, self.cron, self.time_zone or "UTC")

    def expected_every_s(self, at: float) -> float | None:
        """Return how many seconds apart samples should come around `at` (Unix seconds), None if nobody knows.

        By cron that is the longer of the pause that goes on and the one before it: when a weekend ends, what
        came on Friday is not late at once.
        """
        if self.every_s is not None:
            return float(self.every_s)
        try:
            schedule = self.schedule
            return None if schedule is None else max(schedule.gap_s(at), schedule.gap_s(schedule.slot(at) - 1))
        except BadSchedule:  # a time zone that the machine no longer knows
            return None


class Run(models.Model):
    """One run of a source, good or bad. Only the newest of each source are kept."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False, related_name="runs")
    started_at = models.DateTimeField()
    duration_s = models.FloatField()
    samples = models.PositiveIntegerField()
    error = models.CharField(max_length=300, blank=True)
    note = models.CharField(max_length=300, blank=True)
    verdict = models.CharField(max_length=10, blank=True, choices=VERDICTS)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["source", "-id"], name="run_newest_of_source")]

    def __str__(self) -> str:
        return f"{self.source_id} @ {self.started_at}: {self.error or self.samples}"
