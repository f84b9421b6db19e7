"""Rollups of samples by minute and by hour, as rows and packed, and the progress of the tasks that make them."""

from django.db import models

from metrics.models.series import Packed, Series


class Rollup(models.Model):
    """Aggregates of the samples of one series in the minute, or the hour, that begins at `at_ms`."""

    pk = models.CompositePrimaryKey("series_id", "at_ms")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, db_index=False, related_name="+")
    at_ms = models.BigIntegerField(help_text="Unix time in milliseconds.")
    sum = models.FloatField()
    min = models.FloatField()
    max = models.FloatField()
    last = models.FloatField()
    count = models.IntegerField()
    last_after_ms = models.IntegerField(default=0, help_text="When the last sample was, in milliseconds after at_ms.")
    first = models.FloatField(null=True)
    first_after_ms = models.IntegerField(default=0, help_text="When the first sample was, in milliseconds after at_ms.")
    growth = models.FloatField(
        null=True, help_text="By how much a counter grew from the first sample to the last; null if that is not known."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.series_id} @ {self.at_ms}: {self.count}"


class MinuteRollup(Rollup):
    """A minute of one series."""


class HourRollup(Rollup):
    """An hour of one series."""


class MinuteChunk(Packed):
    """Minutes of one series in one row; `end_ms` is the newest of them."""


class HourChunk(Packed):
    """Hours of one series in one row; `end_ms` is the newest of them."""


class Late(models.Model):
    """A sample came late: what is rolled of this series in the hour that begins at `at_ms` may lack it.

    `marks` counts how often that was noted, so that a note which was made meanwhile is not taken for dealt with.
    """

    pk = models.CompositePrimaryKey("series_id", "at_ms")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, db_index=False, related_name="+")
    at_ms = models.BigIntegerField()
    marks = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.series_id} @ {self.at_ms}: {self.marks}"


class Progress(models.Model):
    """How far something has got that goes on for ever; its row is also the lock of whoever does it.

    Up to `until_ms` it is done. `series_id` is where a round over all series has got to, 0 between two rounds.
    """

    name = models.CharField(max_length=20, primary_key=True)
    until_ms = models.BigIntegerField(default=0)
    series_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} until {self.until_ms}"
