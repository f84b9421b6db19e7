from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0042_calendars'),
    ]

    operations = [
        migrations.AddField(
            model_name='alert',
            name='flaps_since_ms',
            field=models.BigIntegerField(null=True),
        ),
    ]
