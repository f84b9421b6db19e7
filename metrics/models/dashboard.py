"""Dashboards, their widgets, and their revisions."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from metrics.models.team import Shared


class LiveDashboards(models.Manager["Dashboard"]):
    """The dashboards that are not deleted."""

    def get_queryset(self) -> models.QuerySet["Dashboard"]:
        return super().get_queryset().filter(deleted_at=None)


class Dashboard(Shared):
    """A page of widgets, for everyone who is signed in or for the members of its teams.

    A deleted one keeps its row and its revisions for a while, but has no widgets and leaves its slug to others.
    """

    slug = models.SlugField(max_length=50, unique=True)
    title = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    range = models.CharField(max_length=4, default="1h", help_text="The range shown when none is asked for.")
    tags = models.JSONField(default=list, blank=True, editable=False, help_text="Words to find it by.")
    variables = models.JSONField(
        default=list, blank=True, editable=False, help_text="As `metrics.widgets.variables.VariableSpec` has each."
    )
    revision = models.PositiveIntegerField(
        default=0, editable=False, help_text="Number of the newest revision, so that open pages notice one."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LiveDashboards()
    with_deleted = models.Manager["Dashboard"]()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class FormerSlug(models.Model):
    """A slug that a dashboard once had. Its old address leads to the new one, until another dashboard takes it."""

    slug = models.SlugField(max_length=50, primary_key=True)
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="former_slugs")

    def __str__(self) -> str:
        return self.slug


class Revision(models.Model):
    """A saved state of a dashboard: `spec` is all of it. Rows are added, and never changed."""

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(help_text="Counts from 1.")
    spec = models.JSONField()
    by = models.CharField(max_length=200, help_text="Who saved it.")
    at = models.DateTimeField()
    summary = models.CharField(max_length=500, help_text="One sentence: how it differs from the one before.")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dashboard", "number"], name="revision_number_of_dashboard")]

    def __str__(self) -> str:
        return f"{self.dashboard_id} revision {self.number}"


class Widget(models.Model):
    """One query on series, shown as one kind. `config` is checked by the kind's own config class."""

    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, related_name="widgets")
    key = models.SlugField(max_length=50, help_text="Names it within its dashboard.")
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=100)
    config = models.JSONField(default=dict)
    version = models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of config.")
    x = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(11)], help_text="Column, from 0.")
    y = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(59)], help_text="Row, from 0.")
    w = models.PositiveSmallIntegerField(
        "width", default=3, validators=[MinValueValidator(1), MaxValueValidator(12)], help_text="Columns of 12."
    )
    h = models.PositiveSmallIntegerField(
        "height", default=1, validators=[MinValueValidator(1), MaxValueValidator(12)], help_text="Rows."
    )
    repeat = models.CharField(
        max_length=30, blank=True, help_text="Name of the variable for each of whose values it is drawn once."
    )
    phone = models.JSONField(
        default=dict, blank=True, editable=False, help_text="As `metrics.widgets.spec.OnPhone` has it."
    )

    class Meta:
        ordering = ["y", "x", "id"]
        constraints = [models.UniqueConstraint(fields=["dashboard", "key"], name="widget_key_of_dashboard")]

    def __str__(self) -> str:
        return self.title
