from datetime import UTC, datetime

from django.db import migrations, models

TIMES = {'Heartbeat': ('last_at', 'late_at', 'down_at'), 'Ping': ('at',)}


def from_seconds(apps, schema_editor):
    """Times were Unix seconds in these tables alone."""
    for model, names in TIMES.items():
        rows = list(apps.get_model('metrics', model).objects.all())
        for row in rows:
            for name in names:
                seconds = getattr(row, f'{name}_s')
                setattr(row, name, None if seconds is None else datetime.fromtimestamp(seconds, UTC))
        apps.get_model('metrics', model).objects.bulk_update(rows, names, batch_size=500)


def fields(made):
    return [made(model.lower(), name) for model, names in TIMES.items() for name in names]


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0029_rooms_of_dashboards'),
    ]

    operations = [
        migrations.RemoveIndex('heartbeat', 'metrics_hea_state_c45416_idx'),
        *fields(lambda model, name: migrations.RenameField(model, name, f'{name}_s')),
        *fields(lambda model, name: migrations.AddField(model, name, models.DateTimeField(null=True, editable=False))),
        migrations.RunPython(from_seconds, migrations.RunPython.noop),
        *fields(lambda model, name: migrations.RemoveField(model, f'{name}_s')),
        migrations.AlterField('ping', 'at', models.DateTimeField()),
        migrations.AddIndex('heartbeat', models.Index(fields=['state', 'down_at'], name='metrics_hea_state_c45416_idx')),
        migrations.DeleteModel('Probe'),
        migrations.CreateModel(
            name='Probe',
            fields=[
                ('id', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(auto_now=True, help_text='When it was written last.')),
            ],
        ),
    ]
