from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0047_alert_indexes'),
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
