"""Channels to people outside, and what was sent through them."""

from django.db import models

from metrics.models.team import Team


class Channel(models.Model):
    """A way to reach a team; without `team`, the administrators: it is the installation's.

    `position` is its place among those of its team: what one could not deliver, the next one tries. `digest` is how it
    hears of what can wait, as `metrics.alerts.digest.DigestSpec` has it; without one it hears of all at once.
    """

    name = models.CharField(max_length=100)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of config.")
    secrets = models.TextField(blank=True, editable=False, help_text="As metrics.actions.credentials keeps them.")
    trusted = models.BooleanField(
        default=False, editable=False, help_text="Its config was last set by an administrator: it may connect anywhere."
    )
    enabled = models.BooleanField(default=True)
    fallback = models.BooleanField(
        default=False, help_text="Gets only what another channel of its team could not deliver."
    )
    position = models.PositiveSmallIntegerField(default=0)
    digest = models.JSONField(null=True, blank=True)
    digest_version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of digest.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="channel_name_of_team"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(team=None), name="channel_name_of_installation"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """A message that goes through a channel. `document` is the message as `metrics.notify.message` has it.

    One that waits is tried at `next_at`; one that is being sent is free again after `claimed_until`. `key` is that of
    the message: a channel is told once. `receipt` is what the other side answered. One that is held waits for the
    digest at `next_at`; it is gathered once it went with that.
    """

    WAITING, SENDING, SENT, FAILED, REPLACED = "waiting", "sending", "sent", "failed", "replaced"
    HELD, GATHERED = "held", "gathered"
    OPEN = (WAITING, SENDING)

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, db_index=False, related_name="deliveries")
    conversation = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=200)
    document = models.JSONField()
    state = models.CharField(max_length=10, default=WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    receipt = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_at"], name="delivery_due", condition=models.Q(state__in=("waiting", "sending"))),
            models.Index(fields=["next_at"], name="delivery_held", condition=models.Q(state="held")),
            models.Index(fields=["channel", "id"], name="delivery_of_channel"),
            models.Index(fields=["created_at"], name="delivery_created"),
            models.Index(fields=["conversation"], name="delivery_conversation", condition=~models.Q(conversation="")),
        ]
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="delivery_once")]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
