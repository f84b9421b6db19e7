"""How long the samples of a source are kept."""

from collections.abc import Mapping

from metrics.actions.errors import Invalid
from metrics.models.source import RETENTION_MOST_DAYS

LIMITS = {
    "raw_retention_hours": RETENTION_MOST_DAYS * 24,
    "minute_retention_days": RETENTION_MOST_DAYS,
    "hour_retention_days": RETENTION_MOST_DAYS,
}
"""The fields that say how long samples are kept, each with the most it may be; None stands for the setting."""


def check(fields: Mapping[str, int | None]) -> Mapping[str, int | None]:
    """Return `fields`, some of LIMITS. Raises Invalid for a value that is out of bounds."""
    for name, value in fields.items():
        if value is not None and not 1 <= value <= LIMITS[name]:
            raise Invalid(name, f"{name} is a whole number from 1 to {LIMITS[name]}.")
    return fields
