"""Times as people type them into forms: local ones, of the zone that pages are in if no other is given."""

from datetime import datetime, tzinfo

from django.utils.dateformat import format
from django.utils.timezone import get_current_timezone, localtime

from metrics.actions.errors import Invalid
from metrics.times import YEARS


def write(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """Return `moment` as an input of the type datetime-local takes it."""
    return localtime(moment, zone).strftime("%Y-%m-%dT%H:%M") if moment else ""


def say(moment: datetime) -> str:
    """Return `moment` as a sentence has it: "30 Nov 23:08 UTC"."""
    return format(localtime(moment), "j M H:i T")


def read(text: str, field: str, zone: tzinfo | None = None) -> datetime | None:
    """Return the time that was typed, None for nothing. Raises Invalid."""
    local = read_local(text, field)
    return local.replace(tzinfo=zone or get_current_timezone()) if local else None


def read_local(text: str, field: str) -> datetime | None:
    """Return the time that was typed, without a zone; None for nothing. Raises Invalid."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise Invalid(field, f"{field}: it has to be a time, such as 2026-11-30T09:00.")
    return found
