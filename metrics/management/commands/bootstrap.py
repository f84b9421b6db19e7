"""`manage.py bootstrap`: make the user admin and the demo, where there is nothing yet."""

from typing import Any

from django.core.management.base import BaseCommand

from metrics.actions.bootstrap import bootstrap


class Command(BaseCommand):
    """Makes the user admin and the demo dashboard, where there is nothing yet."""

    help = "Make the user admin and, in an empty database, a dashboard of this machine."
    requires_system_checks = ()  # they would import every page; `make check` runs them

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(bootstrap())
