"""Rooms and their messages, notifications, and the numbers of what is appended to logs."""

from django.contrib.auth.models import User
from django.db import models

from metrics.models.access import Token
from metrics.models.team import Shared


def sender(by: str) -> str:
    """Return the name of a principal as people read it: user ada is ada."""
    return by.removeprefix("user ")


class LogHead(models.Model):
    """The number of the newest entry of a log topic.

    A sequence of the database counts in the order of asking; this row is locked until the commit, so that numbers are
    in the order of commits, and without a gap.
    """

    topic = models.CharField(max_length=60, primary_key=True)
    newest = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.topic}: {self.newest}"


class Room(Shared):
    """A conversation: of everyone who is signed in, or of teams."""

    title = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class Message(models.Model):
    """An entry of a room. `number` counts from 1 in each room; `client_id` is the sender's own name for it."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, db_index=False, related_name="messages")
    number = models.PositiveBigIntegerField()
    by = models.CharField(max_length=200)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    token = models.ForeignKey(Token, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    client_id = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["room", "number"], name="message_number_of_room"),
            models.UniqueConstraint(
                fields=["room", "by", "client_id"],
                condition=~models.Q(client_id=""),
                name="message_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_id} message {self.number}"

    @property
    def sender(self) -> str:
        return sender(self.by)


class Notification(models.Model):
    """One thing that one person should know. `number` counts from 1 for each person; `about` is a path of ours."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, db_index=False, related_name="notifications")
    number = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=30)
    text = models.CharField(max_length=1000)
    about = models.CharField(max_length=300, blank=True)
    by = models.CharField(max_length=200)
    key = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["user"], name="notification_unread", condition=models.Q(read_at=None)),
            models.Index(fields=["at"], name="notification_at"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "number"], name="notification_number_of_user"),
            models.UniqueConstraint(fields=["user", "key"], condition=~models.Q(key=""), name="notification_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} notification {self.number}"

    @property
    def sender(self) -> str:
        return sender(self.by)
