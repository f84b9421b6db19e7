"""The journal: changes of states, and the actions of users and tokens."""

from django.db import models


class Transition(models.Model):
    """One change of the state of something. Rows are added, and only `processed_at` is ever written later."""

    noun = models.CharField(max_length=30, help_text="Whose state it is: heartbeat.")
    thing = models.CharField(max_length=50, help_text="Its id.")
    name = models.CharField(max_length=200, help_text="Its name at that time.")
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    at = models.DateTimeField()
    why = models.CharField(max_length=300, help_text="One sentence.")
    value = models.FloatField(null=True, help_text="The value that it had then, of what has values.")
    processed_at = models.DateTimeField(null=True, help_text="When whoever follows transitions had done so.")

    class Meta:
        indexes = [
            models.Index(fields=["noun", "thing", "-id"], name="transition_of_thing"),
            models.Index(
                fields=["id"],
                name="transition_unannounced",
                condition=models.Q(processed_at=None, noun="alert"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.noun} {self.name}: {self.before} to {self.after}"


class AuditEntry(models.Model):
    """One thing that somebody did. Rows are added, and never changed.

    `before` and `after` have the fields that differ; None if there was, or is, no such thing.
    """

    at = models.DateTimeField()
    by = models.CharField(max_length=200, help_text="Who did it.")
    address = models.GenericIPAddressField(null=True, help_text="From where, if over the network.")
    verb = models.CharField(max_length=30)
    noun = models.CharField(max_length=30)
    thing = models.CharField(max_length=50, help_text="Its id.")
    name = models.CharField(max_length=200, help_text="Its name at that time.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["by", "-id"], name="audit_by"),
            models.Index(fields=["noun", "name", "-id"], name="audit_of_thing"),
            models.Index(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.by}: {self.verb} {self.noun} {self.name}"
