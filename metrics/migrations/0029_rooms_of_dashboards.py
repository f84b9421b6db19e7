from django.db import migrations


def make_rooms(apps, schema_editor):
    """Every dashboard has a room, which those see who see the dashboard."""
    Dashboard, Room = apps.get_model('metrics', 'Dashboard'), apps.get_model('metrics', 'Room')
    without = Dashboard._base_manager.filter(room=None)
    Room.objects.bulk_create(
        Room(dashboard=one, title=one.title, for_everyone=False) for one in without.iterator()
    )


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0028_talk'),
    ]

    operations = [
        migrations.RunPython(make_rooms, migrations.RunPython.noop),
    ]
