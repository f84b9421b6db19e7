"""Notifications, and how each person wants to hear of them."""

from django.contrib.auth.models import User
from django.db import models

from metrics.models.log import sender


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
            models.UniqueConstraint(fields=["key", "user"], condition=~models.Q(key=""), name="notification_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} notification {self.number}"  # not its text: the audit log keeps this for good

    @property
    def sender(self) -> str:
        return sender(self.by)


class NotificationSettings(models.Model):
    """How a person wants to be told: without a row, every kind in the page, none as Web Push, at any hour."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="notification_settings")
    silent_kinds = models.JSONField(default=list, help_text="Kinds that are kept, but not shown as they come.")
    pushed_kinds = models.JSONField(default=list, help_text="Kinds that come as Web Push too.")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Of the quiet hours; empty is the server's.")

    def __str__(self) -> str:
        return f"{self.user_id}"


class PushSubscription(models.Model):
    """A browser of a person that shows Web Push (RFC 8030): where to send to, and the keys to encrypt with."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="push_subscriptions")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the endpoint.")
    endpoint = models.TextField()
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=50)
    browser = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.browser or f"browser {self.pk}"


class VapidKey(models.Model):
    """The key that this installation signs Web Push with (RFC 8292). `sealed` is the private half, encrypted."""

    sealed = models.TextField()
    public = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.public


class Watch(models.Model):
    """A person who wants to be told of a thing: its noun as in the journal, and its id."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watches")
    noun = models.CharField(max_length=30)
    thing = models.CharField(max_length=30)

    class Meta:
        verbose_name_plural = "watches"
        indexes = [models.Index(fields=["noun", "thing"], name="watch_thing")]
        constraints = [models.UniqueConstraint(fields=["user", "noun", "thing"], name="watch_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.noun} {self.thing}"
