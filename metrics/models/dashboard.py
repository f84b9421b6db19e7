from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Dashboard(models.Model):
    """A page of widgets, for everyone who is signed in or for the members of its groups."""

    slug = models.SlugField(max_length=50, unique=True)
    title = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    range = models.CharField(max_length=4, default="1h", help_text="The range shown when none is asked for.")
    # Not "no groups means everyone": then deleting a group would publish what it alone could see.
    for_everyone = models.BooleanField(default=True, help_text="Whether everyone who is signed in may see it.")
    groups = models.ManyToManyField(
        Group, blank=True, related_name="dashboards", help_text="Who may see it, if not everyone."
    )
    layout = models.PositiveIntegerField(
        default=1, editable=False, help_text="Counts the edits, so that open pages notice one."
    )

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Widget(models.Model):
    """One query on series, shown as one kind. `config` is checked by the kind's own config class."""

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="widgets")
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=100)
    config = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)
    width = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(12)], help_text="Columns of 12."
    )
    height = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(4)], help_text="Rows."
    )

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title
