"""Channels to people outside of the page: which there are, and making, changing and removing them."""

from collections.abc import Iterable

from django.db.models import Q

from metrics.models import Channel, Team


def of_teams(teams: Iterable[Team]) -> list[Channel]:
    """Return the channels that a message for `teams` goes through at first; without teams, the installation's.

    Those that are off, and those that only step in for others, are left out.
    """
    wanted = [team.pk for team in teams]
    found = Q(team__in=wanted) if wanted else Q(team=None)
    return list(Channel.objects.filter(found, enabled=True, fallback=False).order_by("team", "position", "pk"))
