"""Times: rows hold them as the database's own kind, and code that counts holds Unix seconds."""

from datetime import UTC, datetime
from typing import overload

YEARS = range(1970, 3000)
"""Years of times that people may plan: at the ends of the calendar, nothing can be added any more."""
LOCAL_TIME = "datetime-local"
"""The format, in JSON schemas, of times without a zone, such as 2026-11-30T09:00."""


@overload
def datetime_of(seconds: float) -> datetime: ...
@overload
def datetime_of(seconds: None) -> None: ...
def datetime_of(seconds: float | None) -> datetime | None:
    """Return a time in Unix seconds as a datetime of UTC, exact to the microsecond."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@overload
def seconds_of(moment: datetime) -> float: ...
@overload
def seconds_of(moment: None) -> None: ...
def seconds_of(moment: datetime | None) -> float | None:
    """Return `moment` in Unix seconds."""
    return None if moment is None else moment.timestamp()
