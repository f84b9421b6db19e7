from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0049_digests'),
    ]

    operations = [
        migrations.AddField(
            model_name='schedule',
            name='known_from',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
