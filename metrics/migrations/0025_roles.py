"""Django's flag `staff` makes an editor now: those keep it who had the right to make or change something here."""

from django.db import migrations

RIGHTS = [f"{verb}_{noun}" for verb in ("add", "change") for noun in ("dashboard", "source", "heartbeat")]


def keep_editors(apps, schema_editor):
    User, Permission = apps.get_model("auth", "User"), apps.get_model("auth", "Permission")
    rights = Permission.objects.filter(content_type__app_label="metrics", codename__in=RIGHTS)
    editors = {
        *rights.values_list("user", flat=True),
        *rights.values_list("group__user", flat=True),
    } - {None}
    User.objects.filter(is_staff=True, is_superuser=False).exclude(pk__in=editors).update(is_staff=False)


class Migration(migrations.Migration):

    dependencies = [("metrics", "0024_teams")]

    operations = [migrations.RunPython(keep_editors, migrations.RunPython.noop)]
