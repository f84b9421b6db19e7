from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0048_alert_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='channel',
            name='digest',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['next_at'], name='delivery_held'),
        ),
    ]
