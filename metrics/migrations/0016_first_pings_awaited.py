"""Heartbeats that never pinged are awaited from now on, as those are that are made from this release on."""

import time
from typing import Any

from django.db import migrations

from metrics.heartbeat import State, ends
from metrics.schedule import BadSchedule, Schedule


def expect(apps: Any, _: Any) -> None:
    model = apps.get_model("metrics", "Heartbeat")
    for one in model.objects.filter(state=State.NEW, late_at=None):
        try:
            schedule = Schedule(one.every_s, one.cron, one.time_zone)
        except BadSchedule:  # a time zone that this machine does not know
            continue
        one.late_at, down_at = ends(time.time(), schedule, one.grace_s)
        one.down_at = one.down_at or down_at  # it may have begun, and then has to end before that
        one.save(update_fields=["late_at", "down_at"])


class Migration(migrations.Migration):
    dependencies = [("metrics", "0015_verdicts")]

    operations = [migrations.RunPython(expect, migrations.RunPython.noop)]
