import django.db.models.deletion
import metrics.models.room
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def number_changes(apps, schema_editor):
    """Until now every entry of a log was a new thing, and nothing was changed."""
    apps.get_model('metrics', 'Message').objects.update(changed=F('number'), ordinal=F('number'))
    apps.get_model('metrics', 'LogHead').objects.update(said=F('newest'))


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('metrics', '0027_rooms'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=40, unique=True)),
                ('by', models.CharField(max_length=200)),
                ('name', models.CharField(max_length=150)),
                ('type', models.CharField(max_length=100)),
                ('size', models.PositiveIntegerField()),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('file', models.FileField(max_length=200, storage=metrics.models.room.attachments, upload_to='')),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='NotificationSettings',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notification_settings', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('silent_kinds', models.JSONField(default=list, help_text='Kinds that are kept, but not shown as they come.')),
                ('pushed_kinds', models.JSONField(default=list, help_text='Kinds that come as Web Push too.')),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_until', models.TimeField(blank=True, null=True)),
                ('time_zone', models.CharField(blank=True, help_text="Of the quiet hours; empty is the server's.", max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, help_text='SHA-256 of the endpoint.', max_length=64, unique=True)),
                ('endpoint', models.TextField()),
                ('p256dh', models.CharField(max_length=100)),
                ('auth', models.CharField(max_length=50)),
                ('browser', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Reaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('by', models.CharField(max_length=200)),
                ('emoji', models.CharField(max_length=32)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(default=0)),
                ('ordinal', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='StoredFile',
            fields=[
                ('name', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('data', models.BinaryField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='VapidKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.TextField()),
                ('public', models.CharField(max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('noun', models.CharField(max_length=30)),
                ('thing', models.CharField(max_length=30)),
            ],
            options={
                'verbose_name_plural': 'watches',
            },
        ),
        migrations.AddField(
            model_name='loghead',
            name='said',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='message',
            name='cards',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='message',
            name='changed',
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='message',
            name='deleted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='drawing',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='message',
            name='edited_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='mentions',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='message',
            name='moment',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='ordinal',
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='message',
            name='reply_to',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='metrics.message'),
        ),
        migrations.AddField(
            model_name='room',
            name='closed_at',
            field=models.DateTimeField(help_text='Nobody writes in it any more.', null=True),
        ),
        migrations.AddField(
            model_name='room',
            name='dashboard',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='room', to='metrics.dashboard'),
        ),
        migrations.AddField(
            model_name='room',
            name='direct',
            field=models.CharField(blank=True, default='', max_length=50),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='room',
            name='keep_days',
            field=models.PositiveIntegerField(help_text='After so many days messages are removed.', null=True),
        ),
        migrations.AddField(
            model_name='room',
            name='people',
            field=models.ManyToManyField(blank=True, related_name='rooms', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='room',
            constraint=models.UniqueConstraint(condition=models.Q(('direct', ''), _negated=True), fields=('direct',), name='room_of_two'),
        ),
        migrations.AddField(
            model_name='token',
            name='face',
            field=models.CharField(blank=True, help_text='An emoji that its messages in rooms begin with.', max_length=32),
        ),
        migrations.RunPython(number_changes, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('room', 'changed'), name='message_change_of_room'),
        ),
        migrations.AddField(
            model_name='attachment',
            name='message',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='metrics.message'),
        ),
        migrations.AddField(
            model_name='attachment',
            name='room',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='metrics.room'),
        ),
        migrations.AddField(
            model_name='pushsubscription',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_subscriptions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='reaction',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reactions', to='metrics.message'),
        ),
        migrations.AddField(
            model_name='reading',
            name='room',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='metrics.room'),
        ),
        migrations.AddField(
            model_name='reading',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='watch',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watches', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='attachment',
            index=models.Index(condition=models.Q(('message', None)), fields=['at'], name='attachment_unsent'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.UniqueConstraint(fields=('message', 'by', 'emoji'), name='reaction_once'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(fields=('user', 'room'), name='reading_once'),
        ),
        migrations.AddIndex(
            model_name='watch',
            index=models.Index(fields=['noun', 'thing'], name='watch_thing'),
        ),
        migrations.AddConstraint(
            model_name='watch',
            constraint=models.UniqueConstraint(fields=('user', 'noun', 'thing'), name='watch_once'),
        ),
    ]
