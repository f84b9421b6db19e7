"""Times in models are datetimes; those of samples, and of what follows from samples, are Unix milliseconds."""

import re

from django.apps import apps
from django.db.models import BigIntegerField, DateTimeField, Field

OF_SAMPLES = {
    "Alert.ends_at_ms",
    "Alert.fired_at_ms",
    "Alert.flaps_since_ms",
    "Alert.seen_at_ms",
    "Alert.since_ms",
    "Chunk.end_ms",
    "Chunk.start_ms",
    "FutureSample.at_ms",
    "HourChunk.end_ms",
    "HourChunk.start_ms",
    "HourRollup.at_ms",
    "Late.at_ms",
    "MinuteChunk.end_ms",
    "MinuteChunk.start_ms",
    "MinuteRollup.at_ms",
    "Progress.until_ms",
    "RunningTotal.at_ms",
    "Sample.at_ms",
    "Series.ended_at_ms",
    "Series.started_at_ms",
}
"""Columns with times of samples, or of what follows from samples alone."""
A_TIME = re.compile(r"(^|_)(at|since|until)(_ms|_s)?$")
CLOCK = "NotificationSettings.quiet_until"
"""A time of each day."""


def columns() -> dict[str, Field]:  # type: ignore[type-arg]
    return {
        f"{model.__name__}.{field.name}": field
        for model in apps.get_app_config("metrics").get_models()
        for field in model._meta.concrete_fields
    }


def test_columns_in_milliseconds_are_those_of_samples() -> None:
    found = {name for name, of in columns().items() if name.endswith("_ms") and isinstance(of, BigIntegerField)}
    assert found == OF_SAMPLES


def test_all_other_times_are_datetimes() -> None:
    times = {name: of for name, of in columns().items() if A_TIME.search(name.partition(".")[2])}
    others = {name for name, of in times.items() if not isinstance(of, DateTimeField)}
    assert others - OF_SAMPLES == {CLOCK}
    assert not OF_SAMPLES.intersection(name for name, of in columns().items() if isinstance(of, DateTimeField))
