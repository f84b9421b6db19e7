"""Time zones by their names."""

import zoneinfo
from functools import cache
from zoneinfo import ZoneInfo


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone `name`, or UTC if this machine does not know it any more."""
    return ZoneInfo(name if name in known() else "UTC")


@cache
def known() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(zoneinfo.available_timezones()) | {"UTC"}
