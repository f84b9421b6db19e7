"""Series and their samples, as rows and packed."""

from django.db import models

from metrics.models.source import Source


class Series(models.Model):
    """One metric name with one label set. `key` is `metrics.sample.series_key` of the two.

    Its samples begin and end at times of theirs, Unix milliseconds; the row was made at a datetime, as all rows.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    metric = models.CharField(max_length=200)
    labels = models.JSONField(default=dict)
    unit = models.CharField(max_length=20, blank=True)
    type = models.CharField(max_length=10, blank=True, help_text="gauge or counter; empty while nobody said.")
    expected_every_s = models.FloatField(
        "expected every", null=True, blank=True, help_text="Seconds after which the next sample should come."
    )
    expires_after_s = models.FloatField(
        "expires after", null=True, blank=True, help_text="Seconds after which the last value no longer counts."
    )
    ahead_s = models.FloatField(
        "ahead by", default=0, editable=False, help_text="Seconds by which the sender's clock is ahead at most."
    )
    ended_at_ms = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Unix milliseconds; samples up to then no longer count as the last.",
    )
    started_at_ms = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Unix milliseconds; when a counter last began at zero, if its sender says that.",
    )
    revision = models.BigIntegerField(
        default=0, editable=False, help_text="Counts how often something older than what is rolled came, or was rolled."
    )
    group = models.BigIntegerField(null=True, editable=False, help_text="What it is pushed with; see series.groups.")
    group_owner = models.ForeignKey(
        Source,
        null=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whose token made the group.",
    )
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="series")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["metric", "id"]
        indexes = [
            models.Index(fields=["metric", "id"]),
            models.Index(fields=["group"], name="series_of_group", condition=models.Q(group__isnull=False)),
        ]
        verbose_name_plural = "series"

    def __str__(self) -> str:
        labels = ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items()))
        return f"{self.metric}{{{labels}}}" if labels else self.metric


class Sample(models.Model):
    """One value of one series. The key is (series, time), which is what makes writing idempotent."""

    pk = models.CompositePrimaryKey("series_id", "at_ms")
    # The database would look up the series of each row; who writes looks at all of them at once.
    series = models.ForeignKey(
        Series, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="samples"
    )
    at_ms = models.BigIntegerField(help_text="Unix time in milliseconds.")
    value = models.FloatField()

    class Meta:
        verbose_name_plural = "samples"

    def __str__(self) -> str:
        return f"{self.series_id} @ {self.at_ms}: {self.value}"


class FutureSample(models.Model):
    """A sample of what is the future since the clock was set back; see `metrics.series.future`."""

    pk = models.CompositePrimaryKey("series_id", "at_ms")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, db_index=False, related_name="+")
    at_ms = models.BigIntegerField(help_text="Unix time in milliseconds.")
    value = models.FloatField()

    def __str__(self) -> str:
        return f"{self.series_id} @ {self.at_ms}: {self.value}"


class Packed(models.Model):
    """Much of one series in one row: what lies in the span of time that begins at `start_ms`, the newest at `end_ms`.

    `count` is how much that is, and `data` is what `metrics.series.codec.encode` returned.
    """

    pk = models.CompositePrimaryKey("series_id", "start_ms")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, db_index=False, related_name="+")
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    count = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.series_id} @ {self.start_ms}: {self.count}"


class Chunk(Packed):
    """Many samples of one series in one row."""


class RunningTotal(models.Model):
    """Total of a series that is pushed as increases, and the time of the newest increase."""

    series = models.OneToOneField(Series, primary_key=True, on_delete=models.CASCADE, related_name="running_total")
    at_ms = models.BigIntegerField(null=True, help_text="Unix time in milliseconds.")
    value = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.series_id}: {self.value}"
