"""Names that are suggested while somebody types: of people, teams, schedules, channels."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q

MOST = 8
"""So many of each sort are suggested."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A line to be typed: its `text`, and words `about` it, such as a person's whole name."""

    text: str
    about: str


def people(part: str) -> list[Suggested]:
    """Return the names of users who may sign in and have `part` in one of their names."""
    part = part.replace("\x00", "").strip()
    has = Q(username__icontains=part) | Q(first_name__icontains=part) | Q(last_name__icontains=part)
    found = User.objects.filter(has, is_active=True).order_by("username")[:MOST]
    return [Suggested(one.get_username(), one.get_full_name() or "person") for one in found]
