"""Rooms, their messages, and what each person has read of them."""

from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.files.storage import Storage, storages
from django.db import models
from django.urls import reverse
from django.utils.functional import cached_property

from metrics.models.access import Token
from metrics.models.dashboard import Dashboard
from metrics.models.incident import Incident
from metrics.models.log import sender
from metrics.models.team import Shared


class Room(Shared):
    """A conversation: of everyone who is signed in, of teams, of chosen people, or of those who see what it is about.

    `direct` names the two people of a direct conversation by their ids, the smaller one first: 3.7. `changed` is the
    number of the entry of its log that closed it, or opened it again; 0 for none.
    """

    title = models.CharField(max_length=100)
    dashboard = models.OneToOneField(Dashboard, null=True, on_delete=models.CASCADE, related_name="room")
    incident = models.OneToOneField(Incident, null=True, on_delete=models.CASCADE, related_name="room")
    people = models.ManyToManyField(User, blank=True, related_name="rooms")
    direct = models.CharField(max_length=50, blank=True)
    keep_days = models.PositiveIntegerField(null=True, help_text="After so many days messages are removed.")
    closed_at = models.DateTimeField(null=True, help_text="Nobody writes in it any more.")
    changed = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title", "id"]
        constraints = [models.UniqueConstraint(fields=["direct"], condition=~models.Q(direct=""), name="room_of_two")]

    def __str__(self) -> str:
        return self.title

    @property
    def owner(self) -> "Dashboard | Incident | Room":
        """The thing whose people see it: a dashboard, an incident, or the room itself."""
        return self.dashboard or self.incident or self

    @property
    def is_own(self) -> bool:
        """Whether its title and its people are its own."""
        return self.owner is self and not self.direct


class Message(models.Model):
    """Something said in a room.

    `number` is that of the entry it came as, counted in each room; `changed` that of the newest change, `ordinal` how
    many messages there were with it. `client_id` is the sender's own name for it. `moment` is what the sender saw
    beside it: {"dashboard", "revision", "range", "at"}. `cards` are the things of ours that it links to:
    [{"path", "title", "kind"}]. `drawing` is the HTML of a widget as it was.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, db_index=False, related_name="messages")
    number = models.PositiveBigIntegerField()
    changed = models.PositiveBigIntegerField()
    ordinal = models.PositiveBigIntegerField()
    by = models.CharField(max_length=200)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    token = models.ForeignKey(Token, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    client_id = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    reply_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    mentions = models.JSONField(default=list)
    cards = models.JSONField(default=list)
    moment = models.JSONField(null=True)
    drawing = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["room", "number"], name="message_number_of_room"),
            models.UniqueConstraint(fields=["room", "changed"], name="message_change_of_room"),
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

    @cached_property
    def shown_reactions(self) -> "list[Reaction]":
        """The reactions as they were when they were read first; lists of messages have them read together."""
        return list(self.reactions.all())

    @cached_property
    def shown_attachments(self) -> "list[Attachment]":
        """The attachments as they were when they were read first."""
        return list(self.attachments.all())

    @property
    def moment_query(self) -> str:
        """The query of the dashboard's page that shows the moment, beside this message."""
        return urlencode({**self.moment, "message": self.number}, doseq=True) if self.moment else ""


class Reaction(models.Model):
    """An emoji that somebody put under a message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reactions")
    by = models.CharField(max_length=200)
    emoji = models.CharField(max_length=32)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["message", "by", "emoji"], name="reaction_once")]

    def __str__(self) -> str:
        return self.emoji

    @property
    def sender(self) -> str:
        return sender(self.by)


class Reading(models.Model):
    """How far a person has read a room: the number of the newest message they saw, and its ordinal."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="readings")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="readings")
    number = models.PositiveBigIntegerField(default=0)
    ordinal = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "room"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}: {self.number}"


class StoredFile(models.Model):
    """The bytes of a file, where every process can read them."""

    name = models.CharField(max_length=200, primary_key=True)
    data = models.BinaryField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


def attachments() -> Storage:
    """Return the storage of attachments, as the settings say."""
    return storages["attachments"]


class Attachment(models.Model):
    """A picture or a file in a room; without a message it was sent ahead of one that is still being written.

    `key` is its name in URLs. `width` and `height` are pixels of a picture.
    """

    key = models.CharField(max_length=40, unique=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="attachments")
    by = models.CharField(max_length=200)
    name = models.CharField(max_length=150)
    type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    file = models.FileField(storage=attachments, max_length=200)
    at = models.DateTimeField()

    SHOWN_WIDTH, SHOWN_HEIGHT = 400, 300

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="attachment_unsent", condition=models.Q(message=None))]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("room-file", args=[self.room_id, self.key, self.name])

    @property
    def shown_size(self) -> tuple[int, int]:
        """The width and the height of a picture in a message (CSS pixels): as it is, or scaled to fit."""
        width, height = self.width or 1, self.height or 1
        scale = min(1.0, self.SHOWN_WIDTH / width, self.SHOWN_HEIGHT / height)
        return max(1, round(width * scale)), max(1, round(height * scale))
