"""An empty database gets in one go what 0001 to 0055 make one after the other; docs/decisions/0052 says how that works.

They stay as they are: a database that has had some of them gets the others, and then counts as one that has had this.
"""

import django.contrib.auth.models
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import metrics.heartbeat
import metrics.models.heartbeat
import metrics.models.room
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

PACKED = ('metrics_chunk', 'metrics_minutechunk', 'metrics_hourchunk')


def keep_chunks_as_they_are(apps, schema_editor):
    """They are packed already: PostgreSQL would try in vain to compress them."""
    if schema_editor.connection.vendor == 'postgresql':
        for table in PACKED:
            schema_editor.execute(f'ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL')


class CreateModels(Operation):
    """Creates models as the operations of each would, but renders their states once instead of after each of them."""

    def __init__(self, *operations):
        self.operations = operations

    def describe(self):
        return f'Create {len(self.operations)} models'

    def state_forwards(self, app_label, state):
        vars(state).pop('apps', None)  # rendered already, it would be kept up with every single model
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    replaces = [
        ('metrics', '0001_initial'),
        ('metrics', '0002_what_samples_say'),
        ('metrics', '0003_cron'),
        ('metrics', '0004_idempotency_keys'),
        ('metrics', '0005_rollups_and_chunks'),
        ('metrics', '0006_heartbeats'),
        ('metrics', '0007_totals_and_ends'),
        ('metrics', '0008_runs_and_credentials'),
        ('metrics', '0009_groups'),
        ('metrics', '0010_series_by_metric'),
        ('metrics', '0011_revisions'),
        ('metrics', '0012_samples_without_a_constraint'),
        ('metrics', '0013_packed_minutes'),
        ('metrics', '0014_group_owner'),
        ('metrics', '0015_verdicts'),
        ('metrics', '0016_first_pings_awaited'),
        ('metrics', '0017_dashboard_revisions'),
        ('metrics', '0018_growth'),
        ('metrics', '0019_counter_starts'),
        ('metrics', '0020_packed_hours'),
        ('metrics', '0021_sessions_and_probe'),
        ('metrics', '0022_versions_of_configs'),
        ('metrics', '0023_journal'),
        ('metrics', '0024_teams'),
        ('metrics', '0025_roles'),
        ('metrics', '0026_future_samples'),
        ('metrics', '0027_rooms'),
        ('metrics', '0028_talk'),
        ('metrics', '0029_rooms_of_dashboards'),
        ('metrics', '0030_times'),
        ('metrics', '0031_drafts'),
        ('metrics', '0032_variables'),
        ('metrics', '0033_favourites'),
        ('metrics', '0034_pictures'),
        ('metrics', '0035_link'),
        ('metrics', '0036_rooms'),
        ('metrics', '0037_widget_phone'),
        ('metrics', '0038_alerts'),
        ('metrics', '0039_incidents'),
        ('metrics', '0040_channels'),
        ('metrics', '0041_silences'),
        ('metrics', '0042_calendars'),
        ('metrics', '0043_flapping'),
        ('metrics', '0044_sightings'),
        ('metrics', '0045_received_alerts'),
        ('metrics', '0046_alert_webhooks'),
        ('metrics', '0047_alert_indexes'),
        ('metrics', '0048_alert_events'),
        ('metrics', '0049_digests'),
        ('metrics', '0050_known_from'),
        ('metrics', '0051_annotations'),
        ('metrics', '0052_idempotency_answer'),
        ('metrics', '0053_digest_version'),
        ('metrics', '0054_screen'),
        ('metrics', '0055_screen_paired_from'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('by', models.CharField(help_text='Who did it.', max_length=200)),
                    ('address', models.GenericIPAddressField(help_text='From where, if over the network.', null=True)),
                    ('verb', models.CharField(max_length=30)),
                    ('noun', models.CharField(max_length=30)),
                    ('thing', models.CharField(help_text='Its id.', max_length=50)),
                    ('name', models.CharField(help_text='Its name at that time.', max_length=200)),
                    ('before', models.JSONField(null=True)),
                    ('after', models.JSONField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['by', '-id'], name='audit_by'), models.Index(fields=['noun', 'name', '-id'], name='audit_of_thing'), models.Index(fields=['at'], name='audit_at')],
                    'verbose_name_plural': 'audit entries',
                },
            ),
            migrations.CreateModel(
                name='Heartbeat',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(default=metrics.models.heartbeat.new_key, editable=False, max_length=32, unique=True)),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('every_s', models.PositiveIntegerField(blank=True, help_text='Seconds between two pings.', null=True, verbose_name='every')),
                    ('cron', models.CharField(blank=True, help_text='Or when it runs, as in a crontab.', max_length=100)),
                    ('time_zone', models.CharField(default='UTC', help_text="Where the crontab's clock hangs.", max_length=50)),
                    ('grace_s', models.PositiveIntegerField(default=300, help_text='Seconds a ping may be late.', verbose_name='grace')),
                    ('state', models.CharField(choices=[('new', 'new'), ('up', 'up'), ('late', 'late'), ('down', 'down'), ('paused', 'paused')], default=metrics.heartbeat.State['NEW'], max_length=10)),
                    ('duration_s', models.FloatField(editable=False, null=True)),
                    ('starts', models.JSONField(default=dict, editable=False)),
                    ('last_at', models.DateTimeField(editable=False, null=True)),
                    ('late_at', models.DateTimeField(editable=False, null=True)),
                    ('down_at', models.DateTimeField(editable=False, null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['state', 'down_at'], name='metrics_hea_state_c45416_idx')],
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='LogHead',
                fields=[
                    ('topic', models.CharField(max_length=60, primary_key=True, serialize=False)),
                    ('newest', models.PositiveBigIntegerField(default=0)),
                    ('said', models.PositiveBigIntegerField(default=0)),
                ],
            ),
            migrations.CreateModel(
                name='Notification',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveBigIntegerField()),
                    ('kind', models.CharField(max_length=30)),
                    ('text', models.CharField(max_length=1000)),
                    ('about', models.CharField(blank=True, max_length=300)),
                    ('by', models.CharField(max_length=200)),
                    ('key', models.CharField(blank=True, max_length=100)),
                    ('at', models.DateTimeField()),
                    ('read_at', models.DateTimeField(null=True)),
                    ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'number'), name='notification_number_of_user'), models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('key', 'user'), name='notification_once')],
                    'indexes': [models.Index(condition=models.Q(('read_at', None)), fields=['user'], name='notification_unread'), models.Index(fields=['at'], name='notification_at')],
                    'ordering': ['-number'],
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
                name='Ping',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('signal', models.CharField(choices=[('success', 'success'), ('start', 'start'), ('fail', 'fail')], max_length=10)),
                    ('exit_status', models.PositiveSmallIntegerField(null=True)),
                    ('run', models.CharField(blank=True, max_length=100)),
                    ('duration_s', models.FloatField(null=True)),
                    ('body', models.TextField(blank=True)),
                    ('heartbeat', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pings', to='metrics.heartbeat')),
                    ('at', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['heartbeat', '-id'], name='metrics_pin_heartbe_a5c8db_idx')],
                },
            ),
            migrations.CreateModel(
                name='Probe',
                fields=[
                    ('id', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField(auto_now=True, help_text='When it was written last.')),
                ],
            ),
            migrations.CreateModel(
                name='Progress',
                fields=[
                    ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                    ('until_ms', models.BigIntegerField(default=0)),
                    ('series_id', models.BigIntegerField(default=0)),
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
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_subscriptions', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Session',
                fields=[
                    ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                    ('session_data', models.TextField(verbose_name='session data')),
                    ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                    ('browser', models.CharField(blank=True, max_length=300)),
                    ('address', models.GenericIPAddressField(null=True)),
                    ('since', models.DateTimeField(default=django.utils.timezone.now)),
                    ('seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'abstract': False,
                    'verbose_name': 'session',
                    'verbose_name_plural': 'sessions',
                },
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
                name='Team',
                fields=[
                ],
                options={
                    'constraints': [],
                    'indexes': [],
                    'proxy': True,
                    'verbose_name': 'team',
                    'verbose_name_plural': 'teams',
                },
                bases=('auth.group',),
                managers=[
                    ('objects', django.contrib.auth.models.GroupManager()),
                ],
            ),
            migrations.CreateModel(
                name='AlertEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('number', models.PositiveBigIntegerField(unique=True)),
                    ('at', models.DateTimeField(db_index=True)),
                    ('data', models.JSONField()),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'ordering': ['number'],
                },
            ),
            migrations.CreateModel(
                name='AlertWebhook',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                    ('mapping', models.JSONField()),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of mapping.')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('last_used_at', models.DateTimeField(editable=False, help_text='To the minute.', null=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='Annotation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('text', models.CharField(max_length=500)),
                    ('at', models.DateTimeField()),
                    ('until', models.DateTimeField(null=True)),
                    ('by', models.CharField(max_length=200)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'indexes': [models.Index(fields=['-at', '-id'], name='annotation_at')],
                    'ordering': ['-at', '-pk'],
                },
            ),
            migrations.CreateModel(
                name='AnnotationTag',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('tag', models.CharField(max_length=50)),
                    ('annotation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tagged', to='metrics.annotation')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('annotation', 'tag'), name='tag_once')],
                    'indexes': [models.Index(fields=['tag', 'annotation'], name='annotation_of_tag')],
                    'ordering': ['tag'],
                },
            ),
            migrations.CreateModel(
                name='Channel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('kind', models.CharField(max_length=40)),
                    ('config', models.JSONField(blank=True, default=dict)),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of config.')),
                    ('secrets', models.TextField(blank=True, editable=False, help_text='As metrics.actions.credentials keeps them.')),
                    ('trusted', models.BooleanField(default=False, editable=False, help_text='Its config was last set by an administrator: it may connect anywhere.')),
                    ('enabled', models.BooleanField(default=True)),
                    ('fallback', models.BooleanField(default=False, help_text='Gets only what another channel of its team could not deliver.')),
                    ('position', models.PositiveSmallIntegerField(default=0)),
                    ('changed_at', models.DateTimeField(auto_now=True)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='channels', to='metrics.team')),
                    ('digest', models.JSONField(blank=True, null=True)),
                    ('digest_version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of digest.')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='channel_name_of_team'), models.UniqueConstraint(condition=models.Q(('team', None)), fields=('name',), name='channel_name_of_installation')],
                    'ordering': ['position', 'pk'],
                },
            ),
            migrations.CreateModel(
                name='Dashboard',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(unique=True)),
                    ('title', models.CharField(max_length=100)),
                    ('description', models.CharField(blank=True, max_length=300)),
                    ('range', models.CharField(default='1h', help_text='The range shown when none is asked for.', max_length=4)),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('revision', models.PositiveIntegerField(default=0, editable=False, help_text='Number of the newest revision, so that open pages notice one.')),
                    ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('variables', models.JSONField(blank=True, default=list, editable=False, help_text='As `metrics.widgets.variables.VariableSpec` has each.')),
                    ('tags', models.JSONField(blank=True, default=list, editable=False, help_text='Words to find it by.')),
                ],
                options={
                    'ordering': ['title'],
                },
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('conversation', models.CharField(blank=True, max_length=200)),
                    ('key', models.CharField(max_length=200)),
                    ('document', models.JSONField()),
                    ('state', models.CharField(default='waiting', max_length=10)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('created_at', models.DateTimeField()),
                    ('next_at', models.DateTimeField()),
                    ('claimed_until', models.DateTimeField(null=True)),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('error', models.CharField(blank=True, max_length=300)),
                    ('receipt', models.JSONField(default=dict)),
                    ('channel', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='metrics.channel')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('channel', 'key'), name='delivery_once')],
                    'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'sending'))), fields=['next_at'], name='delivery_due'), models.Index(fields=['channel', 'id'], name='delivery_of_channel'), models.Index(fields=['created_at'], name='delivery_created'), models.Index(condition=models.Q(('conversation', ''), _negated=True), fields=['conversation'], name='delivery_conversation'), models.Index(condition=models.Q(('state', 'held')), fields=['next_at'], name='delivery_held')],
                    'ordering': ['-pk'],
                    'verbose_name_plural': 'deliveries',
                },
            ),
            migrations.CreateModel(
                name='Draft',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('base', models.PositiveIntegerField(help_text='Number of the revision that it is made of.')),
                    ('position', models.PositiveIntegerField(default=0, help_text='Number of the step that is shown.')),
                    ('version', models.PositiveIntegerField(default=0)),
                    ('changed_at', models.DateTimeField()),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='metrics.dashboard')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dashboard', 'user'), name='draft_of_user')],
                },
            ),
            migrations.CreateModel(
                name='DraftStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('base', models.PositiveIntegerField(help_text='Number of the revision that it is made of.')),
                    ('spec', models.JSONField()),
                    ('summary', models.CharField(help_text='One sentence: how it differs from the one before.', max_length=500)),
                    ('draft', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='metrics.draft')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('draft', 'number'), name='step_number_of_draft')],
                    'ordering': ['number'],
                },
            ),
            migrations.CreateModel(
                name='Escalation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('spec', models.JSONField()),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of spec.')),
                    ('team', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='escalation', to='metrics.team')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(models.Value(1), condition=models.Q(('team', None)), name='escalation_of_the_installation_once')],
                },
            ),
            migrations.CreateModel(
                name='Favourite',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourites', to='metrics.dashboard')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourites', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'dashboard'), name='favourite_once')],
                },
            ),
            migrations.CreateModel(
                name='FormerSlug',
                fields=[
                    ('slug', models.SlugField(primary_key=True, serialize=False)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='former_slugs', to='metrics.dashboard')),
                ],
            ),
            migrations.CreateModel(
                name='Incident',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('key', models.CharField(editable=False, max_length=64)),
                    ('title', models.CharField(max_length=200)),
                    ('severity', models.CharField(max_length=10)),
                    ('checklist', models.JSONField(default=list)),
                    ('opened_at', models.DateTimeField()),
                    ('newest_at', models.DateTimeField()),
                    ('acknowledged_at', models.DateTimeField(null=True)),
                    ('acknowledged_by', models.CharField(blank=True, max_length=200)),
                    ('acknowledged_until', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('resolved_at', models.DateTimeField(null=True)),
                    ('resolved_by', models.CharField(blank=True, help_text='Nobody, if all of its alerts ended.', max_length=200)),
                    ('untold_since', models.DateTimeField(null=True)),
                    ('changed_at', models.DateTimeField(null=True)),
                    ('told_at', models.DateTimeField(null=True)),
                    ('told', models.PositiveIntegerField(default=0)),
                    ('step', models.PositiveIntegerField(default=0)),
                    ('next_step_at', models.DateTimeField(null=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('unseen_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('resolved_at', None)), fields=['key'], name='incident_open'), models.Index(condition=models.Q(('next_step_at', None), _negated=True), fields=['next_step_at'], name='incident_step'), models.Index(condition=models.Q(('untold_since', None), _negated=True), fields=['untold_since'], name='incident_untold')],
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Invitation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                    ('note', models.CharField(blank=True, help_text='Who it is for.', max_length=100)),
                    ('role', models.CharField(choices=[('viewer', 'viewer'), ('editor', 'editor'), ('administrator', 'administrator')], max_length=20)),
                    ('by', models.CharField(max_length=200)),
                    ('expires_at', models.DateTimeField()),
                    ('teams', models.ManyToManyField(blank=True, related_name='invitations', to='metrics.team')),
                ],
                options={
                    'ordering': ['expires_at'],
                },
            ),
            migrations.CreateModel(
                name='Link',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                    ('range', models.CharField(blank=True, help_text='The only range it shows; any, if empty.', max_length=4)),
                    ('variables', models.JSONField(blank=True, default=dict, help_text="The only values it shows, by the variable's name.")),
                    ('by', models.CharField(help_text='Who made it.', max_length=200)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, editable=False, help_text='To the minute.', null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='metrics.dashboard')),
                ],
                options={
                    'ordering': ['name', 'pk'],
                },
            ),
            migrations.CreateModel(
                name='Maintenance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('matchers', models.JSONField()),
                    ('reach', models.JSONField(editable=False, null=True)),
                    ('by', models.CharField(max_length=200)),
                    ('comment', models.CharField(max_length=500)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('time_zone', models.CharField(default='UTC', max_length=50)),
                    ('url', models.TextField(blank=True, editable=False)),
                    ('place', models.CharField(blank=True, editable=False, help_text='Scheme and host of the address.', max_length=300)),
                    ('is_trusted', models.BooleanField(default=False, editable=False, help_text='Whether an administrator gave it.')),
                    ('text', models.TextField(blank=True, editable=False)),
                    ('etag', models.CharField(blank=True, editable=False, max_length=300)),
                    ('modified', models.CharField(blank=True, editable=False, max_length=100)),
                    ('good_at', models.DateTimeField(editable=False, null=True)),
                    ('next_at', models.DateTimeField(db_index=True, editable=False, null=True)),
                    ('problem', models.CharField(blank=True, editable=False, max_length=300)),
                    ('doubts', models.JSONField(default=list, editable=False)),
                    ('start', models.CharField(blank=True, max_length=20)),
                    ('lasts_s', models.PositiveIntegerField(default=0)),
                    ('repeat', models.CharField(blank=True, max_length=300)),
                    ('enabled', models.BooleanField(default=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'ordering': ['comment', 'pk'],
                    'verbose_name': 'maintenance',
                    'verbose_name_plural': 'maintenance',
                },
            ),
            migrations.CreateModel(
                name='MaintenanceSpan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('maintenance', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='spans', to='metrics.maintenance')),
                ],
                options={
                    'indexes': [models.Index(fields=['maintenance', 'ends_at'], name='span_of_maintenance'), models.Index(fields=['ends_at'], name='span_ends')],
                },
            ),
            migrations.CreateModel(
                name='Picture',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('hash', models.CharField(max_length=64)),
                    ('type', models.CharField(max_length=100)),
                    ('size', models.PositiveIntegerField(help_text='In bytes.')),
                    ('width', models.PositiveIntegerField(help_text='In pixels.')),
                    ('height', models.PositiveIntegerField(help_text='In pixels.')),
                    ('data', models.BinaryField()),
                    ('uploaded', models.BooleanField()),
                    ('at', models.DateTimeField(help_text='When it was uploaded or last fetched.')),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='metrics.dashboard')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dashboard', 'hash'), name='picture_of_dashboard')],
                },
            ),
            migrations.CreateModel(
                name='PictureFetch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=64)),
                    ('fetched_at', models.DateTimeField(null=True)),
                    ('tried_at', models.DateTimeField()),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='picture_fetches', to='metrics.dashboard')),
                    ('picture', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='fetches', to='metrics.picture')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dashboard', 'key'), name='picture_fetch_of_dashboard')],
                },
            ),
            migrations.CreateModel(
                name='Revision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField(help_text='Counts from 1.')),
                    ('spec', models.JSONField()),
                    ('by', models.CharField(help_text='Who saved it.', max_length=200)),
                    ('at', models.DateTimeField()),
                    ('summary', models.CharField(help_text='One sentence: how it differs from the one before.', max_length=500)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='metrics.dashboard')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dashboard', 'number'), name='revision_number_of_dashboard')],
                    'ordering': ['-number'],
                },
            ),
            migrations.CreateModel(
                name='Room',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('title', models.CharField(max_length=100)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('closed_at', models.DateTimeField(help_text='Nobody writes in it any more.', null=True)),
                    ('dashboard', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='room', to='metrics.dashboard')),
                    ('direct', models.CharField(blank=True, max_length=50)),
                    ('keep_days', models.PositiveIntegerField(help_text='After so many days messages are removed.', null=True)),
                    ('people', models.ManyToManyField(blank=True, related_name='rooms', to=settings.AUTH_USER_MODEL)),
                    ('changed', models.PositiveBigIntegerField(default=0, editable=False)),
                    ('incident', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='room', to='metrics.incident')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('direct', ''), _negated=True), fields=('direct',), name='room_of_two')],
                    'ordering': ['title', 'id'],
                },
            ),
            migrations.CreateModel(
                name='FavouriteRoom',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourites', to='metrics.room')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favourite_rooms', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'room'), name='favourite_room_once')],
                },
            ),
            migrations.CreateModel(
                name='Reading',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveBigIntegerField(default=0)),
                    ('ordinal', models.PositiveBigIntegerField(default=0)),
                    ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='metrics.room')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'room'), name='reading_once')],
                },
            ),
            migrations.CreateModel(
                name='Rule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('metric', models.CharField(db_index=True, editable=False, max_length=200)),
                    ('spec', models.JSONField()),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of spec.')),
                    ('severity', models.CharField(editable=False, max_length=10)),
                    ('enabled', models.BooleanField(default=True)),
                    ('revision', models.PositiveIntegerField(default=1, editable=False)),
                    ('changed_at', models.DateTimeField(auto_now=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('received', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='Alert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(editable=False, max_length=64)),
                    ('series', models.JSONField(default=dict)),
                    ('labels', models.JSONField(default=dict)),
                    ('unit', models.CharField(blank=True, max_length=20)),
                    ('state', models.CharField(default='ok', max_length=10)),
                    ('since_ms', models.BigIntegerField()),
                    ('seen_at_ms', models.BigIntegerField()),
                    ('lapses_after_s', models.FloatField(null=True)),
                    ('value', models.FloatField(null=True)),
                    ('fired_at_ms', models.BigIntegerField(null=True)),
                    ('acknowledged_at', models.DateTimeField(null=True)),
                    ('acknowledged_by', models.CharField(blank=True, max_length=200)),
                    ('acknowledged_until', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('rule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to='metrics.rule')),
                    ('annotations', models.JSONField(default=dict)),
                    ('are_told', models.BooleanField(default=False)),
                    ('ends_at_ms', models.BigIntegerField(null=True)),
                    ('severity', models.CharField(default='warning', max_length=10)),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='metrics.incident')),
                    ('flaps_since_ms', models.BigIntegerField(null=True)),
                    ('link', models.TextField(blank=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('rule', 'key'), name='alert_once')],
                    'indexes': [models.Index(condition=models.Q(('state', 'ok'), _negated=True), fields=['id'], name='alert_not_ok'), models.Index(condition=models.Q(('are_told', True)), fields=['id'], name='alert_told'), models.Index(condition=models.Q(('flaps_since_ms', None), _negated=True), fields=['id'], name='alert_flaps')],
                },
            ),
            migrations.CreateModel(
                name='Schedule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('time_zone', models.CharField(default='UTC', max_length=50)),
                    ('url', models.TextField(blank=True, editable=False)),
                    ('place', models.CharField(blank=True, editable=False, help_text='Scheme and host of the address.', max_length=300)),
                    ('is_trusted', models.BooleanField(default=False, editable=False, help_text='Whether an administrator gave it.')),
                    ('text', models.TextField(blank=True, editable=False)),
                    ('etag', models.CharField(blank=True, editable=False, max_length=300)),
                    ('modified', models.CharField(blank=True, editable=False, max_length=100)),
                    ('good_at', models.DateTimeField(editable=False, null=True)),
                    ('next_at', models.DateTimeField(db_index=True, editable=False, null=True)),
                    ('problem', models.CharField(blank=True, editable=False, max_length=300)),
                    ('doubts', models.JSONField(default=list, editable=False)),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('spec', models.JSONField(default=dict)),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of spec.')),
                    ('shifts', models.JSONField(default=list, editable=False)),
                    ('digest', models.CharField(blank=True, editable=False, max_length=64)),
                    ('revision', models.PositiveIntegerField(default=1, editable=False)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('known_from', models.DateTimeField(editable=False, null=True)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='Override',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('by', models.CharField(max_length=200)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('schedule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='metrics.schedule')),
                ],
                options={
                    'indexes': [models.Index(fields=['schedule', 'ends_at'], name='override_of_schedule')],
                    'ordering': ['pk'],
                },
            ),
            migrations.CreateModel(
                name='Screen',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('name', models.CharField(max_length=100)),
                    ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                    ('range', models.CharField(blank=True, help_text="The range it shows; the dashboard's usual, if empty.", max_length=4)),
                    ('by', models.CharField(help_text='Who paired it.', max_length=200)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('last_used_at', models.DateTimeField(editable=False, help_text='To the minute.', null=True)),
                    ('revoked_at', models.DateTimeField(null=True)),
                    ('dashboard', models.ForeignKey(help_text='The one it shows, if any.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='screens', to='metrics.dashboard')),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                    ('paired_from', models.GenericIPAddressField(help_text='Where its display was when it asked for the code.', null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), condition=models.Q(('revoked_at', None)), name='screen_name_once')],
                    'ordering': ['name', 'pk'],
                },
            ),
            migrations.CreateModel(
                name='Sighting',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=10)),
                    ('viewer', models.CharField(max_length=60)),
                    ('name', models.CharField(max_length=200)),
                    ('dashboard', models.CharField(blank=True, max_length=100)),
                    ('at', models.DateTimeField()),
                    ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sightings', to='metrics.incident')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('incident', 'kind', 'viewer'), name='sighting_once')],
                    'ordering': ['at', 'pk'],
                },
            ),
            migrations.CreateModel(
                name='Silence',
                fields=[
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('matchers', models.JSONField()),
                    ('reach', models.JSONField(editable=False, null=True)),
                    ('by', models.CharField(max_length=200)),
                    ('comment', models.CharField(max_length=500)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(db_index=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'ordering': ['starts_at', 'created_at'],
                },
            ),
            migrations.CreateModel(
                name='Source',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=40)),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('every_s', models.PositiveIntegerField(blank=True, help_text='Seconds between two runs; empty for what is pushed, or runs by cron.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)], verbose_name='every')),
                    ('config', models.JSONField(blank=True, default=dict)),
                    ('enabled', models.BooleanField(default=True)),
                    ('last_run_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('last_duration_s', models.FloatField(blank=True, editable=False, null=True)),
                    ('last_samples', models.PositiveIntegerField(blank=True, editable=False, null=True)),
                    ('last_error', models.CharField(blank=True, editable=False, max_length=300)),
                    ('cron', models.CharField(blank=True, help_text='Minute, hour, day, month, weekday.', max_length=100)),
                    ('time_zone', models.CharField(blank=True, help_text='Of cron, such as Europe/Zurich.', max_length=50)),
                    ('hour_retention_days', models.PositiveIntegerField(blank=True, help_text='Days to keep the rollups of hours; empty for what the settings say.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)])),
                    ('minute_retention_days', models.PositiveIntegerField(blank=True, help_text='Days to keep the rollups of minutes; empty for what the settings say.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)])),
                    ('raw_retention_hours', models.PositiveIntegerField(blank=True, help_text='Hours to keep every sample; empty for what the settings say.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(876000)])),
                    ('failures', models.PositiveIntegerField(default=0, editable=False, help_text='Runs in a row that failed.')),
                    ('last_note', models.CharField(blank=True, editable=False, help_text='A line that the run said.', max_length=300)),
                    ('last_success_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('recent', models.JSONField(default=list, editable=False, help_text='The newest runs, oldest first, each [seconds, one of GOOD, FAILED, … of metrics.actions.runs].')),
                    ('secrets', models.TextField(blank=True, editable=False, help_text='As metrics.actions.credentials keeps them.')),
                    ('trusted', models.BooleanField(default=False, editable=False, help_text='Its config was last set by an administrator: it may connect anywhere.')),
                    ('last_verdict', models.CharField(blank=True, choices=[('up', 'up'), ('warning', 'warning'), ('down', 'down')], editable=False, help_text='Of what the last run checked; empty if it checked nothing, or failed.', max_length=10)),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of config.')),
                    ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                    ('for_everyone', models.BooleanField(default=True, help_text='Whether everyone who is signed in may see it.')),
                    ('teams', models.ManyToManyField(blank=True, help_text='Their members see it, and their editors change it.', related_name='%(class)ss', to='metrics.team')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('for_everyone', False)), fields=['id'], name='source_restricted')],
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='Run',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('started_at', models.DateTimeField()),
                    ('duration_s', models.FloatField()),
                    ('samples', models.PositiveIntegerField()),
                    ('error', models.CharField(blank=True, max_length=300)),
                    ('note', models.CharField(blank=True, max_length=300)),
                    ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='metrics.source')),
                    ('verdict', models.CharField(blank=True, choices=[('up', 'up'), ('warning', 'warning'), ('down', 'down')], max_length=10)),
                ],
                options={
                    'indexes': [models.Index(fields=['source', '-id'], name='run_newest_of_source')],
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Series',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(editable=False, max_length=64, unique=True)),
                    ('metric', models.CharField(max_length=200)),
                    ('labels', models.JSONField(default=dict)),
                    ('unit', models.CharField(blank=True, max_length=20)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='series', to='metrics.source')),
                    ('expected_every_s', models.FloatField(blank=True, help_text='Seconds after which the next sample should come.', null=True, verbose_name='expected every')),
                    ('expires_after_s', models.FloatField(blank=True, help_text='Seconds after which the last value no longer counts.', null=True, verbose_name='expires after')),
                    ('type', models.CharField(blank=True, help_text='gauge or counter; empty while nobody said.', max_length=10)),
                    ('ahead_s', models.FloatField(default=0, editable=False, help_text="Seconds by which the sender's clock is ahead at most.", verbose_name='ahead by')),
                    ('ended_at_ms', models.BigIntegerField(blank=True, editable=False, help_text='Unix milliseconds; samples up to then no longer count as the last.', null=True)),
                    ('group', models.BigIntegerField(editable=False, help_text='What it is pushed with; see series.groups.', null=True)),
                    ('revision', models.BigIntegerField(default=0, editable=False, help_text='Counts how often something older than what is rolled came, or was rolled.')),
                    ('group_owner', models.ForeignKey(db_index=False, editable=False, help_text='Whose token made the group.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='metrics.source')),
                    ('started_at_ms', models.BigIntegerField(blank=True, editable=False, help_text='Unix milliseconds; when a counter last began at zero, if its sender says that.', null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('group__isnull', False)), fields=['group'], name='series_of_group'), models.Index(fields=['metric', 'id'], name='metrics_ser_metric_04a45c_idx')],
                    'ordering': ['metric', 'id'],
                    'verbose_name_plural': 'series',
                },
            ),
            migrations.CreateModel(
                name='Chunk',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'start_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('start_ms', models.BigIntegerField()),
                    ('end_ms', models.BigIntegerField()),
                    ('count', models.IntegerField()),
                    ('data', models.BinaryField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                ],
            ),
            migrations.CreateModel(
                name='FutureSample',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'at_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('at_ms', models.BigIntegerField(help_text='Unix time in milliseconds.')),
                    ('value', models.FloatField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                ],
            ),
            migrations.CreateModel(
                name='HourChunk',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'start_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('start_ms', models.BigIntegerField()),
                    ('end_ms', models.BigIntegerField()),
                    ('count', models.IntegerField()),
                    ('data', models.BinaryField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='HourRollup',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'at_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('at_ms', models.BigIntegerField(help_text='Unix time in milliseconds.')),
                    ('sum', models.FloatField()),
                    ('min', models.FloatField()),
                    ('max', models.FloatField()),
                    ('last', models.FloatField()),
                    ('count', models.IntegerField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                    ('last_after_ms', models.IntegerField(default=0, help_text='When the last sample was, in milliseconds after at_ms.')),
                    ('first', models.FloatField(null=True)),
                    ('first_after_ms', models.IntegerField(default=0, help_text='When the first sample was, in milliseconds after at_ms.')),
                    ('growth', models.FloatField(help_text='By how much a counter grew from the first sample to the last; null if that is not known.', null=True)),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='Late',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'at_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('at_ms', models.BigIntegerField()),
                    ('marks', models.BigIntegerField(default=1)),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                ],
            ),
            migrations.CreateModel(
                name='MinuteChunk',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'start_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('start_ms', models.BigIntegerField()),
                    ('end_ms', models.BigIntegerField()),
                    ('count', models.IntegerField()),
                    ('data', models.BinaryField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='MinuteRollup',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'at_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('at_ms', models.BigIntegerField(help_text='Unix time in milliseconds.')),
                    ('sum', models.FloatField()),
                    ('min', models.FloatField()),
                    ('max', models.FloatField()),
                    ('last', models.FloatField()),
                    ('count', models.IntegerField()),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.series')),
                    ('last_after_ms', models.IntegerField(default=0, help_text='When the last sample was, in milliseconds after at_ms.')),
                    ('first', models.FloatField(null=True)),
                    ('first_after_ms', models.IntegerField(default=0, help_text='When the first sample was, in milliseconds after at_ms.')),
                    ('growth', models.FloatField(help_text='By how much a counter grew from the first sample to the last; null if that is not known.', null=True)),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='RunningTotal',
                fields=[
                    ('series', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='running_total', serialize=False, to='metrics.series')),
                    ('at_ms', models.BigIntegerField(help_text='Unix time in milliseconds.', null=True)),
                    ('value', models.FloatField(default=0)),
                ],
            ),
            migrations.CreateModel(
                name='Sample',
                fields=[
                    ('pk', models.CompositePrimaryKey('series_id', 'at_ms', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('at_ms', models.BigIntegerField(help_text='Unix time in milliseconds.')),
                    ('value', models.FloatField()),
                    ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='metrics.series')),
                ],
                options={
                    'verbose_name_plural': 'samples',
                },
            ),
            migrations.CreateModel(
                name='StartPage',
                fields=[
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='start_page', serialize=False, to=settings.AUTH_USER_MODEL)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.dashboard')),
                ],
            ),
            migrations.CreateModel(
                name='Token',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('scope', models.CharField(choices=[('push', 'push samples'), ('read', 'read series and dashboards'), ('edit', 'read, and change dashboards, sources and heartbeats'), ('admin', 'manage everything')], max_length=10)),
                    ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('source', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='token', to='metrics.source')),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, editable=False, help_text='To the minute.', null=True)),
                    ('teams', models.ManyToManyField(blank=True, help_text='It acts as a member of these; without any, for all teams.', related_name='tokens', to='metrics.team')),
                    ('face', models.CharField(blank=True, help_text='An emoji that its messages in rooms begin with.', max_length=32)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='IdempotencyKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=255)),
                    ('digest', models.CharField(help_text='SHA-256 of what was pushed.', max_length=64)),
                    ('accepted', models.PositiveIntegerField(help_text='How many samples the answer said were accepted.')),
                    ('at', models.DateTimeField(db_index=True)),
                    ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='idempotency_keys', to='metrics.token')),
                    ('answer', models.JSONField(null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('token', 'key'), name='one_answer_per_key')],
                },
            ),
            migrations.CreateModel(
                name='Message',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveBigIntegerField()),
                    ('by', models.CharField(max_length=200)),
                    ('text', models.TextField()),
                    ('client_id', models.CharField(blank=True, max_length=100)),
                    ('at', models.DateTimeField()),
                    ('token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='metrics.token')),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='metrics.room')),
                    ('cards', models.JSONField(default=list)),
                    ('changed', models.PositiveBigIntegerField()),
                    ('deleted_at', models.DateTimeField(null=True)),
                    ('drawing', models.TextField(blank=True)),
                    ('edited_at', models.DateTimeField(null=True)),
                    ('mentions', models.JSONField(default=list)),
                    ('moment', models.JSONField(null=True)),
                    ('ordinal', models.PositiveBigIntegerField()),
                    ('reply_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='metrics.message')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('room', 'number'), name='message_number_of_room'), models.UniqueConstraint(condition=models.Q(('client_id', ''), _negated=True), fields=('room', 'by', 'client_id'), name='message_once'), models.UniqueConstraint(fields=('room', 'changed'), name='message_change_of_room')],
                    'ordering': ['number'],
                },
            ),
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
                    ('message', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='metrics.message')),
                    ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='metrics.room')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('message', None)), fields=['at'], name='attachment_unsent')],
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Reaction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('by', models.CharField(max_length=200)),
                    ('emoji', models.CharField(max_length=32)),
                    ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reactions', to='metrics.message')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('message', 'by', 'emoji'), name='reaction_once')],
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Transition',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('noun', models.CharField(help_text='Whose state it is: heartbeat.', max_length=30)),
                    ('thing', models.CharField(help_text='Its id.', max_length=50)),
                    ('name', models.CharField(help_text='Its name at that time.', max_length=200)),
                    ('before', models.CharField(max_length=20)),
                    ('after', models.CharField(max_length=20)),
                    ('at', models.DateTimeField()),
                    ('why', models.CharField(help_text='One sentence.', max_length=300)),
                    ('processed_at', models.DateTimeField(help_text='When whoever follows transitions had done so.', null=True)),
                    ('value', models.FloatField(help_text='The value that it had then, of what has values.', null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['noun', 'thing', '-id'], name='transition_of_thing'), models.Index(condition=models.Q(('noun', 'alert'), ('processed_at', None)), fields=['id'], name='transition_unannounced')],
                },
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
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watches', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'noun', 'thing'), name='watch_once')],
                    'indexes': [models.Index(fields=['noun', 'thing'], name='watch_thing')],
                    'verbose_name_plural': 'watches',
                },
            ),
            migrations.CreateModel(
                name='Widget',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=20)),
                    ('title', models.CharField(max_length=100)),
                    ('config', models.JSONField(default=dict)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='widgets', to='metrics.dashboard')),
                    ('w', models.PositiveSmallIntegerField(default=3, help_text='Columns of 12.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)], verbose_name='width')),
                    ('h', models.PositiveSmallIntegerField(default=1, help_text='Rows.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)], verbose_name='height')),
                    ('x', models.PositiveSmallIntegerField(default=0, help_text='Column, from 0.', validators=[django.core.validators.MaxValueValidator(11)])),
                    ('y', models.PositiveSmallIntegerField(default=0, help_text='Row, from 0.', validators=[django.core.validators.MaxValueValidator(59)])),
                    ('key', models.SlugField(help_text='Names it within its dashboard.')),
                    ('version', models.PositiveSmallIntegerField(default=1, editable=False, help_text='Of the form of config.')),
                    ('repeat', models.CharField(blank=True, help_text='Name of the variable for each of whose values it is drawn once.', max_length=30)),
                    ('phone', models.JSONField(blank=True, default=dict, editable=False, help_text='As `metrics.widgets.spec.OnPhone` has it.')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dashboard', 'key'), name='widget_key_of_dashboard')],
                    'ordering': ['y', 'x', 'id'],
                },
            ),
            migrations.CreateModel(
                name='Withheld',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=20)),
                    ('thing', models.CharField(max_length=40)),
                    ('key', models.CharField(max_length=100)),
                    ('at', models.DateTimeField(db_index=True)),
                    ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='withheld', to='metrics.alert')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('kind', 'thing', 'key'), name='withheld_once')],
                },
            ),
        ),
        migrations.RunPython(keep_chunks_as_they_are, migrations.RunPython.noop, elidable=False),
    ]
