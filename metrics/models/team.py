"""Teams, and what belongs to them."""

from django.contrib.auth.models import Group
from django.db import models


class Team(Group):
    """People who own things together: a group of Django's, under the name that it has here."""

    objects = models.Manager["Team"]()  # type: ignore[assignment, misc]  # rows are teams, not groups

    class Meta:
        proxy = True
        verbose_name = "team"
        verbose_name_plural = "teams"


class Shared(models.Model):
    """A thing that belongs to teams. `metrics.access.policy` says who may see and change it."""

    # Not "no team means everyone": then deleting a team would publish what it alone could see.
    for_everyone = models.BooleanField(default=True, help_text="Whether everyone who is signed in may see it.")
    teams = models.ManyToManyField(
        Team, blank=True, related_name="%(class)ss", help_text="Their members see it, and their editors change it."
    )

    class Meta:
        abstract = True
