"""Buckets get their first value and their growth.

What is rolled already is rolled again as far as samples are held: each of those hours is noted as if a sample had come
late, and rolling replaces buckets that do not know their growth.
"""

from django.db import migrations, models

HOUR_MS = 3_600_000
FIRST_AFTER = "When the first sample was, in milliseconds after at_ms."
GROWTH = "By how much a counter grew from the first sample to the last; null if that is not known."


def note_hours(apps, schema_editor):
    """Note every hour of which samples are held, in rows or in chunks of two hours; nothing, if nothing was rolled."""
    if not apps.get_model("metrics", "Progress").objects.filter(name="minutes").exists():
        return
    schema_editor.execute(f"""
        INSERT INTO metrics_late (series_id, at_ms, marks)
        SELECT h.series_id, h.at_ms, 1 FROM (
            SELECT series_id, at_ms / {HOUR_MS} * {HOUR_MS} AS at_ms FROM metrics_sample
            UNION SELECT series_id, start_ms FROM metrics_chunk
            UNION SELECT series_id, start_ms + {HOUR_MS} FROM metrics_chunk) h
        WHERE EXISTS (SELECT 1 FROM metrics_series s WHERE s.id = h.series_id)
        ON CONFLICT (series_id, at_ms) DO NOTHING""")


def fields(model):
    return [
        migrations.AddField(model, "first", models.FloatField(null=True)),
        migrations.AddField(model, "first_after_ms", models.IntegerField(default=0, help_text=FIRST_AFTER)),
        migrations.AddField(model, "growth", models.FloatField(null=True, help_text=GROWTH)),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ("metrics", "0017_dashboard_revisions"),
    ]

    operations = [
        *fields("hourrollup"),
        *fields("minuterollup"),
        migrations.RunPython(note_hours, migrations.RunPython.noop, elidable=True),
    ]
