"""Favourites and start pages: the dashboards and rooms that each person prefers."""

from django.contrib.auth.models import User
from django.db import models

from metrics.models.dashboard import Dashboard
from metrics.models.room import Room


class Favourite(models.Model):
    """A dashboard that stands first in the list of a person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favourites")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "dashboard"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.dashboard_id}"


class FavouriteRoom(models.Model):
    """A room that stands first in the list of a person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favourite_rooms")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "room"], name="favourite_room_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.room_id}"


class StartPage(models.Model):
    """The dashboard that a person sees first: after signing in, and at `/`."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="start_page")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.user_id} {self.dashboard_id}"
