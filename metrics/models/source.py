from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Source(models.Model):
    """Something that yields samples: a collector on a schedule, or a named stream that is pushed (kind `push`)."""

    PUSH = "push"

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=100, unique=True)
    every_s = models.PositiveIntegerField(
        "every",
        null=True,
        blank=True,
        help_text="Seconds between two runs; empty for what is pushed.",
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
    )
    config = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)

    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_duration_s = models.FloatField(null=True, blank=True, editable=False)
    last_samples = models.PositiveIntegerField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
