"""Keys of requests that were done."""

from django.db import models

from metrics.models.access import Token


class IdempotencyKey(models.Model):
    """A key that a request came with, so that the same request is answered again and not done again.

    `accepted` is how many samples of a push were accepted. `answer` is the document that was answered, null for a push.
    """

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="idempotency_keys")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was pushed.")
    accepted = models.PositiveIntegerField(help_text="How many samples the answer said were accepted.")
    answer = models.JSONField(null=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key
