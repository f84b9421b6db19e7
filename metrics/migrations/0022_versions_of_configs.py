from typing import Any

from django.db import migrations, models


def number_configs(apps: Any, _: Any) -> None:
    """Say in each revision that its widgets have the first version, which was the only one until now."""
    for revision in apps.get_model("metrics", "Revision").objects.iterator():
        for widget in revision.spec["widgets"]:
            widget.setdefault("version", 1)
        revision.save(update_fields=["spec"])


class Migration(migrations.Migration):
    dependencies = [("metrics", "0021_sessions_and_probe")]

    operations = [
        migrations.AddField(
            "source",
            "version",
            models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of config."),
        ),
        migrations.AddField(
            "widget",
            "version",
            models.PositiveSmallIntegerField(default=1, editable=False, help_text="Of the form of config."),
        ),
        migrations.RunPython(number_configs, migrations.RunPython.noop),
    ]
