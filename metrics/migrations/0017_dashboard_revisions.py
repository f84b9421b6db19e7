"""Dashboards get revisions, and widgets keys and places; what there is becomes revision 1 or a later one."""

import re
from datetime import UTC, datetime
from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.utils.text import slugify

COLUMNS = 12


def name_and_place(apps: Any, schema_editor: Any) -> None:
    """Give each widget the place where the page's grid has put it so far, and a key made of its title."""
    Dashboard, Widget = apps.get_model("metrics", "Dashboard"), apps.get_model("metrics", "Widget")
    for dashboard in Dashboard.objects.all():
        keys: set[str] = set()
        taken: set[tuple[int, int]] = set()
        widgets = list(Widget.objects.filter(dashboard=dashboard).order_by("position", "id"))
        for widget in widgets:
            widget.key = new_key(widget.title, keys)
            keys.add(widget.key)
            widget.x, widget.y = first_gap(widget.w, widget.h, taken)
            taken |= cells(widget.x, widget.y, widget.w, widget.h)
        Widget.objects.bulk_update(widgets, ["key", "x", "y"])


def new_key(title: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", slugify(title)).strip("-")[:45] or "widget"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


def first_gap(w: int, h: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    y = 0
    while True:
        for x in range(COLUMNS - w + 1):
            if taken.isdisjoint(cells(x, y, w, h)):
                return x, y
        y += 1


def cells(x: int, y: int, w: int, h: int) -> set[tuple[int, int]]:
    return {(x + dx, y + dy) for dx in range(w) for dy in range(h)}


def record(apps: Any, schema_editor: Any) -> None:
    """Write a first revision of each dashboard as it is now."""
    Dashboard, Revision = apps.get_model("metrics", "Dashboard"), apps.get_model("metrics", "Revision")
    for dashboard in Dashboard.objects.all():
        spec = {
            "slug": dashboard.slug,
            "title": dashboard.title,
            "description": dashboard.description,
            "range": dashboard.range,
            "access": {
                "everyone": dashboard.for_everyone,
                "groups": sorted(dashboard.groups.values_list("name", flat=True)),
            },
            "widgets": list(
                dashboard.widgets.order_by("y", "x", "id").values("key", "kind", "title", "config", "x", "y", "w", "h")
            ),
        }
        Revision.objects.create(
            dashboard=dashboard,
            number=dashboard.revision,
            spec=spec,
            by="watchfloor",
            at=datetime.now(UTC),
            summary="As it was before revisions were kept.",
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0016_first_pings_awaited")]

    operations = [
        migrations.RenameField("dashboard", "layout", "revision"),
        migrations.AlterField(
            "dashboard",
            "revision",
            models.PositiveIntegerField(
                default=0,
                editable=False,
                help_text="Number of the newest revision, so that open pages notice one.",
            ),
        ),
        migrations.AddField("dashboard", "deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.CreateModel(
            "FormerSlug",
            [
                ("slug", models.SlugField(primary_key=True, serialize=False)),
                (
                    "dashboard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_slugs",
                        to="metrics.dashboard",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            "Revision",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="Counts from 1.")),
                ("spec", models.JSONField()),
                ("by", models.CharField(help_text="Who saved it.", max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "summary",
                    models.CharField(help_text="One sentence: how it differs from the one before.", max_length=500),
                ),
                (
                    "dashboard",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="metrics.dashboard",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("dashboard", "number"), name="revision_number_of_dashboard")
                ],
            },
        ),
        migrations.RenameField("widget", "width", "w"),
        migrations.RenameField("widget", "height", "h"),
        migrations.AlterField(
            "widget",
            "w",
            models.PositiveSmallIntegerField(
                default=3,
                help_text="Columns of 12.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(12),
                ],
                verbose_name="width",
            ),
        ),
        migrations.AlterField(
            "widget",
            "h",
            models.PositiveSmallIntegerField(
                default=1,
                help_text="Rows.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(12),
                ],
                verbose_name="height",
            ),
        ),
        migrations.AddField(
            "widget",
            "x",
            models.PositiveSmallIntegerField(
                default=0,
                help_text="Column, from 0.",
                validators=[django.core.validators.MaxValueValidator(11)],
            ),
        ),
        migrations.AddField(
            "widget",
            "y",
            models.PositiveSmallIntegerField(
                default=0, help_text="Row, from 0.", validators=[django.core.validators.MaxValueValidator(59)]
            ),
        ),
        migrations.AddField(
            "widget",
            "key",
            models.SlugField(default="", help_text="Names it within its dashboard."),
            preserve_default=False,
        ),
        migrations.RunPython(name_and_place, migrations.RunPython.noop),
        migrations.RemoveField("widget", "position"),
        migrations.AlterModelOptions("widget", options={"ordering": ["y", "x", "id"]}),
        migrations.RunPython(record, migrations.RunPython.noop),
        migrations.AddConstraint(
            "widget",
            models.UniqueConstraint(fields=("dashboard", "key"), name="widget_key_of_dashboard"),
        ),
    ]
